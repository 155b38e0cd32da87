//! What the ledger tells of the time since the moment that the tables were restored to.

use std::collections::{BTreeMap, BTreeSet};

use axiru_domain::{RequestId, RequestStatus, Scope, Timestamp};
use axiru_ledger::entry::Entry;
use axiru_ledger::types::EntryType;
use serde_json::Value;

use super::RestoreError;

/// What became of a request since.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    /// Its decision, if it was made since.
    pub(super) made: Option<Entry>,
    /// The last status that an entry tells.
    pub(super) status: Option<RequestStatus>,
    /// The object it became.
    pub(super) object: Option<String>,
}

/// Everything that matters for rows.
#[derive(Debug)]
pub(super) struct Later {
    at: Timestamp,
    since: Timestamp,
    pub(super) requests: BTreeMap<(Scope, String), Told>,
    /// Keys that were revoked at any time.
    pub(super) revoked: BTreeSet<String>,
    /// Whether the last that is told of a connection is its end.
    pub(super) ended: BTreeMap<Scope, bool>,
    pub(super) again: Vec<String>,
}

impl Later {
    /// What was done after `at`, and what became of requests from `since` on.
    pub(super) const fn since(at: Timestamp, since: Timestamp) -> Self {
        Self {
            at,
            since,
            requests: BTreeMap::new(),
            revoked: BTreeSet::new(),
            ended: BTreeMap::new(),
            again: Vec::new(),
        }
    }

    /// Reads the entries of one log, in their order.
    pub(super) fn read(&mut self, entries: &[Entry]) -> Result<(), RestoreError> {
        for entry in entries {
            let Ok(ty) = entry.ty().parse::<EntryType>() else { continue };
            let scope = &entry.log().scope;
            match ty {
                EntryType::KeyRevoked => {
                    self.revoked.extend(text(entry, "key").map(str::to_owned));
                }
                EntryType::ConnectionRevoked | EntryType::ConnectionDisconnected => {
                    self.ended.insert(scope.clone(), true);
                }
                EntryType::ConnectionConnected => {
                    self.ended.insert(scope.clone(), false);
                }
                _ => {}
            }
            if entry.at() >= self.since {
                self.note(entry, ty)?;
            }
        }
        Ok(())
    }

    fn note(&mut self, entry: &Entry, ty: EntryType) -> Result<(), RestoreError> {
        let status = match ty {
            EntryType::DecisionMade => None,
            EntryType::DecisionSettled => Some(RequestStatus::Settled),
            EntryType::DecisionExpired => Some(RequestStatus::Expired),
            EntryType::ExecutionSucceeded => Some(RequestStatus::Succeeded),
            EntryType::ExecutionFailed => Some(RequestStatus::Failed),
            EntryType::ExecutionStarted | EntryType::ExecutionUnknown => Some(RequestStatus::Unknown),
            EntryType::ApprovalDenied => Some(RequestStatus::Denied),
            EntryType::ApprovalCancelled => Some(RequestStatus::Cancelled),
            _ => {
                if by_hand(ty) && entry.at() >= self.at {
                    self.again.push(words(entry));
                }
                return Ok(());
            }
        };
        let wrong = || RestoreError::Entry { log: entry.log().clone(), seq: entry.seq() };
        let request = text(entry, "request").ok_or_else(wrong)?;
        request.parse::<RequestId>().map_err(|_| wrong())?;
        let told = self.requests.entry((entry.log().scope.clone(), request.to_owned())).or_default();
        if ty == EntryType::DecisionMade {
            let status = match text(entry, "status").ok_or_else(wrong)? {
                "executing" => RequestStatus::Unknown,
                status => status.parse().map_err(|_| wrong())?,
            };
            (told.made, told.status) = (Some(entry.clone()), Some(status));
        } else {
            told.status = status;
            told.object = text(entry, "object").map(str::to_owned).or_else(|| told.object.take());
        }
        Ok(())
    }
}

/// Whether it is an act of an operator that is not brought back by itself.
const fn by_hand(ty: EntryType) -> bool {
    matches!(
        ty,
        EntryType::ConnectionConnected
            | EntryType::ConnectionWebhookSecretAdded
            | EntryType::PersonAdded
            | EntryType::PersonRemoved
            | EntryType::PersonAliasChanged
            | EntryType::KeyCreated
            | EntryType::PlanAdopted
            | EntryType::PlanPushed
            | EntryType::PlanRolledBack
            | EntryType::PlanModeChanged
            | EntryType::AccountReviewChanged
            | EntryType::GroupChanged
            | EntryType::LinksRevoked
            | EntryType::SwitchChanged
    )
}

/// An entry in words: where it stands, and its own short fields.
fn words(entry: &Entry) -> String {
    const SHOWN: [&str; 13] = [
        "plan",
        "policy_mode",
        "to",
        "version",
        "person",
        "group",
        "action",
        "key",
        "key_actor",
        "account",
        "switch",
        "stopped",
        "under_review",
    ];
    let field = |name: &&str| {
        let value = entry.fields().get(*name)?;
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Some(format!(" {name}={value}"))
    };
    let fields: String = SHOWN.iter().filter_map(field).collect();
    format!("{} {} {}: {}{fields}", entry.at(), entry.log(), entry.seq(), entry.ty())
}

fn text<'a>(entry: &'a Entry, name: &str) -> Option<&'a str> {
    entry.fields().get(name).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What these say of a scope is carried over by itself, or says nothing that a row holds.
    const BY_ITSELF: [&str; 6] = [
        "connection.webhooks_registered",
        "connection.revoked",
        "connection.disconnected",
        "connection.reauth_required",
        "connection.permissions_changed",
        "key.revoked",
    ];

    #[test]
    fn every_act_on_connections_and_keys_is_carried_over_or_told() {
        for ty in
            EntryType::ALL.into_iter().filter(|ty| ["connection.", "key."].iter().any(|of| ty.as_str().starts_with(of)))
        {
            assert_ne!(by_hand(ty), BY_ITSELF.contains(&ty.as_str()), "{}", ty.as_str());
        }
    }
}
