//! The rules about money: what remains, what is too much, what is too late, and which events tell of it.

use serde_json::json;

use crate::bench::{Bench, MERCHANT, id, text};

#[test]
fn refunds_never_exceed_the_charge() {
    let bench = Bench::new();
    let charge = bench.charge(1_000);
    bench.post("/v1/refunds", &format!("charge={charge}&amount=400"));
    let (status, error) = bench.refused("/v1/refunds", &format!("charge={charge}&amount=601"));
    assert_eq!((status, error["param"].as_str()), (400, Some("amount")));
    let rest = bench.post("/v1/refunds", &format!("charge={charge}"));
    assert_eq!(rest["amount"], 600);
    let (status, error) = bench.refused("/v1/refunds", &format!("charge={charge}"));
    assert_eq!(
        (status, error["code"].as_str(), error["charge"].as_str()),
        (400, Some("charge_already_refunded"), Some(&*charge))
    );
    assert_eq!(bench.event_types()[1..], ["refund.created", "charge.refunded", "refund.created", "charge.refunded"]);
}

#[test]
fn charge_refunded_says_what_changed() {
    let bench = Bench::new();
    let charge = bench.charge(1_000);
    bench.post("/v1/refunds", &format!("charge={charge}&amount=400"));
    let events = bench.get("/v1/events?type=charge.refunded");
    let data = &events["data"][0]["data"];
    assert_eq!(data["previous_attributes"], json!({"amount_refunded": 0}));
    assert_eq!(data["object"]["amount_refunded"], 400);
    assert!(data["object"].get("refunds").is_none());
}

#[test]
fn failed_refund_returns_the_money_once() {
    let bench = Bench::new();
    let charge = bench.charge(1_000);
    let before = bench.get("/v1/balance")["available"][0]["amount"].clone();
    let refund = id(&bench.post("/v1/refunds", &format!("charge={charge}")));
    let failed =
        bench.dashboard(&format!("refunds/{refund}/status"), json!({"status": "failed", "failure_reason": "declined"}));
    assert_eq!((text(&failed, "status"), text(&failed, "failure_reason")), ("failed".into(), "declined".into()));
    assert_eq!(bench.get("/v1/balance")["available"][0]["amount"], before);
    let again =
        bench.sandbox.control("POST", &format!("test/{MERCHANT}/refunds/{refund}/status"), json!({"status": "failed"}));
    assert!(again.is_err());
    assert_eq!(bench.event_types()[3..], ["refund.updated", "charge.refund.updated", "refund.failed"]);
    assert_eq!(bench.get(&format!("/v1/charges/{charge}"))["amount_refunded"], 0);
}

#[test]
fn refund_without_cover_is_pending() {
    let bench = Bench::new();
    let charge = bench.charge(1_000);
    bench.post("/v1/payouts", "amount=100000900&currency=usd");
    let refund = bench.post("/v1/refunds", &format!("charge={charge}"));
    assert_eq!(
        (text(&refund, "status"), text(&refund, "pending_reason")),
        ("pending".into(), "insufficient_funds".into())
    );
}

#[test]
fn only_captured_and_undisputed_charges_are_refundable() {
    let bench = Bench::new();
    let uncaptured = id(&bench.dashboard("charges", json!({"amount": 100, "captured": false})));
    assert_eq!(bench.refused("/v1/refunds", &format!("charge={uncaptured}")).1["code"], "charge_not_refundable");
    let disputed = bench.charge(100);
    bench.dashboard("disputes", json!({"charge": disputed}));
    assert_eq!(bench.refused("/v1/refunds", &format!("charge={disputed}")).1["code"], "charge_disputed");
    let inquired = bench.charge(100);
    bench.dashboard("disputes", json!({"charge": inquired, "inquiry": true}));
    bench.post("/v1/refunds", &format!("charge={inquired}"));
}

