//! Finding in Stripe what a call did, where its answer was lost.
//!
//! What is found bears both marks of the request and has its amount and currency. Metadata alone proves nothing, anyone can write it; the
//! receipt is not known before the call is sent. "Not there" is only said where everything was read, and nothing there claims to be it: what
//! names the request with another receipt is no outcome of it, but after a restore it may be what an entry that is gone had made. Who calls
//! again because it is said to be not there would make it twice.

use axiru_domain::{Kind, Money, ObjectRole, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::{Effect, Moves, Stamp};
use crate::error::StripeError;
use crate::rest::Rest;

/// Most pages that are read, 100 objects each: at most 1,000 refunds of one charge, or payouts since the call. Each page costs one
/// call of 100 a second.
const MAX_PAGES: usize = 10;

/// How far Stripe's clock may be behind ours, in seconds.
const CLOCKS_DIFFER_SECS: i64 = 600;

#[derive(Deserialize)]
struct Page {
    data: Vec<Value>,
    has_more: bool,
}

const fn wrong(at: &'static str, what: &'static str) -> StripeError {
    StripeError::Answer { at, what }
}

/// What the call did, if it did anything. `since` is when it was first sent, at the latest.
///
/// # Errors
/// [`StripeError`], also where there is more than is read, two objects bear the marks, or one bears the request's with another receipt: never
/// "not there" where that is not certain.
pub async fn find(
    rest: &Rest<'_>,
    moves: &Moves,
    money: Money,
    stamp: &Stamp,
    since: Timestamp,
) -> Result<Option<Effect>, StripeError> {
    if let Some(dispute) = moves.object(ObjectRole::Dispute) {
        let answer: Value = rest.get(&format!("/v1/disputes/{dispute}"), &[], "dispute").await?;
        if answer.get("id").and_then(Value::as_str) != Some(dispute.as_str()) {
            return Err(wrong("id", "not the object that was asked for"));
        }
        let done = match moves.kind() {
            Kind::DisputeAccept => {
                let status = answer.get("status").and_then(Value::as_str);
                status.ok_or(wrong("status", "missing"))? == "lost"
            }
            _ => match mark(&answer, stamp)? {
                Mark::Ours => true,
                Mark::Claims => return Err(CLAIMED),
                Mark::None => false,
            },
        };
        return if done {
            Ok(Some(Effect::read(moves, &answer)?).filter(|effect| fits(effect, money)))
        } else {
            Ok(None)
        };
    }
    let (path, mut query) = listing(moves, since)?;
    query.push(("limit", "100".to_owned()));
    let mut found: Option<Effect> = None;
    let mut claimed = false;
    let mut after: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let mut asked: Vec<(&str, &str)> = query.iter().map(|(name, text)| (*name, text.as_str())).collect();
        asked.extend(after.as_deref().map(|after| ("starting_after", after)));
        let page: Page = rest.get(&path, &asked, "list").await?;
        for object in &page.data {
            let mark = mark(object, stamp)?;
            if mark == Mark::None || !has(object, money) {
                continue;
            }
            if mark == Mark::Claims {
                claimed = true;
                continue;
            }
            let effect = Effect::read(moves, object)?;
            if found.replace(effect).is_some() {
                return Err(wrong("data.metadata", "two objects bear the marks of one request"));
            }
        }
        if !page.has_more {
            return if found.is_none() && claimed { Err(CLAIMED) } else { Ok(found) };
        }
        let last = page.data.last().and_then(|last| last.get("id")).and_then(Value::as_str);
        let last = last.ok_or(wrong("data.id", "missing"))?.to_owned();
        if after.replace(last.clone()) == Some(last) {
            return Err(wrong("has_more", "the same page again"));
        }
    }
    Err(wrong("has_more", "more objects than are read"))
}

