//! The fields of each type: `docs/ledger-format.md` in one table.

use super::EntryType;
use super::form::Form::{
    self, Asked, Bool, Count, CountOrNull, Facts, Ids, Int, Sha256, Sha256OrNull, Time, TimeOrNull, Word, WordOrNull,
    Words,
};

const MOVEMENT: [(&str, Form); 9] = [
    ("kind", Form::Kind),
    ("object", Form::StripeId),
    ("ordinal", Count),
    ("amount_minor", Int),
    ("currency", Form::Currency),
    ("status", WordOrNull),
    ("event", Form::StripeId),
    ("event_type", Word),
    ("event_at", Time),
];

impl EntryType {
    /// The marks that an entry of the type may bear: fields that are `true` or left out.
    /// `restricted_key`: connected with a key of the account, without an app.
    /// `recovered`: no webhook told it, it was found in Stripe's list of events afterwards.
    pub(super) const fn marks(self) -> &'static [&'static str] {
        match self {
            Self::MovementObserved | Self::MovementChanged | Self::FactRecorded => &["recovered"],
            Self::ConnectionConnected => &["restricted_key"],
            _ => &[],
        }
    }

    /// The type's own fields.
    pub(super) fn fields(self) -> Vec<(&'static str, Form)> {
        let own: &[(&str, Form)] = match self {
            Self::ConnectionConnected => &[
                ("attempt", Word),
                ("country", WordOrNull),
                ("currency", Form::Currency),
                ("lanes", Count),
                ("permissions", Word),
                ("reconnected", Bool),
            ],
            Self::ConnectionWebhooksRegistered => {
                &[("endpoint", Form::StripeId), ("events", Words), ("api_version", Word)]
            }
            Self::ConnectionRevoked => &[("event", Form::StripeId), ("reason", Word)],
            Self::ConnectionDisconnected => &[("change", Word), ("why_sha256", Sha256)],
            Self::ConnectionWebhookSecretAdded => &[("change", Word), ("secrets", Count)],
            Self::PlanAdopted => {
                &[("plan", Word), ("plan_sha256", Sha256), ("policy_mode", Word), ("attempt", Word), ("source", Word)]
            }
            Self::MovementObserved => &[
                ("moved_at", Time),
                ("stripe_request", Form::StripeIdOrNull),
                ("facts", Facts),
                ("decision", Form::Decision),
            ],
            Self::MovementChanged => &[("late", Bool), ("failure_code", WordOrNull)],
            Self::FactRecorded => &[
                ("event", Form::StripeId),
                ("event_type", Word),
                ("event_at", Time),
                ("object", Form::StripeId),
                ("fact", Word),
                ("status", WordOrNull),
                ("amount_minor", Int),
                ("currency", Form::Currency),
                ("reason", WordOrNull),
                ("charge", Form::StripeIdOrNull),
                ("submission_count", Count),
            ],
            Self::ConnectionReauthRequired => &[("change", Word), ("reason", Word)],
            Self::ConnectionPermissionsChanged => &[("change", Word), ("permissions", Word), ("before", Word)],
            Self::PersonAdded => {
                &[("change", Word), ("person", Word), ("groups", Words), ("principals", Words), ("addresses", Count)]
            }
            Self::PersonRemoved => &[("change", Word), ("person", Word)],
            Self::PersonAliasChanged => &[
                ("change", Word),
                ("person", Word),
                ("alias", Word),
                ("added", Bool),
                ("principal", WordOrNull),
                ("addresses", Count),
            ],
            Self::KeyCreated => &[
                ("change", Word),
                ("key", Word),
                ("key_actor", Word),
                ("operator", Word),
                ("issuer", Word),
                ("replaces", WordOrNull),
                ("per_minute", Count),
                ("valid_until", TimeOrNull),
            ],
            Self::KeyRevoked => &[("change", Word), ("key", Word), ("key_actor", Word)],
            Self::PlanPushed | Self::PlanRolledBack => &[
                ("change", Word),
                ("plan", Word),
                ("plan_sha256", Sha256),
                ("before_sha256", Sha256OrNull),
                ("policy_mode", Word),
            ],
            Self::PlanModeChanged => &[
                ("change", Word),
                ("plan", Word),
                ("plan_sha256", Sha256),
                ("policy_mode", Word),
                ("before", Word),
                ("why_sha256", Sha256),
            ],
            Self::AccountReviewChanged => {
                &[("change", Word), ("connected", Word), ("under_review", Bool), ("why_sha256", Sha256)]
            }
            Self::DecisionMade => &[
                ("request", Word),
                ("key", Word),
                ("operator", Word),
                ("digest", Sha256),
                ("kind", Form::Kind),
                ("amount_minor", Count),
                ("currency", Form::Currency),
                ("objects", Ids),
                ("execute", Bool),
                ("facts", Facts),
                ("claimed", Facts),
                ("evaluated_at", Time),
                ("decision", Form::Decision),
                ("status", Word),
                ("open_until", TimeOrNull),
            ],
            Self::DecisionSettled => &[
                ("request", Word),
                ("kind", Form::Kind),
                ("object", Form::StripeId),
                ("ordinal", Count),
                ("amount_minor", Count),
                ("currency", Form::Currency),
            ],
            Self::DecisionExpired => &[("request", Word), ("before", Word)],
            Self::ExecutionSucceeded => &[
                ("request", Word),
                ("kind", Form::Kind),
                ("object", Form::StripeId),
                ("ordinal", Count),
                ("amount_minor", Count),
                ("currency", Form::Currency),
                ("status", WordOrNull),
                ("found_by", Word),
                ("stripe_request", Form::StripeIdOrNull),
            ],
            Self::ExecutionFailed => &[
                ("request", Word),
                ("reason", Word),
                ("stripe_status", CountOrNull),
                ("stripe_code", WordOrNull),
                ("stripe_request", Form::StripeIdOrNull),
            ],
            Self::ExecutionUnknown => &[("request", Word), ("reason", Word)],
            Self::CallPassed => &[
                ("call", Word),
                ("route", Word),
                ("family", Word),
                ("key", Word),
                ("operator", Word),
                ("object", Form::StripeIdOrNull),
                ("why", Word),
            ],
            Self::MovementCancelled => {
                &[("kind", Form::Kind), ("object", Form::StripeId), ("ordinal", Count), ("status", Word)]
            }
            Self::MovementTooLate => &[
                ("kind", Form::Kind),
                ("object", Form::StripeId),
                ("ordinal", Count),
                ("reason", Word),
                ("stripe_code", WordOrNull),
            ],
            Self::ApprovalRequested => {
                &[("request", Word), ("groups", Asked), ("until", Time), ("action_sha256", Sha256), ("facts", Facts)]
            }
            Self::VoteCast => &[
                ("request", Word),
                ("person", Word),
                ("choice", Word),
                ("link", Word),
                ("content_sha256", Sha256),
                ("why_sha256", Sha256OrNull),
            ],
            Self::ApprovalGranted => &[("request", Word), ("begins_by", Time)],
            Self::ApprovalDenied => &[("request", Word), ("person", Word)],
            Self::ApprovalCancelled => &[("request", Word), ("before", Word), ("reason", Word)],
            Self::ExecutionStarted => &[
                ("request", Word),
                ("asked_by", Word),
                ("operator", Word),
                ("kind", Form::Kind),
                ("amount_minor", Count),
                ("currency", Form::Currency),
                ("facts", Facts),
                ("claimed", Facts),
                ("evaluated_at", Time),
                ("decision", Form::Decision),
                ("action_sha256", Sha256),
            ],
            Self::GroupChanged => &[
                ("change", Word),
                ("group", Word),
                ("persons", Words),
                ("quorum", CountOrNull),
                ("expires_secs", CountOrNull),
            ],
            Self::LinksRevoked => &[
                ("change", Word),
                ("request", WordOrNull),
                ("person", WordOrNull),
                ("link", WordOrNull),
                ("why_sha256", Sha256),
            ],
            Self::SwitchChanged => &[("change", Word), ("of", Word), ("stopped", Bool), ("why_sha256", Sha256)],
            Self::SwitchStartAsked => &[("change", Word), ("of", Word), ("until", Time), ("why_sha256", Sha256)],
            Self::MailReturned => {
                &[("report", Word), ("person", Word), ("kind_of_return", Word), ("request", WordOrNull)]
            }
            Self::Heartbeat => &[("day", Form::Day)],
            Self::LanesHeads => &[("day", Form::Day), ("heads", Form::Heads)],
            Self::ExportSealed => &[("day", Form::Day), ("first", Count), ("last", Count), ("manifest_sha256", Sha256)],
            Self::AlarmRaised => {
                &[("alarm", Word), ("of_mode", Form::Mode), ("of_lane", Count), ("of_seq", CountOrNull)]
            }
            Self::ReconcileReported => &[
                ("period", Word),
                ("from", Time),
                ("until", Time),
                ("matched", Count),
                ("only_stripe", Count),
                ("only_ledger", Count),
                ("different", Count),
                ("report_sha256", Sha256),
            ],
        };
        let shared: &[(&str, Form)] = match self {
            Self::MovementObserved | Self::MovementChanged => &MOVEMENT,
            _ => &[],
        };
        shared.iter().chain(own).copied().collect()
    }
}