#[test]
fn payouts_need_cover_and_cancel_only_while_pending() {
    let bench = Bench::new();
    assert_eq!(bench.refused("/v1/payouts", "amount=100000001&currency=usd").1["code"], "balance_insufficient");
    let payout = id(&bench.post("/v1/payouts", "amount=500&currency=usd&method=instant"));
    bench.dashboard(&format!("payouts/{payout}/status"), json!({"status": "in_transit"}));
    assert_eq!(bench.refused(&format!("/v1/payouts/{payout}/cancel"), "").0, 400);
    bench.dashboard(&format!("payouts/{payout}/status"), json!({"status": "paid"}));
    let failed = bench
        .dashboard(&format!("payouts/{payout}/status"), json!({"status": "failed", "failure_code": "account_closed"}));
    assert_eq!(text(&failed, "failure_code"), "account_closed");
    assert_eq!(bench.get("/v1/balance")["available"][0]["amount"], 100_000_000);
    let automatic = bench.dashboard("payouts", json!({"amount": 5, "automatic": true}));
    let (_, error) = bench.refused(&format!("/v1/payouts/{}/cancel", id(&automatic)), "");
    assert!(text(&error, "message").contains("Automatic"));
    let events = bench.get("/v1/events?type=payout.created&limit=1");
    assert_eq!(events["data"][0]["request"], json!({"id": null, "idempotency_key": null}));
    assert_eq!(
        bench.event_types(),
        ["payout.created", "payout.updated", "payout.paid", "payout.failed", "payout.created"]
    );
}

#[test]
fn reversals_never_exceed_the_transfer_or_the_destination() {
    let bench = Bench::new();
    let poor = bench.control("accounts", json!({"balance": {"usd": 0}}));
    let seller = id(&poor["account"]);
    let transfer = id(&bench.post("/v1/transfers", &format!("amount=900&currency=usd&destination={seller}")));
    let path = format!("/v1/transfers/{transfer}/reversals");
    assert_eq!(bench.refused(&path, "amount=901").0, 400);
    bench.post(&path, "amount=300");
    let events = bench.get("/v1/events?type=transfer.reversed");
    let object = &events["data"][0]["data"]["object"];
    assert_eq!((&object["reversed"], &object["amount_reversed"]), (&json!(false), &json!(300)));
    assert_eq!(object["reversals"]["data"].as_array().unwrap().len(), 1);
    // The seller pays out what is left: now it cannot give anything back.
    bench.control(&format!("test/{seller}/payouts"), json!({"amount": 600}));
    assert_eq!(bench.refused(&path, "").1["code"], "balance_insufficient");
    assert_eq!(
        bench.refused("/v1/transfers", "amount=1&currency=usd&destination=acct_Nobody").1["code"],
        "resource_missing"
    );
    assert_eq!(bench.refused("/v1/transfers", &format!("amount=1&currency=usd&destination={MERCHANT}")).0, 400);
}

#[test]
fn a_transfer_carries_ten_reversals_and_says_when_there_are_more() {
    let bench = Bench::new();
    let seller = id(&bench.control("accounts", json!({}))["account"]);
    let transfer = id(&bench.post("/v1/transfers", &format!("amount=900&currency=usd&destination={seller}")));
    for _ in 0..11 {
        bench.post(&format!("/v1/transfers/{transfer}/reversals"), "amount=1");
    }
    let list = &bench.get(&format!("/v1/transfers/{transfer}"))["reversals"];
    assert_eq!(
        (list["data"].as_array().unwrap().len(), &list["has_more"], &list["total_count"]),
        (10, &json!(true), &json!(11))
    );
}

#[test]
fn evidence_is_submitted_once_and_metadata_submits_nothing() {
    let bench = Bench::new();
    let charge = bench.charge(700);
    let path = format!("/v1/disputes/{}", id(&bench.dashboard("disputes", json!({"charge": charge}))));
    let count = |dispute: &serde_json::Value| dispute["evidence_details"]["submission_count"].as_i64();
    assert_eq!(count(&bench.post(&path, "metadata[a]=b")), Some(0));
    assert_eq!(count(&bench.post(&path, "evidence[customer_name]=Pat&submit=false")), Some(0));
    assert_eq!(bench.refused(&path, "evidence[shoe_size]=44").1["code"], "parameter_unknown");
    let sent = bench.post(&path, "submit=true");
    assert_eq!((count(&sent), text(&sent, "status")), (Some(1), "under_review".into()));
    assert_eq!(bench.refused(&path, "evidence[customer_name]=Kim").0, 400);
    assert_eq!(bench.refused(&format!("{path}/close"), "").0, 400);
    bench.post(&path, "metadata[a]=c");
    assert!(bench.event_types().iter().filter(|name| *name == "charge.dispute.updated").count() == 4);
}

