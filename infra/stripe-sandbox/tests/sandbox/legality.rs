//! What Stripe refuses, and with which words: one state after the other.

use serde_json::{Value, json};

use crate::bench::{Bench, MERCHANT, NOW, id, text};

const DAY: i64 = 86_400;

fn balance(bench: &Bench) -> i64 {
    bench.get("/v1/balance")["available"][0]["amount"].as_i64().unwrap()
}

fn paid(bench: &Bench, body: Value) -> String {
    let payout = id(&bench.dashboard("payouts", body));
    bench.dashboard(&format!("payouts/{payout}/status"), json!({"status": "paid"}));
    payout
}

#[test]
fn a_paid_payout_is_reversed_once_by_a_new_negative_one() {
    let bench = Bench::new();
    let before = balance(&bench);
    let payout = paid(&bench, json!({"amount": 700}));
    assert_eq!(balance(&bench), before - 700);
    let path = format!("/v1/payouts/{payout}/reverse");
    let key = [("idempotency-key", "k")];
    let (status, _, reversal) = bench.raw(&bench.test_key, "POST", &path, "metadata[why]=wrong+bank", &key);
    assert_eq!((status, &reversal["amount"], &reversal["original_payout"]), (200, &json!(-700), &json!(payout)));
    assert_eq!((text(&reversal, "status"), &reversal["automatic"]), ("pending".into(), &json!(false)));
    assert_eq!(reversal["metadata"]["why"], "wrong bank");
    assert_eq!(balance(&bench), before);
    let original = bench.get(&format!("/v1/payouts/{payout}"));
    assert_eq!((text(&original, "status"), text(&original, "reversed_by")), ("paid".into(), id(&reversal)));
    assert_eq!(bench.event_types()[2..], ["payout.updated", "payout.created"]);
    let created = bench.get("/v1/events?type=payout.created&limit=1");
    assert_eq!(created["data"][0]["request"]["idempotency_key"], "k");
    let (_, error) = bench.refused(&path, "");
    assert!(text(&error, "message").contains(&id(&reversal)));
    let (_, error) = bench.refused(&format!("/v1/payouts/{}/reverse", id(&reversal)), "");
    assert!(text(&error, "message").contains("debit"));
    assert_eq!(id(&bench.raw(&bench.test_key, "POST", &path, "metadata[why]=wrong+bank", &key).2), id(&reversal));
    assert_eq!(balance(&bench), before);
}

#[test]
fn a_reversal_that_fails_takes_the_money_back() {
    let bench = Bench::new();
    let payout = paid(&bench, json!({"amount": 700, "automatic": true}));
    let before = balance(&bench);
    let reversal = id(&bench.post(&format!("/v1/payouts/{payout}/reverse"), ""));
    bench.dashboard(&format!("payouts/{reversal}/status"), json!({"status": "failed"}));
    assert_eq!(balance(&bench), before);
}

#[test]
fn payouts_that_cannot_be_reversed() {
    let bench = Bench::new();
    let moved = |body: Value, statuses: &[&str]| {
        let payout = id(&bench.dashboard("payouts", body));
        for status in statuses {
            bench.dashboard(&format!("payouts/{payout}/status"), json!({ "status": status }));
        }
        format!("/v1/payouts/{payout}/reverse")
    };
    for (path, why) in [
        (moved(json!({"amount": 5}), &[]), "pending"),
        (moved(json!({"amount": 5}), &["canceled"]), "canceled"),
        (moved(json!({"amount": 5}), &["paid", "failed"]), "failed"),
        (moved(json!({"amount": 5, "method": "instant"}), &["paid"]), "instant"),
    ] {
        let (status, error) = bench.refused(&path, "");
        assert_eq!((status, error["type"].as_str()), (400, Some("invalid_request_error")), "{why}");
        assert!(text(&error, "message").contains(why), "{error}");
    }
    let path = moved(json!({"amount": 5}), &["in_transit"]);
    assert_eq!(bench.refused(&path, "amount=5").1["code"], "parameter_unknown");
    assert_eq!(bench.refused("/v1/payouts/po_none/reverse", "").0, 404);
    bench.control("clock", json!({"set": NOW + 92 * DAY}));
    assert!(text(&bench.refused(&path, "").1, "message").contains("90 days"));
    bench.control("clock", json!({"set": NOW + 92 * DAY - 1}));
    bench.post(&path, "");
    let german = bench.control("accounts", json!({"country": "DE", "default_currency": "eur"}));
    let (account, key) = (id(&german["account"]), text(&german["keys"]["test"], "secret"));
    let payout = id(&bench.control(&format!("test/{account}/payouts"), json!({"amount": 5, "automatic": true})));
    let (status, _, body) = bench.raw(&key, "POST", &format!("/v1/payouts/{payout}/reverse"), "", &[]);
    assert_eq!(status, 400);
    assert!(text(&body["error"], "message").contains("US or Canada"));
}

