//! What a caller is told, and what has happened then.

use axiru_domain::RequestId;
use axiru_in_process::Fault;
use axiru_stripe::report::News;
use serde_json::json;

use super::ground::{ACCOUNT, Ground, pass, scope};
use crate::played::MODE;

#[tokio::test(start_paused = true)]
async fn an_allowed_refund_is_made_once_and_answered_as_stripe_did() {
    let ground = Ground::enforcing().await;
    let answer = ground.refund("k1", 700).await;
    assert_eq!((answer.status, answer.body["object"].as_str()), (200, Some("refund")), "{}", answer.text);
    assert!(answer.headers.contains_key("request-id"), "{:?}", answer.headers);
    let made = ground.made_refunds();
    assert_eq!((made.len(), &made[0]["id"], &made[0]["amount"]), (1, &answer.body["id"], &serde_json::json!(700)));
    assert_eq!(ground.types().await, ["decision.made", "execution.succeeded"]);
    assert!(ground.actor_counters().await.contains(",700,1]"), "{}", ground.actor_counters().await);
    // The same key again is the same refund.
    let again = ground.refund("k1", 700).await;
    assert_eq!((again.status, &again.body["id"]), (200, &answer.body["id"]), "{}", again.text);
    // The webhook tells nothing new but that it was seen.
    let events = ground.events();
    assert_eq!(ground.observe(events).await.unwrap(), ["movement.observed"]);
    assert_eq!(ground.made_refunds().len(), 1);
    assert!(ground.actor_counters().await.contains(",700,1]"), "{}", ground.actor_counters().await);
}

#[tokio::test(start_paused = true)]
async fn what_is_held_or_blocked_is_not_sent() {
    let ground = Ground::enforcing().await;
    let held = ground.refund("k1", 20_000).await;
    assert_eq!(
        (held.status, held.word().as_str(), held.again()),
        (400, "approval_required", Some(false)),
        "{}",
        held.text
    );
    assert_eq!(held.body["error"]["type"], "invalid_request_error");
    assert_eq!(held.body["error"]["approval_request"]["status"], "pending");
    let again = ground.refund("k1", 20_000).await;
    assert_eq!(again.body["error"]["approval_request"], held.body["error"]["approval_request"]);
    let another_key = ground.refund("k2", 20_000).await;
    assert_eq!(another_key.body["error"]["approval_request"], held.body["error"]["approval_request"]);
    let blocked = ground.refund("k3", 200_000).await;
    assert_eq!((blocked.status, blocked.word().as_str(), blocked.again()), (403, "axiru_blocked", Some(false)));
    assert!(blocked.body["error"]["message"].as_str().unwrap().contains("policy:block-huge"), "{}", blocked.text);
    assert!(ground.at_stripe("/v1/refunds").is_empty());
    let reused = ground.refund("k1", 20_001).await;
    assert_eq!((reused.status, reused.body["error"]["type"].as_str()), (400, Some("idempotency_error")));
    pass(3 * 3_600).await;
    ground.connect().await;
    ground.sweep().await.unwrap();
    assert_eq!(ground.refund("k1", 20_000).await.word(), "approval_expired");
    assert!(ground.actor_counters().await.starts_with("{}"), "{}", ground.actor_counters().await);
}

/// What is left out means the same the second time, though by then nothing is left.
#[tokio::test(start_paused = true)]
async fn a_refund_of_all_that_is_sent_again_is_the_same_refund() {
    let ground = Ground::enforcing().await;
    let charge = ground.charged(900);
    let first = ground.post("k1", "/v1/refunds", &format!("charge={charge}")).await;
    assert_eq!((first.status, first.body["amount"].as_i64()), (200, Some(900)), "{}", first.text);
    let again = ground.post("k1", "/v1/refunds", &format!("charge={charge}")).await;
    assert_eq!((again.status, &again.body["id"]), (200, &first.body["id"]), "{}", again.text);
    let another = ground.post("k2", "/v1/refunds", &format!("charge={charge}")).await;
    assert_eq!((another.status, another.word().as_str()), (400, "charge_already_refunded"), "{}", another.text);
    assert_eq!(ground.made_refunds().len(), 1);
    let part = ground.refund("p1", 100).await;
    // A day later Stripe has forgotten the keys: the objects are shown, and nothing is sent again.
    pass(25 * 3_600).await;
    ground.connect().await;
    let part_later = ground.refund("p1", 100).await;
    assert_eq!((part_later.status, &part_later.body["id"]), (200, &part.body["id"]), "{}", part_later.text);
    let later = ground.post("k1", "/v1/refunds", &format!("charge={charge}")).await;
    assert_eq!((later.status, &later.body["id"]), (200, &first.body["id"]), "{}", later.text);
    assert_eq!(ground.made_refunds().len(), 2);
}