#[test]
fn a_won_dispute_brings_the_money_back() {
    let bench = Bench::new();
    let charge = bench.charge(700);
    let before = bench.get("/v1/balance")["available"][0]["amount"].as_i64().unwrap();
    let dispute = id(&bench.dashboard("disputes", json!({"charge": charge})));
    assert_eq!(bench.get("/v1/balance")["available"][0]["amount"], before - 700 - 1_500);
    bench.dashboard(&format!("disputes/{dispute}/close"), json!({"status": "won"}));
    assert_eq!(bench.get("/v1/balance")["available"][0]["amount"], before - 1_500);
    let expected = [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.closed",
        "charge.dispute.funds_reinstated",
    ];
    assert_eq!(bench.event_types()[1..], expected);
    let late =
        bench.sandbox.control("POST", &format!("test/{MERCHANT}/disputes/{dispute}/close"), json!({"status": "lost"}));
    assert!(late.is_err());
}

#[test]
fn late_evidence_is_refused() {
    let bench = Bench::new();
    let charge = bench.charge(700);
    let dispute = id(&bench.dashboard("disputes", json!({"charge": charge, "due_in_secs": 60})));
    bench.control("clock", json!({"advance_secs": 61}));
    assert_eq!(bench.refused(&format!("/v1/disputes/{dispute}"), "evidence[customer_name]=Pat").0, 400);
}

#[test]
fn test_and_live_are_two_worlds() {
    let bench = Bench::new();
    let charge = bench.charge(700);
    let (status, _, body) = bench.raw(&bench.live_key, "GET", &format!("/v1/charges/{charge}"), "", &[]);
    assert_eq!((status, body["error"]["code"].as_str()), (404, Some("resource_missing")));
    assert!(text(&body["error"], "message").contains("a similar object exists in test mode, but a live mode key"));
    let (_, _, refunds) = bench.raw(&bench.live_key, "POST", "/v1/refunds", &format!("charge={charge}"), &[]);
    assert!(text(&refunds["error"], "message").contains("similar object exists"));
}

#[test]
fn pages_cut_lists_without_gaps() {
    let bench = Bench::new();
    let made: Vec<String> = (0..7).map(|_| bench.charge(100)).collect();
    let ids = |list: &serde_json::Value| list["data"].as_array().unwrap().iter().map(id).collect::<Vec<_>>();
    let first = bench.get("/v1/charges?limit=3");
    assert_eq!(
        (ids(&first), &first["has_more"]),
        (vec![made[6].clone(), made[5].clone(), made[4].clone()], &json!(true))
    );
    let last = bench.get(&format!("/v1/charges?limit=10&starting_after={}", made[4]));
    assert_eq!((ids(&last).len(), &last["has_more"]), (4, &json!(false)));
    let back = bench.get(&format!("/v1/charges?limit=2&ending_before={}", made[3]));
    assert_eq!((ids(&back), &back["has_more"]), (vec![made[5].clone(), made[4].clone()], &json!(true)));
    assert!(ids(&bench.get("/v1/charges?created[gt]=1780000000")).is_empty());
    for bad in [
        "limit=0",
        "limit=101",
        "limit=x",
        "starting_after=ch_none",
        "ending_before=a&starting_after=b",
        "nonsense=1",
        "created[eq]=1",
    ] {
        let (status, _, _) = bench.raw(&bench.test_key, "GET", &format!("/v1/charges?{bad}"), "", &[]);
        assert_eq!(status, 400, "{bad}");
    }
}
