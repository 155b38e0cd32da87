//! One inquiry: which objects are read for the facts that are wanted, and what follows from them.

use axiru_domain::{FactValue, Kind, Mode, StripeId};
use axiru_stripe::rest::Rest;
use axiru_stripe::rest::objects::{Charge, Dispute, ListedRefund, Said};
use tokio::time::Instant;

use super::{Learnt, Subject, Unlearnt, within};

const DAY_SECS: i64 = 86_400;

/// An inquiry under way.
pub(super) struct Inquiry<'a> {
    pub(super) rest: Rest<'a>,
    pub(super) mode: Mode,
    pub(super) subject: &'a Subject,
    pub(super) deadline: Instant,
    /// Every wanted name is in it.
    pub(super) learnt: Learnt,
}

impl Inquiry<'_> {
    pub(super) async fn run(mut self) -> Learnt {
        match self.subject.kind {
            Kind::Refund => self.refund().await,
            Kind::DisputeAccept | Kind::DisputeSubmit => self.dispute().await,
            Kind::TransferReversal => self.reversal().await,
            Kind::Payout | Kind::Transfer => {}
        }
        self.learnt
    }

    fn wants(&self, name: &str) -> bool {
        self.learnt.unknown.get(name).is_some_and(|why| *why != Unlearnt::NotAsked)
    }

    fn wants_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.wants(name))
    }

    /// Sets a fact if it is wanted.
    fn know(&mut self, name: &'static str, value: Option<FactValue>) {
        if self.wants(name) {
            self.learnt.set(name, value);
        }
    }

    /// Sets a fact to what Stripe says of it.
    fn say<T>(&mut self, name: &'static str, said: Said<T>, value: impl FnOnce(T) -> FactValue) {
        match said {
            Some(said) => self.know(name, said.map(value)),
            None => self.fail(&[name], &Unlearnt::NotSaid),
        }
    }

    /// Says why facts that are wanted are not known.
    fn fail(&mut self, names: &[&'static str], why: &Unlearnt) {
        for name in names {
            if let Some(reason) = self.learnt.unknown.get_mut(name) {
                reason.clone_from(why);
            }
        }
    }

    async fn refund(&mut self) {
        let charge = match self.charge().await {
            Ok(charge) => charge,
            Err(why) => return self.fail(super::askable(Kind::Refund), &why),
        };
        self.learnt.charge = Some(charge.id.clone());
        self.know("charge", Some(FactValue::Text(charge.id.to_string())));
        self.know("charge_currency", Some(FactValue::Text(charge.currency.as_str().to_owned())));
        let age = self.subject.at.secs().saturating_sub(charge.created.secs()).max(0) / DAY_SECS;
        self.know("charge_age_days", Some(FactValue::Long(age)));
        self.say("customer", charge.customer.clone(), |id| FactValue::Text(id.into()));
        self.say("payment_intent", charge.payment_intent.clone(), |id| FactValue::Text(id.into()));
        let (refunded, disputed) = tokio::join!(self.refunded_before(&charge), self.disputed_before(&charge));
        match refunded {
            Ok(refunded) => {
                self.know("charge_refunded_minor", Some(FactValue::Long(refunded)));
                let refundable = charge.amount_captured_minor.saturating_sub(refunded).max(0);
                self.know("charge_refundable_minor", Some(FactValue::Long(refundable)));
            }
            Err(why) => self.fail(&["charge_refunded_minor", "charge_refundable_minor"], &why),
        }
        match disputed {
            Ok(disputed) => self.know("charge_disputed", Some(FactValue::Bool(disputed))),
            Err(why) => self.fail(&["charge_disputed"], &why),
        }
    }

    /// The charge that the money belongs to.
    async fn charge(&self) -> Result<Charge, Unlearnt> {
        match (&self.subject.charge, &self.subject.payment_intent) {
            (Some(id), intent) => {
                let charge = within(self.deadline, self.rest.charge(self.mode, id)).await.map_err(named("charge"))?;
                // Whoever names both means one payment.
                match intent {
                    Some(intent) if charge.payment_intent != Some(Some(intent.clone())) => {
                        Err(Unlearnt::NoSuch("payment_intent"))
                    }
                    _ => Ok(charge),
                }
            }
            (None, Some(intent)) => {
                let asked = self.rest.charge_of(self.mode, intent);
                within(self.deadline, asked).await.map_err(named("payment_intent"))
            }
            (None, None) => Err(Unlearnt::NoObject),
        }
    }

    /// What was refunded of the charge before the movement.
    async fn refunded_before(&self, charge: &Charge) -> Result<i64, Unlearnt> {
        let Some(made) = &self.subject.made else {
            return Ok(charge.amount_refunded_minor);
        };
        if !self.wants_any(&["charge_refunded_minor", "charge_refundable_minor"]) {
            return Err(Unlearnt::NotAsked);
        }
        let refunds = within(self.deadline, self.rest.refunds_of(&charge.id)).await.map_err(named("charge"))?;
        older_than(&refunds, made).ok_or(Unlearnt::NotSaid)
    }

    /// Whether the charge had an open dispute before the movement.
    async fn disputed_before(&self, charge: &Charge) -> Result<bool, Unlearnt> {
        if !charge.disputed || !self.wants("charge_disputed") {
            return Ok(false);
        }
        let asked = self.rest.disputes_of(self.mode, &charge.id);
        let disputes: Vec<Dispute> = within(self.deadline, asked).await.map_err(named("charge"))?;
        Ok(disputes.iter().any(|dispute| dispute.is_open() && dispute.created <= self.subject.at))
    }

    async fn dispute(&mut self) {
        let mut charge = self.subject.charge.clone();
        if self.wants_any(&["case_type", "charge", "evidence_past_due", "reason", "submission_count"])
            || (self.wants("customer") && charge.is_none())
        {
            let dispute = match &self.subject.dispute {
                Some(id) => within(self.deadline, self.rest.dispute(self.mode, id)).await.map_err(named("dispute")),
                None => Err(Unlearnt::NoObject),
            };
            let dispute = match dispute {
                Ok(dispute) => dispute,
                Err(why) => return self.fail(super::askable(Kind::DisputeAccept), &why),
            };
            charge = charge.or_else(|| dispute.charge.clone().flatten());
            self.say("charge", dispute.charge, |id| FactValue::Text(id.into()));
            self.say("reason", dispute.reason, FactValue::Text);
            self.say("case_type", dispute.case_type, FactValue::Text);
            self.say("evidence_past_due", dispute.evidence_past_due, FactValue::Bool);
            // The submission that is asked for counts.
            let asked_for = i64::from(self.subject.kind == Kind::DisputeSubmit && self.subject.made.is_none());
            self.say("submission_count", dispute.submission_count, |count| {
                FactValue::Long(i64::from(count).saturating_add(asked_for))
            });
        }
        self.learnt.charge.clone_from(&charge);
        if self.wants("customer") {
            match self.customer(charge.as_ref()).await {
                Ok(said) => self.say("customer", said, |id| FactValue::Text(id.into())),
                Err(why) => self.fail(&["customer"], &why),
            }
        }
    }

    async fn customer(&self, charge: Option<&StripeId>) -> Result<Said<StripeId>, Unlearnt> {
        let charge = charge.ok_or(Unlearnt::NoObject)?;
        let charge = within(self.deadline, self.rest.charge(self.mode, charge)).await.map_err(named("charge"))?;
        Ok(charge.customer)
    }

    async fn reversal(&mut self) {
        let transfer = match &self.subject.transfer {
            Some(id) => within(self.deadline, self.rest.transfer(self.mode, id)).await.map_err(named("transfer")),
            None => Err(Unlearnt::NoObject),
        };
        match transfer {
            Ok(transfer) => self.know("transfer_amount_minor", Some(FactValue::Long(transfer.amount_minor))),
            Err(why) => self.fail(&["transfer_amount_minor"], &why),
        }
    }
}