/// Stripe reports the movement in a way that proves nothing, so it counts as nobody's; then its outcome is found: it counts once, as the
/// request's.
#[tokio::test(start_paused = true)]
async fn a_movement_that_counted_as_nobodys_is_adopted_by_its_request() {
    let ground = Ground::enforcing().await;
    ground.account.faults().always("POST /v1/refunds", Fault::ApplyThenTimeOut);
    let unknown = ground.refund("k1", 700).await;
    assert_eq!((unknown.status, unknown.word().as_str(), unknown.again()), (503, "axiru_outcome_unknown", Some(true)));
    ground.account.faults().clear();
    assert_eq!(ground.made_refunds().len(), 1, "the second send was given the first one's answer");
    let mut reports = ground.events();
    for report in &mut reports {
        report.caused = None;
        for news in &mut report.news {
            if let News::Movement(sighting) = news {
                sighting.link = None;
            }
        }
    }
    assert_eq!(ground.observe(reports).await.unwrap(), ["movement.observed"]);
    let account = ground.counters("account#-").await;
    assert!(account.contains(",1400,2,"), "held once and counted once: {account}");
    pass(360).await;
    assert_eq!(ground.sweep().await.unwrap().settled, 1);
    assert_eq!(
        ground.types().await,
        ["decision.made", "execution.unknown", "movement.observed", "execution.succeeded"]
    );
    let (actor, account) = (ground.actor_counters().await, ground.counters("account#-").await);
    assert!(actor.contains(",700,1]") && account.contains(",700,1]"), "actor {actor}; account {account}");
    let again = ground.refund("k1", 700).await;
    assert_eq!((again.status, &again.body["id"]), (200, &ground.made_refunds()[0]["id"]));
}

/// Looking for what became of a lost call believes no refund that only names its request: anybody can write that.
#[tokio::test(start_paused = true)]
async fn a_refund_that_only_names_the_request_is_not_its_outcome() {
    let ground = Ground::enforcing().await;
    ground.account.faults().always("POST /v1/refunds", Fault::TimeOut);
    assert_eq!(ground.refund("k1", 700).await.word(), "axiru_outcome_unknown");
    ground.account.faults().clear();
    let request = RequestId::of(&scope(), &"agent:ag_1".parse().unwrap(), &"k1".parse().unwrap());
    let metadata = json!({"axiru_request": request.as_str(), "axiru_receipt": format!("{MODE}#acct_1#0:0:00")});
    let refund = json!({"charge": ground.charge, "amount": 700, "metadata": metadata});
    let made = ground.control(&format!("{MODE}/{ACCOUNT}/refunds"), refund);
    for _ in 0..4 {
        pass(360).await;
        ground.sweep().await.unwrap();
    }
    // While something claims to be it, nobody is told that it was not made: whoever believed that would make it again.
    assert_eq!(ground.types().await, ["decision.made", "execution.unknown"]);
    // Somebody looks in Stripe, sees that it is none of ours, and takes the mark away.
    let form = [("metadata[axiru_request]", ""), ("metadata[axiru_receipt]", "")];
    ground.write_at_stripe(&format!("/v1/refunds/{}", made["id"].as_str().unwrap()), &form);
    for _ in 0..4 {
        pass(360).await;
        ground.sweep().await.unwrap();
    }
    assert_eq!(ground.types().await, ["decision.made", "execution.unknown", "execution.failed"]);
    let told = ground.refund("k1", 700).await;
    assert_eq!((told.status, told.word().as_str(), told.again()), (400, "axiru_not_executed", Some(false)));
    assert_eq!(ground.at_stripe("/v1/refunds").len(), 1, "told as failed, it is made no more");
}

/// An equal call under another key goes on with the first one's request only if it is the same to the last parameter: what is sent is what was
/// decided.
#[tokio::test(start_paused = true)]
async fn an_equal_call_with_other_parameters_does_not_send_them_in_the_place_of_the_first() {
    let ground = Ground::enforcing().await;
    ground.account.faults().always("POST /v1/refunds", Fault::NotSent);
    assert_eq!(ground.refund("k1", 700).await.status, 503);
    ground.account.faults().clear();
    let form = format!("charge={}&amount=700&metadata%5Border%5D=8", ground.charge);
    let other = ground.post("k2", "/v1/refunds", &form).await;
    assert_eq!((other.status, other.word().as_str(), other.again()), (409, "idempotency_key_in_use", Some(true)));
    assert!(ground.at_stripe("/v1/refunds").is_empty());
    let same = ground.refund("k3", 700).await;
    assert_eq!((same.status, same.body["metadata"].get("order")), (200, None), "{}", same.text);
    let first = ground.refund("k1", 700).await;
    assert_eq!((first.status, &first.body["id"], ground.made_refunds().len()), (200, &same.body["id"], 1));
    assert_eq!(ground.types().await, ["decision.made", "execution.succeeded"]);
}
