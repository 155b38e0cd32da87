//! Calls that are not decided, under enforcement: those that bring money back or note something, and side doors.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use axiru_in_process::{Call, Fault, InProcess, Retries, Service};
use axiru_policy::Plan;
use serde_json::{Value, json};

use super::answered::Answered;
use super::ground::{ACCOUNT, Ground};
use crate::played::MODE;

/// What happened at Stripe by itself before: the ids of what can be pressed.
struct Stage {
    ground: Ground,
    refund: String,
    pending: String,
    paid: String,
    transfer: String,
    dispute: String,
}

impl Stage {
    async fn new(mode: &str) -> Self {
        let ground = Ground::new(InProcess::new().unwrap(), Retries::Off, mode).await;
        let made = |path: &str, body: Value| {
            ground.control(&format!("{MODE}/{ACCOUNT}/{path}"), body)["id"].as_str().unwrap().to_owned()
        };
        let refund = made("refunds", json!({"charge": ground.charge, "amount": 900, "status": "requires_action"}));
        let pending = made("payouts", json!({"amount": 500, "currency": "usd"}));
        let paid = made("payouts", json!({"amount": 600, "currency": "usd"}));
        made(&format!("payouts/{paid}/status"), json!({"status": "paid"}));
        let transfer = made("transfers", json!({"destination": "acct_payee", "amount": 500, "currency": "usd"}));
        let dispute = made("disputes", json!({"charge": ground.charged(900)}));
        Self { ground, refund, pending, paid, transfer, dispute }
    }

    /// Path, form, what it is called in the ledger, and a member of the answer that shows that it was done.
    fn calls(&self) -> Vec<(String, &'static str, &'static str, &'static str, Value)> {
        let Self { refund, pending, paid, transfer, dispute, .. } = self;
        vec![
            (format!("/v1/refunds/{refund}"), "metadata[a]=b", "refund_update", "/metadata/a", json!("b")),
            (format!("/v1/refunds/{refund}/cancel"), "", "refund_cancel", "/status", json!("canceled")),
            (format!("/v1/payouts/{pending}"), "metadata[a]=b", "payout_update", "/metadata/a", json!("b")),
            (format!("/v1/payouts/{pending}/cancel"), "", "payout_cancel", "/status", json!("canceled")),
            (format!("/v1/payouts/{paid}/reverse"), "metadata[a]=c", "payout_reverse", "/metadata/a", json!("c")),
            (format!("/v1/transfers/{transfer}"), "description=x", "transfer_update", "/description", json!("x")),
            (
                format!("/v1/disputes/{dispute}"),
                "evidence[product_description]=socks&submit=false",
                "dispute_stage",
                "/evidence/product_description",
                json!("socks"),
            ),
            (format!("/v1/disputes/{dispute}"), "metadata[a]=b", "dispute_metadata", "/metadata/a", json!("b")),
        ]
    }