#[test]
fn payouts_are_cancelled_once_by_hand_and_only_while_pending() {
    let bench = Bench::new();
    let before = balance(&bench);
    let payout = id(&bench.post("/v1/payouts", "amount=500&currency=usd"));
    let path = format!("/v1/payouts/{payout}/cancel");
    assert_eq!(text(&bench.post(&path, ""), "status"), "canceled");
    assert_eq!(balance(&bench), before);
    assert!(text(&bench.refused(&path, "").1, "message").contains("canceled"), "already canceled is an error");
    assert_eq!(balance(&bench), before);
    for statuses in [&["in_transit"][..], &["paid"], &["paid", "failed"]] {
        let payout = id(&bench.post("/v1/payouts", "amount=500&currency=usd"));
        for status in statuses {
            bench.dashboard(&format!("payouts/{payout}/status"), json!({ "status": status }));
        }
        let (status, error) = bench.refused(&format!("/v1/payouts/{payout}/cancel"), "");
        assert_eq!((status, error["type"].as_str()), (400, Some("invalid_request_error")), "{statuses:?}");
    }
    let automatic = id(&bench.dashboard("payouts", json!({"amount": 5, "automatic": true})));
    assert_eq!(bench.refused(&format!("/v1/payouts/{automatic}/cancel"), "").0, 400);
    assert_eq!(bench.refused("/v1/payouts/po_none/cancel", "").0, 404);
    assert_eq!(bench.refused(&path, "amount=1").1["code"], "parameter_unknown");
}

#[test]
fn refunds_are_cancelled_only_while_the_customer_has_to_act() {
    let bench = Bench::new();
    let charge = bench.charge(1_000);
    let made = |status: &str| id(&bench.dashboard("refunds", json!({"charge": charge, "amount": 1, "status": status})));
    for status in ["succeeded", "pending"] {
        let (refused, error) = bench.refused(&format!("/v1/refunds/{}/cancel", made(status)), "");
        assert_eq!(refused, 400);
        assert!(text(&error, "message").contains(status), "{error}");
    }
    let waiting = format!("/v1/refunds/{}/cancel", made("requires_action"));
    let canceled = bench.post(&waiting, "");
    assert_eq!(
        (text(&canceled, "status"), text(&canceled, "failure_reason")),
        ("canceled".into(), "merchant_request".into())
    );
    assert_eq!(bench.refused(&waiting, "").0, 400, "not twice");
    assert_eq!(bench.get(&format!("/v1/charges/{charge}"))["amount_refunded"], 2);
    assert_eq!(bench.refused("/v1/refunds/re_none/cancel", "").0, 404);
}

#[test]
fn what_belongs_to_other_refunds_is_refused_by_name() {
    let bench = Bench::new();
    let charge = bench.charge(1_000);
    for (form, param) in [
        ("currency=usd", "currency"),
        ("customer=cus_1", "customer"),
        ("origin=customer_balance", "origin"),
        ("reverse_transfer=true", "reverse_transfer"),
        ("refund_application_fee=true", "refund_application_fee"),
        ("amount=1001", "amount"),
        ("amount=0", "amount"),
    ] {
        let (status, error) = bench.refused("/v1/refunds", &format!("charge={charge}&{form}"));
        assert_eq!((status, error["param"].as_str()), (400, Some(param)), "{form}");
    }
    bench.post("/v1/refunds", &format!("charge={charge}&reverse_transfer=false&refund_application_fee=false&amount=1"));
    let (_, error) = bench.refused(&format!("/v1/charges/{charge}/refunds"), "currency=usd");
    assert_eq!(error["code"], "parameter_unknown");
    assert_eq!(
        bench.refused(&format!("/v1/charges/{charge}/refund"), "charge=ch_other").1["code"],
        "parameter_unknown"
    );
}

#[test]
fn transfers_and_reversals_that_are_refused() {
    let bench = Bench::new();
    let seller = id(&bench.control("accounts", json!({"balance": {"usd": 0}}))["account"]);
    let euros = id(&bench.dashboard("charges", json!({"amount": 10, "currency": "eur"})));
    for (form, code) in [
        (format!("amount=100000001&currency=usd&destination={seller}"), "balance_insufficient"),
        (
            format!("amount=5&currency=usd&destination={seller}&source_transaction={euros}"),
            "transfer_source_balance_parameters_mismatch",
        ),
        (format!("amount=5&destination={seller}"), "parameter_missing"),
        ("amount=5&currency=usd".into(), "parameter_missing"),
        (format!("currency=usd&destination={seller}"), "parameter_missing"),
    ] {
        let (status, error) = bench.refused("/v1/transfers", &form);
        assert_eq!((status, error["code"].as_str()), (400, Some(code)), "{form}");
    }
    let transfer = id(&bench.post("/v1/transfers", &format!("amount=9&currency=usd&destination={seller}")));
    let path = format!("/v1/transfers/{transfer}/reversals");
    assert_eq!(bench.refused(&path, "refund_application_fee=true").1["param"], "refund_application_fee");
    assert_eq!(bench.refused(&path, "amount=10").1["param"], "amount");
    bench.post(&path, "");
    let (status, error) = bench.refused(&path, "");
    assert_eq!((status, error["param"].as_str()), (400, Some("amount")), "nothing is left");
    assert_eq!(bench.refused("/v1/transfers/tr_none/reversals", "").0, 404);
}