/// Names the field of the request whose object does not exist.
fn named(field: &'static str) -> impl FnOnce(Unlearnt) -> Unlearnt {
    move |why| if let Unlearnt::NoSuch(_) = why { Unlearnt::NoSuch(field) } else { why }
}

/// The sum of the refunds that were made before `made`, of a list that is newest first; none where it is not in the list.
fn older_than(refunds: &[ListedRefund], made: &StripeId) -> Option<i64> {
    let place = refunds.iter().position(|refund| refund.id == *made)?;
    let older = refunds.iter().skip(place + 1).filter(|refund| refund.counts);
    older.map(|refund| refund.amount_minor).try_fold(0_i64, i64::checked_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_older_refunds_that_count_were_there_before() {
        let refund = |id: &str, amount_minor, counts| ListedRefund { id: id.parse().unwrap(), amount_minor, counts };
        let refunds =
            [refund("re_4", 8, true), refund("re_3", 4, true), refund("re_2", 2, false), refund("re_1", 1, true)];
        for (made, before) in
            [("re_4", Some(5)), ("re_3", Some(1)), ("re_2", Some(1)), ("re_1", Some(0)), ("re_0", None)]
        {
            assert_eq!(older_than(&refunds, &made.parse().unwrap()), before, "{made}");
        }
    }
}
