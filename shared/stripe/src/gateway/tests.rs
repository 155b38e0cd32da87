use http::{HeaderMap, HeaderValue, Method};

use super::*;

pub(super) fn headers(content_type: bool) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", HeaderValue::from_static("Bearer axk_test_canary"));
    if content_type {
        headers.insert("content-type", HeaderValue::from_static("application/x-www-form-urlencoded"));
    }
    headers
}

pub(super) fn post(path: &str, body: &str) -> Result<Call, Refused> {
    parse(&Incoming { method: &Method::POST, path, query: "", headers: &headers(true), body: body.as_bytes() })
}

pub(super) fn moves(path: &str, body: &str) -> Moves {
    match post(path, body).map(|call| call.doing) {
        Ok(Doing::Moves(moves)) => *moves,
        other => panic!("{path} {body}: {other:?}"),
    }
}

#[test]
fn a_refund_is_written_anew() {
    let moves = moves("/v1/refunds", "metadata[order]=a%20b&amount=500&expand[]=balance_transaction&charge=ch_1");
    let money = axiru_domain::Money::new(500, "usd".parse().unwrap()).unwrap();
    let sent = moves.outgoing(money, None);
    assert_eq!(sent.path, "/v1/refunds");
    assert_eq!(
        String::from_utf8(sent.body).unwrap(),
        "charge=ch_1&amount=500&metadata%5Border%5D=a+b&expand%5B0%5D=balance_transaction"
    );
    assert_eq!(moves.needs(), Needs::Charge("ch_1".parse().unwrap()));
}