#[test]
fn disputes_are_answered_or_closed_once() {
    let bench = Bench::new();
    let open = || {
        let charge = bench.charge(700);
        format!("/v1/disputes/{}", id(&bench.dashboard("disputes", json!({ "charge": charge }))))
    };
    let closed = open();
    assert_eq!(text(&bench.post(&format!("{closed}/close"), ""), "status"), "lost");
    assert_eq!(bench.refused(&format!("{closed}/close"), "").0, 400);
    assert_eq!(bench.refused(&closed, "evidence[customer_name]=Pat").0, 400);
    assert_eq!(bench.refused(&closed, "submit=true").0, 400);
    assert_eq!(bench.refused(&format!("{closed}/close"), "reason=x").1["code"], "parameter_unknown");
    let answered = open();
    assert_eq!(text(&bench.post(&answered, "evidence[customer_name]=Pat"), "status"), "under_review");
    assert_eq!(bench.refused(&format!("{answered}/close"), "").0, 400);
    let drafted = open();
    let draft = bench.post(&drafted, "evidence[customer_name]=Pat&submit=false");
    assert_eq!(
        (text(&draft, "status"), &draft["evidence_details"]["submission_count"]),
        ("needs_response".into(), &json!(0))
    );
    bench.post(&format!("{drafted}/close"), "");
    assert_eq!(bench.refused("/v1/disputes/du_none/close", "").0, 404);
    let lost = format!("test/{MERCHANT}/{}/accept", closed.trim_start_matches("/v1/"));
    assert!(bench.sandbox.control("POST", &lost, json!({})).is_err());
}

#[test]
fn a_refund_takes_its_share_back_from_where_the_charge_went() {
    let bench = Bench::new();
    let seller = id(&bench.control("accounts", json!({"balance": {"usd": 0}}))["account"]);
    let charge = bench.dashboard("charges", json!({"amount": 1_000, "transfer_to": seller}));
    assert_eq!(charge["transfer_data"]["destination"], json!(seller));
    let form = format!("charge={}&amount=400", id(&charge));
    let plain = bench.post("/v1/refunds", &form);
    assert!(plain["transfer_reversal"].is_null());
    let refund = bench.post("/v1/refunds", &format!("{form}&reverse_transfer=true"));
    let transfer = bench.get("/v1/transfers")["data"][0].clone();
    let reversal = &transfer["reversals"]["data"][0];
    assert_eq!((&transfer["amount_reversed"], &transfer["source_transaction"]), (&json!(400), &charge["id"]));
    assert_eq!((&reversal["source_refund"], &reversal["id"]), (&refund["id"], &refund["transfer_reversal"]));
    assert_eq!(bench.event_types()[4..], ["transfer.reversed", "refund.created", "charge.refunded"]);
}

#[test]
fn a_refund_whose_transfer_cannot_be_reversed_is_not_made() {
    let bench = Bench::new();
    let seller = id(&bench.control("accounts", json!({"balance": {"usd": 0}}))["account"]);
    let charge = id(&bench.dashboard("charges", json!({"amount": 1_000, "transfer_to": seller})));
    bench.control(&format!("test/{seller}/payouts"), json!({"amount": 900}));
    let (status, error) = bench.refused("/v1/refunds", &format!("charge={charge}&reverse_transfer=true"));
    assert_eq!((status, error["code"].as_str()), (400, Some("balance_insufficient")));
    let transferred = bench.charge(500);
    bench
        .post("/v1/transfers", &format!("amount=5&currency=usd&destination={seller}&source_transaction={transferred}"));
    let (_, error) = bench.refused("/v1/refunds", &format!("charge={transferred}&reverse_transfer=true"));
    assert_eq!(error["param"], "reverse_transfer", "a transfer made afterwards is not the charge's own");
    assert!(bench.get("/v1/refunds")["data"].as_array().unwrap().is_empty());
    let events = bench.event_types();
    assert!(!events.iter().any(|name| name.contains("refund") || name == "transfer.reversed"), "{events:?}");
    for destination in ["acct_Nobody", MERCHANT] {
        let path = format!("test/{MERCHANT}/charges");
        assert!(bench.sandbox.control("POST", &path, json!({"amount": 5, "transfer_to": destination})).is_err());
    }
}