/// A path and its query.
type Listing = (String, Vec<(&'static str, String)>);

/// The list in which the effect stands, and what it is asked for.
fn listing(moves: &Moves, since: Timestamp) -> Result<Listing, StripeError> {
    let of = |role| moves.object(role).map(ToString::to_string);
    let since = ("created[gte]", since.secs().saturating_sub(CLOCKS_DIFFER_SECS).max(0).to_string());
    let destination = of(ObjectRole::Destination).map(|id| ("destination", id));
    match moves.kind() {
        Kind::Refund => {
            let charge = of(ObjectRole::Charge).map(|id| ("charge", id));
            let parent = charge.or_else(|| of(ObjectRole::PaymentIntent).map(|id| ("payment_intent", id)));
            Ok((
                "/v1/refunds".to_owned(),
                vec![parent.ok_or(wrong("charge", "the call does not say what is refunded"))?],
            ))
        }
        Kind::Payout => Ok(("/v1/payouts".to_owned(), destination.into_iter().chain([since]).collect())),
        Kind::Transfer => Ok(("/v1/transfers".to_owned(), destination.into_iter().chain([since]).collect())),
        Kind::TransferReversal => {
            let transfer =
                of(ObjectRole::Transfer).ok_or(wrong("transfer", "the call does not say what is reversed"))?;
            Ok((format!("/v1/transfers/{transfer}/reversals"), Vec::new()))
        }
        Kind::DisputeAccept | Kind::DisputeSubmit => Err(wrong("dispute", "the call does not say which")),
    }
}

/// What an object says of whose outcome it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// The request and its receipt.
    Ours,
    /// The request, and another receipt.
    Claims,
    /// Neither.
    None,
}

/// Something names the request with another receipt: neither its outcome, nor a reason to say that there is none.
pub const CLAIMED: StripeError =
    wrong("metadata", "an object names the request with another receipt: look in Stripe whose it is");

fn mark(object: &Value, stamp: &Stamp) -> Result<Mark, StripeError> {
    let metadata = object.get("metadata").and_then(Value::as_object).ok_or(wrong("metadata", "missing"))?;
    let says = |name: &str| metadata.get(name).and_then(Value::as_str).unwrap_or_default();
    Ok(match (says("axiru_request") == stamp.request.as_str(), says("axiru_receipt")) {
        (true, receipt) if receipt == stamp.receipt => Mark::Ours,
        (true, receipt) if !receipt.is_empty() => Mark::Claims,
        _ => Mark::None,
    })
}

fn has(object: &Value, money: Money) -> bool {
    object.get("amount").and_then(Value::as_i64) == Some(money.amount_minor())
        && object.get("currency").and_then(Value::as_str) == Some(money.currency().as_str())
}

fn fits(effect: &Effect, money: Money) -> bool {
    effect.amount_minor == money.amount_minor() && effect.currency == money.currency()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{moves, stamp};
    use super::*;
    use crate::secret::Secret;
    use crate::transport::tests::Script;

    async fn look(path: &str, body: &str, pages: &[Value]) -> (Result<Option<Effect>, StripeError>, Vec<String>) {
        let script = Script::default();
        for page in pages {
            script.then(200, page.to_string());
        }
        let (base, key) = ("http://127.0.0.1:1".parse().unwrap(), Secret::new("sk_test_1".to_owned()).unwrap());
        let money = Money::new(500, "usd".parse().unwrap()).unwrap();
        let since = Timestamp::from_secs(1_793_404_800).unwrap();
        let rest = Rest::new(&script, &base, &key);
        let found = find(&rest, &moves(path, body), money, &stamp(), since).await;
        let asked =
            script.asked.lock().unwrap().iter().map(|r| r.uri().path_and_query().unwrap().to_string()).collect();
        (found, asked)
    }

    fn marks() -> Value {
        json!({"axiru_request": stamp().request.as_str(), "axiru_receipt": stamp().receipt, "order": "1"})
    }

    fn refund(id: &str, metadata: &Value) -> Value {
        json!({"id": id, "object": "refund", "amount": 500, "currency": "usd", "charge": "ch_1", "created": 1, "status": "succeeded", "metadata": metadata})
    }

    fn page(data: &[Value], has_more: bool) -> Value {
        json!({"object": "list", "data": data, "has_more": has_more})
    }

    #[tokio::test]
    async fn a_refund_is_found_on_a_later_page() {
        let pages = [page(&[refund("re_3", &json!({}))], true), page(&[refund("re_2", &marks())], false)];
        let (found, asked) = look("/v1/refunds", "charge=ch_1", &pages).await;
        assert_eq!(found.unwrap().unwrap().object.as_str(), "re_2");
        assert_eq!(
            asked,
            ["/v1/refunds?charge=ch_1&limit=100", "/v1/refunds?charge=ch_1&limit=100&starting_after=re_3"]
        );
        let (found, _) = look("/v1/charges/ch_1/refund", "", &pages).await;
        assert_eq!(found.unwrap().unwrap().object.as_str(), "re_2");
    }

    #[tokio::test]
    async fn what_only_looks_like_it_is_not_taken() {
        let mut other = marks();
        other["axiru_receipt"] = json!("other");
        let mut no_request = marks();
        no_request.as_object_mut().unwrap().remove("axiru_request");
        let mut more = refund("re_4", &marks());
        more["amount"] = json!(501);
        let mut euros = refund("re_5", &marks());
        euros["currency"] = json!("eur");
        let mut cheaper = refund("re_2", &other);
        cheaper["amount"] = json!(499);
        let data = [refund("re_1", &json!({})), cheaper, refund("re_3", &no_request), more, euros];
        assert_eq!(look("/v1/refunds", "charge=ch_1", &[page(&data, false)]).await.0, Ok(None));
    }

    #[tokio::test]
    async fn while_something_claims_to_be_it_nobody_says_that_it_is_not_there() {
        let mut other = marks();
        other["axiru_receipt"] = json!("other");
        let claims = page(&[refund("re_2", &other)], true);
        let rest = page(&[refund("re_1", &json!({}))], false);
        assert_eq!(look("/v1/refunds", "charge=ch_1", &[claims.clone(), rest]).await.0, Err(CLAIMED));
        // What bears both marks is it all the same.
        let (found, _) = look("/v1/refunds", "charge=ch_1", &[claims, page(&[refund("re_1", &marks())], false)]).await;
        assert_eq!(found.unwrap().unwrap().object.as_str(), "re_1");
    }

    #[tokio::test]
    async fn never_a_false_not_there() {
        let full: Vec<Value> = (0..MAX_PAGES).map(|i| page(&[refund(&format!("re_{i}"), &json!({}))], true)).collect();
        assert!(look("/v1/refunds", "charge=ch_1", &full).await.0.is_err());
        for bad in [
            page(&[], true),
            page(&[refund("re_1", &json!(null))], false),
            page(&[refund("re_1", &marks()), refund("re_2", &marks())], false),
            json!({"data": []}),
            json!({"has_more": false}),
            json!([]),
        ] {
            assert!(look("/v1/refunds", "charge=ch_1", std::slice::from_ref(&bad)).await.0.is_err(), "{bad}");
        }
        let again = page(&[refund("re_1", &json!({}))], true);
        assert!(look("/v1/refunds", "charge=ch_1", &[again.clone(), again]).await.0.is_err());
        let mut foreign = refund("re_1", &marks());
        foreign["charge"] = json!("ch_2");
        assert!(look("/v1/refunds", "charge=ch_1", &[page(&[foreign], false)]).await.0.is_err());
    }

    #[tokio::test]
    async fn where_the_other_kinds_are_looked_for() {
        let none = [page(&[], false)];
        for (path, body, asked) in [
            ("/v1/refunds", "payment_intent=pi_1", "/v1/refunds?payment_intent=pi_1&limit=100"),
            ("/v1/payouts", "amount=500&currency=usd", "/v1/payouts?created%5Bgte%5D=1793404200&limit=100"),
            (
                "/v1/transfers",
                "amount=500&currency=usd&destination=acct_2",
                "/v1/transfers?destination=acct_2&created%5Bgte%5D=1793404200&limit=100",
            ),
            ("/v1/transfers/tr_1/reversals", "", "/v1/transfers/tr_1/reversals?limit=100"),
        ] {
            assert_eq!(look(path, body, &none).await, (Ok(None), vec![asked.to_owned()]));
        }
    }

    #[tokio::test]
    async fn disputes_are_read_themselves() {
        let dispute = |status: &str, metadata: Value, count: u32| {
            json!({"id": "dp_1", "object": "dispute", "amount": 500, "currency": "usd", "status": status, "metadata": metadata,
                "evidence_details": {"submission_count": count}})
        };
        let submit = ("/v1/disputes/dp_1", "evidence[receipt]=file_1");
        let (found, asked) = look(submit.0, submit.1, &[dispute("under_review", marks(), 1)]).await;
        assert_eq!((found.unwrap().unwrap().ordinal, asked[0].as_str()), (1, "/v1/disputes/dp_1"));
        assert_eq!(look(submit.0, submit.1, &[dispute("under_review", json!({}), 1)]).await.0, Ok(None));
        assert!(look(submit.0, submit.1, &[dispute("under_review", marks(), 0)]).await.0.is_err());
        let close = "/v1/disputes/dp_1/close";
        assert!(look(close, "", &[dispute("lost", json!({}), 0)]).await.0.unwrap().is_some());
        assert_eq!(look(close, "", &[dispute("under_review", marks(), 0)]).await.0, Ok(None));
        assert!(look(close, "", &[json!({"id": "dp_2", "status": "lost"})]).await.0.is_err());
        assert!(look(close, "", &[json!({"id": "dp_1"})]).await.0.is_err());
    }
}
