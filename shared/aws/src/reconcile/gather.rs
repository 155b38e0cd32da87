//! Gathering what Stripe has: the lists of the period, then what those lists and the ledger name besides.
//!
//! An hour before and after the period is listed too: a movement that only Axiru's own outcome tells of has no moment of Stripe's, and must
//! be found on the other side of midnight. What is of those hours alone is compared with the period that it is of.

use axiru_domain::{Kind, StripeId, Timestamp};
use axiru_stripe::rest::lists::{BalanceLine, ListedDispute, ListedObject, ListedTransfer};

use super::at_stripe::{Aside, AtStripe, BALANCE, Refused, SeenIn, Shown};
use super::in_ledger::{InLedger, SLACK_SECS};
use super::lists::{ListError, Lists, Wanted};
use super::subject::{Class, Subject};

/// The types of the balance's lines that stem from what is compared (Stripe docs, "Balance transaction types"). Listed one by one, because
/// a list of all would be one of charges.
const LINES: [&str; 12] = [
    "adjustment",
    "payment_failure_refund",
    "payment_refund",
    "payout",
    "payout_cancel",
    "payout_failure",
    "refund",
    "refund_failure",
    "transfer",
    "transfer_cancel",
    "transfer_failure",
    "transfer_refund",
];

/// The type of the line with which a movement leaves the balance, or a reversal comes back to it.
pub(super) fn is_main(ty: &str) -> bool {
    matches!(ty, "payment_refund" | "payout" | "refund" | "transfer" | "transfer_refund")
}

/// Most single objects that are asked for.
const MAX_LOOKS: usize = 500;

/// What is listed: made at `from` or later, and before `until`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

impl Span {
    /// Whether a moment is in it.
    pub(super) fn has(self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }

    fn filters(self, slack_secs: i64) -> [(&'static str, String); 2] {
        let (from, until) = (self.from.plus_secs(-slack_secs), self.until.plus_secs(slack_secs));
        [("created[gte]", from.secs().to_string()), ("created[lt]", until.secs().to_string())]
    }
}

/// Gathers.
pub(super) struct Gatherer<'a> {
    pub(super) lists: Lists<'a>,
    pub(super) span: Span,
    pub(super) stripe: AtStripe,
    pub(super) looks: usize,
}