    fn sent(&self) -> Vec<Call> {
        let all = self.ground.account.calls().of(Service::Stripe).0;
        all.into_iter().filter(|call| call.operation.starts_with("POST")).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn what_brings_money_back_is_recorded_then_sent_anew() {
    let stage = Stage::new("enforce").await;
    let ground = &stage.ground;
    for (i, (path, form, route, member, value)) in stage.calls().into_iter().enumerate() {
        ground.account.clear_calls();
        let answer = ground.post(&format!("k{i}"), &path, form).await;
        assert_eq!((answer.status, answer.body.pointer(member)), (200, Some(&value)), "{path}: {}", answer.text);
        let entries = ground.entries().await;
        let entry = entries.last().unwrap();
        let fields = entry.fields();
        assert_eq!((entry.ty(), fields["route"].as_str()), ("call.passed", Some(route)));
        assert_eq!(fields["object"], json!(path.split('/').nth(3)), "{path}");
        assert_eq!(fields["why"], "moves_nothing_out");
        assert_eq!(entries.len(), 2 * i + 1);
        // The entry stands before anything is sent.
        let calls = ground.account.calls().0;
        let at = |wanted: &str| calls.iter().position(|call| call.operation.starts_with(wanted)).unwrap();
        assert!(at("TransactWriteItems") < at("POST /v1"), "{path}");
        // Written anew, with the caller's own key: sent twice it is done once.
        let sent = stage.sent();
        let body = String::from_utf8(sent[0].body.to_vec()).unwrap();
        assert_eq!(sent.len(), 1);
        assert_eq!(body.contains("submit=false"), route.starts_with("dispute"), "{body}");
        let again = ground.post(&format!("k{i}"), &path, form).await;
        assert_eq!((again.status, again.headers.contains_key("idempotent-replayed")), (200, true), "{}", again.text);
        assert_eq!(again.text, answer.text);
        // Asked again it is another call, and as such recorded.
        assert_eq!(ground.entries().await.len(), 2 * (i + 1));
        assert!(!answer.text.contains("axiru_request"));
    }
}

#[tokio::test(start_paused = true)]
async fn without_its_entry_nothing_is_sent() {
    let stage = Stage::new("enforce").await;
    let ground = &stage.ground;
    for (i, (path, form, ..)) in stage.calls().into_iter().enumerate() {
        for (operation, fault) in [
            ("TransactWriteItems", Fault::Fail),
            ("TransactWriteItems", Fault::Reset),
            ("TransactWriteItems", Fault::Throttle),
            ("BatchGetItem", Fault::Fail),
        ] {
            ground.account.clear_calls();
            ground.account.faults().always(operation, fault);
            let answer = ground.post(&format!("k{i}"), &path, form).await;
            ground.account.faults().clear();
            let told = (answer.status, answer.word(), answer.again());
            assert_eq!(told, (503, "axiru_unavailable".to_owned(), Some(true)), "{path} {operation}: {}", answer.text);
            assert!(stage.sent().is_empty(), "{path} {operation} {fault}");
        }
    }
    assert!(ground.types().await.is_empty());
    // An entry that was written, and whose answer was lost, is no reason to send it twice or not at all.
    let (path, form, ..) = stage.calls().swap_remove(3);
    ground.account.clear_calls();
    ground.account.faults().next("TransactWriteItems", Fault::ApplyThenReset);
    let answer = ground.post("lost", &path, form).await;
    assert_eq!((answer.status, stage.sent().len()), (200, 1), "{}", answer.text);
    assert_eq!(ground.types().await, ["call.passed"]);
}

/// A plan of that name over some kinds, in a policy mode.
async fn plans(ground: &Ground, plans: &[(&str, &[&str], &str)]) {
    let mut heads = Vec::new();
    for (name, kinds, mode) in plans {
        let head = json!({"v": 1, "name": name, "description": "For tests.", "kinds": kinds, "limits": []});
        let kind = kinds[0];
        let text = format!(r#"@id("none") forbid(principal, action == Axiru::Action::"{kind}", resource);"#);
        let plan = Plan::parse(&head.to_string(), &text).unwrap_or_else(|error| panic!("{error}"));
        heads.push(json!({"plan": plan.name(), "policy_mode": mode, "sha256": plan.sha256()}));
        let s = |text: String| AttributeValue::S(text);
        ground
            .put(&[
                ("pk", s(format!("{MODE}#{ACCOUNT}#plan"))),
                ("sk", s(plan.sha256().to_owned())),
                ("document", AttributeValue::B(Blob::new(plan.document()))),
            ])
            .await;
    }
    ground
        .put(&[
            ("pk", AttributeValue::S(format!("{MODE}#{ACCOUNT}#plans"))),
            ("sk", AttributeValue::S("heads".to_owned())),
            ("heads", AttributeValue::S(Value::from(heads).to_string())),
            ("version", AttributeValue::N("2".to_owned())),
        ])
        .await;
}

fn word(answer: &Answered) -> (u16, String) {
    (answer.status, answer.word())
}

#[tokio::test(start_paused = true)]
async fn a_family_that_is_enforced_says_nothing_of_another() {
    let stage = Stage::new("shadow").await;
    let ground = &stage.ground;
    let blocked = (403, "axiru_blocked".to_owned());
    let door = (403, "axiru_side_door".to_owned());
    for (enforced, refunds, payouts) in
        [("refund", "enforce", "shadow"), ("payout", "shadow", "enforce"), ("none", "shadow", "shadow")]
    {
        plans(ground, &[("payouts", &["payout"], payouts), ("refunds", &["refund"], refunds)]).await;
        let key = |name: &str| format!("{enforced}-{name}");
        let refund = ground.post(&key("re"), "/v1/refunds", &format!("charge={}&amount=100", ground.charge)).await;
        let payout = ground.post(&key("po"), "/v1/payouts", "amount=100&currency=usd").await;
        let transfer = ground.post(&key("tr"), "/v1/transfers", "amount=100&currency=usd&destination=acct_payee").await;
        if enforced == "refund" {
            assert_eq!(word(&refund), blocked, "{}", refund.text);
        } else {
            assert_eq!((refund.status, refund.body["object"].as_str()), (200, Some("refund")), "{}", refund.text);
        }
        if enforced == "payout" {
            assert_eq!(word(&payout), blocked, "{}", payout.text);
        } else {
            assert_eq!((payout.status, payout.body["object"].as_str()), (200, Some("payout")), "{}", payout.text);
        }
        assert_eq!(transfer.status, 200, "{}", transfer.text);
        // Neither is understood: Stripe says so itself where nothing is enforced.
        let refund = ground.post(&key("x"), "/v1/refunds", &format!("charge={}&nothing=1", ground.charge)).await;
        let payout = ground.post(&key("y"), "/v1/payouts", "amount=100&currency=usd&nothing=1").await;
        let own = (400, "axiru_unknown_parameter".to_owned());
        assert_eq!(word(&refund) == own, enforced == "refund", "{}", refund.text);
        assert_eq!(word(&payout) == own, enforced == "payout", "{}", payout.text);
        assert_eq!((refund.status, payout.status), (400, 400));
        // The sandbox knows no side doors: it says 404 where it is asked.
        for (path, of) in [
            ("/v1/credit_notes", "refund"),
            ("/v1/terminal/readers/tmr_1/refund_payment", "refund"),
            ("/v1/account/external_accounts", "payout"),
            ("/v1/treasury/outbound_payments", "payout"),
        ] {
            ground.account.clear_calls();
            let answer = ground.post(&key(path), path, "a=b").await;
            if enforced == of {
                assert_eq!((word(&answer), stage.sent().len()), (door.clone(), 0), "{path}: {}", answer.text);
            } else {
                assert_eq!((answer.status, stage.sent().len()), (404, 1), "{path}: {}", answer.text);
                assert!(answer.text.contains("Unrecognized request URL"), "{}", answer.text);
                let entries = ground.entries().await;
                let last = entries.last().unwrap();
                assert_eq!((last.ty(), last.fields()["why"].as_str()), ("call.passed", Some("side_door")), "{path}");
            }
        }
    }
}
