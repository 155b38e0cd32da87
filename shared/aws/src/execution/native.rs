//! A movement asked for in Axiru's own words, as the call of Stripe's that makes it: read by the same parser as every other call.

use std::collections::BTreeMap;

use axiru_domain::{Intent, Kind, ObjectRole, StripeId};
use axiru_stripe::gateway::{Doing, Incoming, Moves, Refused, parse};
use http::{HeaderMap, HeaderValue, Method, header};
use url::form_urlencoded::Serializer;

/// The call that makes what an intent says.
///
/// # Errors
/// [`Refused`] where the intent does not say enough, or what no call says.
pub fn moves_of(
    intent: &Intent,
    reason: Option<&str>,
    method: Option<&str>,
    metadata: &BTreeMap<String, String>,
) -> Result<Moves, Refused> {
    let id = |role| intent.object(role).map_or("-", StripeId::as_str);
    let path = match intent.kind() {
        Kind::Refund => "/v1/refunds".to_owned(),
        Kind::Payout => "/v1/payouts".to_owned(),
        Kind::Transfer => "/v1/transfers".to_owned(),
        Kind::TransferReversal => format!("/v1/transfers/{}/reversals", id(ObjectRole::Transfer)),
        Kind::DisputeAccept => format!("/v1/disputes/{}/close", id(ObjectRole::Dispute)),
        Kind::DisputeSubmit => format!("/v1/disputes/{}", id(ObjectRole::Dispute)),
    };
    let mut form = Serializer::new(String::new());
    let money = intent.money();
    match intent.kind() {
        Kind::Refund | Kind::TransferReversal => {
            form.append_pair("amount", &money.amount_minor().to_string());
        }
        Kind::Payout | Kind::Transfer => {
            form.append_pair("amount", &money.amount_minor().to_string());
            form.append_pair("currency", money.currency().as_str());
        }
        Kind::DisputeSubmit => {
            form.append_pair("submit", "true");
        }
        Kind::DisputeAccept => {}
    }
    for (role, id) in intent.objects() {
        if !matches!(role, ObjectRole::Transfer | ObjectRole::Dispute) {
            form.append_pair(role.as_str(), id.as_str());
        }
    }
    for (name, value) in [("reason", reason), ("method", method)] {
        if let Some(value) = value {
            form.append_pair(name, value);
        }
    }
    for (name, value) in metadata {
        form.append_pair(&format!("metadata[{name}]"), value);
    }
    let body = form.finish();
    let mut headers = HeaderMap::new();
    if !body.is_empty() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    }
    let incoming = Incoming { method: &Method::POST, path: &path, query: "", headers: &headers, body: body.as_bytes() };
    match parse(&incoming)?.doing {
        Doing::Moves(moves) => Ok(*moves),
        Doing::Passes(_) | Doing::Reads(_) | Doing::SideDoor(_) => Err(Refused {
            code: "axiru_value",
            param: None,
            message: "this is no call that moves money".to_owned(),
            status: 400,
            family: None,
        }),
    }
}

#[cfg(test)]
mod tests {
    use axiru_domain::Money;

    use super::*;

    fn made(kind: Kind, objects: &[(ObjectRole, &str)]) -> Result<Moves, Refused> {
        let money = Money::new(700, "usd".parse().unwrap()).unwrap();
        let objects = objects.iter().map(|(role, id)| (*role, id.parse().unwrap())).collect();
        let intent = Intent::new(kind, money, objects).unwrap();
        let moves = moves_of(&intent, None, None, &BTreeMap::from([("order".to_owned(), "7".to_owned())]));
        moves.inspect(|moves| {
            assert_eq!((moves.kind(), moves.objects()), (kind, intent.objects()));
        })
    }

    #[test]
    fn every_kind_is_a_call_of_the_table() {
        use ObjectRole::{Charge, Destination, Dispute, PaymentIntent, SourceTransaction, Transfer};
        for (kind, objects) in [
            (Kind::Refund, vec![(Charge, "ch_1")]),
            (Kind::Refund, vec![(PaymentIntent, "pi_1")]),
            (Kind::Payout, vec![]),
            (Kind::Payout, vec![(Destination, "ba_1")]),
            (Kind::Transfer, vec![(Destination, "acct_1"), (SourceTransaction, "ch_1")]),
            (Kind::TransferReversal, vec![(Transfer, "tr_1")]),
            (Kind::DisputeSubmit, vec![(Dispute, "du_1")]),
        ] {
            assert!(made(kind, &objects).is_ok(), "{kind} {objects:?}");
        }
        // Closing a dispute takes no metadata: it is refused by name, not dropped.
        assert!(made(Kind::DisputeAccept, &[(Dispute, "du_1")]).is_err());
        for (kind, objects) in [
            (Kind::Refund, vec![]),
            (Kind::Transfer, vec![]),
            (Kind::TransferReversal, vec![]),
            (Kind::DisputeSubmit, vec![]),
        ] {
            assert!(made(kind, &objects).is_err(), "{kind} {objects:?}");
        }
    }
}