impl Gatherer<'_> {
    /// Reads the lists of the period.
    pub(super) async fn lists(&mut self) -> Result<(), ListError> {
        let around = self.span.filters(SLACK_SECS);
        for (path, what, kind, permission) in [
            ("/v1/refunds", "refunds", Kind::Refund, "charge_read"),
            ("/v1/payouts", "payouts", Kind::Payout, "payout_read"),
        ] {
            let listed = self.lists.all::<ListedObject>(Wanted { path, filters: &around, permission }).await;
            for object in self.granted(what, listed)? {
                let shown = Shown::of(&object, SeenIn::List);
                self.stripe.shown.insert(Subject::of(kind, object.id), shown);
            }
        }
        self.transfers(&around).await?;
        self.disputes(&around).await?;
        self.balance().await
    }

    async fn transfers(&mut self, around: &[(&str, String)]) -> Result<(), ListError> {
        let wanted = Wanted { path: "/v1/transfers", filters: around, permission: "transfer_read" };
        let listed = self.lists.all::<ListedTransfer>(wanted).await;
        for transfer in self.granted("transfers", listed)? {
            let reversals = if transfer.more_reversals {
                let path = format!("/v1/transfers/{}/reversals", transfer.object.id);
                let wanted = Wanted { path: &path, filters: &[], permission: "transfer_read" };
                self.lists.all::<ListedObject>(wanted).await?
            } else {
                transfer.reversals
            };
            let shown = Shown::of(&transfer.object, SeenIn::List);
            self.stripe.shown.insert(Subject::of(Kind::Transfer, transfer.object.id), shown);
            for reversal in reversals {
                let shown = Shown::of(&reversal, SeenIn::List);
                self.stripe.shown.insert(Subject::of(Kind::TransferReversal, reversal.id), shown);
            }
        }
        Ok(())
    }

    async fn disputes(&mut self, around: &[(&str, String)]) -> Result<(), ListError> {
        let wanted = Wanted { path: "/v1/disputes", filters: around, permission: "dispute_read" };
        let listed = self.lists.all::<ListedDispute>(wanted).await;
        for dispute in self.granted("disputes", listed)? {
            self.dispute(&dispute, SeenIn::List);
        }
        Ok(())
    }

    /// A dispute and the submissions that it counts.
    fn dispute(&mut self, dispute: &ListedDispute, seen_in: SeenIn) {
        // Stripe's status of a dispute is not that of its opening, nor of an answer to it.
        let shown = Shown { status: None, ..Shown::of(&dispute.object, seen_in) };
        for ordinal in 1..=dispute.submission_count.unwrap_or_default() {
            let (class, object) = (Class::Movement(Kind::DisputeSubmit), dispute.object.id.clone());
            self.stripe.shown.insert(Subject { class, object, ordinal }, shown.clone());
        }
        self.stripe.shown.insert(Subject::dispute(dispute.object.id.clone()), shown);
    }

    async fn balance(&mut self) -> Result<(), ListError> {
        for ty in LINES {
            let mut filters = self.span.filters(0).to_vec();
            filters.push(("type", ty.to_owned()));
            let path = "/v1/balance_transactions";
            let wanted = Wanted { path, filters: &filters, permission: "balance_transaction_source_read" };
            let listed = self.lists.all::<BalanceLine>(wanted).await;
            let lines = self.granted(BALANCE, listed)?;
            self.stripe.lines.extend(lines);
            if !self.stripe.compares_balance() {
                break;
            }
        }
        // The balance is the only list that has the reversals of earlier transfers.
        for line in &self.stripe.lines {
            let Some(source) = line.source.as_ref().filter(|_| line.ty.as_deref() == Some("transfer_refund")) else {
                continue;
            };
            self.stripe.shown.entry(Subject::of(Kind::TransferReversal, source.clone())).or_insert_with(|| Shown {
                amount_minor: line.amount_minor.saturating_abs(),
                currency: line.currency,
                created: line.created,
                status: None,
                seen_in: SeenIn::Balance,
            });
        }
        Ok(())
    }

    /// What a list has; nothing where Stripe refuses it, which is noted.
    fn granted<T>(&mut self, what: &'static str, listed: Result<Vec<T>, ListError>) -> Result<Vec<T>, ListError> {
        match listed {
            Err(ListError::Permission(permission)) => {
                self.refuse(Refused { what, why: "permission_missing", permission: Some(permission) });
                Ok(Vec::new())
            }
            listed => listed,
        }
    }

    fn refuse(&mut self, refused: Refused) {
        if !self.stripe.refused.contains(&refused) {
            self.stripe.refused.push(refused);
        }
    }

    /// Asks for what the ledger tells and no list showed: reversals of earlier transfers, and answers to earlier disputes.
    pub(super) async fn look(&mut self, ledger: &InLedger) -> Result<(), ListError> {
        for (subject, recorded) in &ledger.recorded {
            let is_of = self.span.has(recorded.moved_at) && self.stripe.compares(subject.class);
            // What may not be listed may not be asked for either.
            if !is_of || self.stripe.shown.contains_key(subject) {
                continue;
            }
            match subject.class {
                Class::Movement(Kind::TransferReversal) => {
                    if let Some(transfer) = &recorded.transfer {
                        self.look_at_reversal(transfer, subject).await?;
                    }
                }
                Class::Movement(Kind::DisputeSubmit | Kind::DisputeAccept) => self.look_at_dispute(subject).await?,
                _ => {}
            }
        }
        Ok(())
    }

    async fn look_at_reversal(&mut self, transfer: &StripeId, subject: &Subject) -> Result<(), ListError> {
        if !self.may_look("transfers") {
            return Ok(());
        }
        let path = format!("/v1/transfers/{transfer}/reversals/{}", subject.object);
        if let Some(reversal) = self.lists.one::<ListedObject>(&path, "transfer_read").await? {
            self.stripe.shown.insert(subject.clone(), Shown::of(&reversal, SeenIn::Look));
        }
        Ok(())
    }

    async fn look_at_dispute(&mut self, subject: &Subject) -> Result<(), ListError> {
        if !self.may_look("disputes") {
            return Ok(());
        }
        let path = format!("/v1/disputes/{}", subject.object);
        let Some(dispute) = self.lists.one::<ListedDispute>(&path, "dispute_read").await? else { return Ok(()) };
        let lost = dispute.object.status.as_deref() == Some("lost");
        if subject.class == Class::Movement(Kind::DisputeAccept) {
            // One that was given up is lost. Stripe does not tell it from one that the bank has ruled on.
            if lost {
                let shown = Shown { status: None, ..Shown::of(&dispute.object, SeenIn::Look) };
                self.stripe.shown.insert(subject.clone(), shown);
            }
        } else {
            self.dispute(&dispute, SeenIn::Look);
        }
        Ok(())
    }

    /// Asks for what lines of the balance stem from and no list showed: objects of an earlier period, or of none.
    pub(super) async fn look_behind_lines(&mut self) -> Result<(), ListError> {
        for i in 0..self.stripe.lines.len() {
            let Some(line) = self.stripe.lines.get(i) else { break };
            let Some(subject) = line.source.as_ref().and_then(Subject::by_id) else { continue };
            if self.stripe.shown.contains_key(&subject) {
                continue;
            }
            let id = line.id.clone();
            let (path, permission) = match subject.class {
                Class::Movement(Kind::Refund) => ("refunds", "charge_read"),
                Class::Movement(Kind::Payout) => ("payouts", "payout_read"),
                Class::Movement(Kind::Transfer) => ("transfers", "transfer_read"),
                Class::Dispute => ("disputes", "dispute_read"),
                Class::Movement(_) => continue,
            };
            // Its own list was refused, which is told: it is no news that this object was not shown.
            if !self.stripe.compares(subject.class) {
                self.stripe.aside.insert(id, Aside::NotListed);
                continue;
            }
            if !self.may_look(BALANCE) {
                return Ok(());
            }
            let path = format!("/v1/{path}/{}", subject.object);
            let Some(object) = self.lists.one::<ListedObject>(&path, permission).await? else { continue };
            if object.created < self.span.from {
                self.stripe.aside.insert(id, Aside::Earlier);
            } else {
                let status = object.status.clone().filter(|_| subject.class != Class::Dispute);
                let shown = Shown { status, ..Shown::of(&object, SeenIn::Balance) };
                self.stripe.shown.insert(subject, shown);
            }
        }
        Ok(())
    }

    /// Whether one more object may be asked for. A period that needs more than [`MAX_LOOKS`] is not compared in that.
    fn may_look(&mut self, what: &'static str) -> bool {
        self.looks += 1;
        let may = self.looks <= MAX_LOOKS;
        if !may {
            self.refuse(Refused { what, why: "too_many", permission: None });
        }
        may
    }
}
