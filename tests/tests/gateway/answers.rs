//! What a caller is told, and what has happened then.

use super::ground::{Ground, pass};

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
