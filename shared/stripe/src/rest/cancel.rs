//! Undoing what can still be undone: a manual payout that is `pending`, a refund in `requires_action` (Stripe API reference, "Cancel a
//! payout", "Cancel a refund").

use axiru_domain::{Kind, Mode, StripeId};
use http::Method;
use serde::Deserialize;

use super::{Rest, parsed};
use crate::error::StripeError;
use crate::event::is_word;

/// A kind of movement that Stripe can undo before the money has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancellable {
    /// A payout.
    Payout,
    /// A refund.
    Refund,
}

impl Cancellable {
    /// What a movement of that kind is here; none where Stripe has no way to undo it.
    #[must_use]
    pub const fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Payout => Some(Self::Payout),
            Kind::Refund => Some(Self::Refund),
            _ => None,
        }
    }

    /// The status in which Stripe undoes it.
    #[must_use]
    pub const fn status(self) -> &'static str {
        match self {
            Self::Payout => "pending",
            Self::Refund => "requires_action",
        }
    }

    fn path(self, id: &StripeId) -> String {
        match self {
            Self::Payout => format!("/v1/payouts/{id}"),
            Self::Refund => format!("/v1/refunds/{id}"),
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    id: Option<String>,
    livemode: Option<bool>,
    status: Option<String>,
}

impl Rest<'_> {
    /// Cancels a movement; gives the status that Stripe shows of it then.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn cancel(
        &self,
        mode: Mode,
        what: Cancellable,
        id: &StripeId,
        idempotency_key: &str,
    ) -> Result<String, StripeError> {
        let address = self.base.at(&format!("{}/cancel", what.path(id)));
        let answer: Answer = self.call(Method::POST, address, Some(idempotency_key), &[], "body").await?;
        answer.status_of(mode, id)
    }

    /// The status of a movement that could be cancelled.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn status_of(&self, mode: Mode, what: Cancellable, id: &StripeId) -> Result<String, StripeError> {
        let address = self.base.at(&what.path(id));
        let answer: Answer = self.call(Method::GET, address, None, &[], "body").await?;
        answer.status_of(mode, id)
    }
}

impl Answer {
    /// The status, if the answer is the object that was asked for. Refunds do not tell their mode.
    fn status_of(self, mode: Mode, id: &StripeId) -> Result<String, StripeError> {
        let theirs: StripeId = parsed(self.id.as_deref(), "id")?;
        if theirs != *id {
            return Err(StripeError::Answer { at: "id", what: "not the object that was asked for" });
        }
        if self.livemode.is_some_and(|livemode| livemode != mode.livemode()) {
            return Err(StripeError::Answer { at: "livemode", what: "of the other mode" });
        }
        let status = self.status.filter(|status| is_word(status));
        status.ok_or(StripeError::Answer { at: "status", what: "missing, or not a word" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ApiBase;
    use crate::secret::Secret;
    use crate::transport::tests::Script;

    async fn cancelled(status: u16, body: &str) -> (Result<String, StripeError>, Vec<String>) {
        let script = Script::answering(status, body.to_owned());
        let (base, key): (ApiBase, _) =
            ("https://api.stripe.com".parse().unwrap(), Secret::new("sk_test_0123456789".to_owned()));
        let key = key.unwrap_or_else(|_| panic!("a secret"));
        let id = "po_1".parse().unwrap();
        let rest = Rest::new(&script, &base, &key);
        let answer = rest.cancel(Mode::Live, Cancellable::Payout, &id, "axc_1").await;
        let asked = script.asked.lock().unwrap();
        let header = |name: &str| asked[0].headers()[name].to_str().unwrap().to_owned();
        (answer, vec![asked[0].method().to_string(), asked[0].uri().path().to_owned(), header("idempotency-key")])
    }

    #[tokio::test]
    async fn only_the_object_that_was_asked_for_says_something() {
        let (answer, asked) = cancelled(200, r#"{"id":"po_1","livemode":true,"status":"canceled"}"#).await;
        assert_eq!(answer.unwrap(), "canceled");
        assert_eq!(asked, ["POST", "/v1/payouts/po_1/cancel", "axc_1"]);
        for (body, at) in [
            (r#"{"id":"po_2","livemode":true,"status":"canceled"}"#, "id"),
            (r#"{"id":"po_1","livemode":false,"status":"canceled"}"#, "livemode"),
            (r#"{"id":"po_1","livemode":true}"#, "status"),
            (r#"{"id":"po_1","livemode":true,"status":"Rosa’s note"}"#, "status"),
            (r#"{"status":"canceled"}"#, "id"),
            ("canceled", "body"),
        ] {
            let (answer, _) = cancelled(200, body).await;
            assert!(matches!(answer, Err(StripeError::Answer { at: told, .. }) if told == at), "{body}: {answer:?}");
        }
        for status in [400, 401, 402, 403, 404, 409, 429, 500] {
            assert!(cancelled(status, "{}").await.0.is_err(), "{status}");
        }
    }

    #[test]
    fn most_kinds_cannot_be_undone() {
        for kind in Kind::ALL {
            let can = matches!(kind, Kind::Payout | Kind::Refund);
            assert_eq!(Cancellable::of(kind).is_some(), can, "{kind}");
        }
    }
}
