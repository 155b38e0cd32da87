//! What callers are told while people decide, and how they wait.

use axiru_domain::Choice;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::ground::{ACCOUNT, ANNA, BEN, Room, pass};
use crate::played::MODE;

fn intent(room: &Room, amount: i64) -> Value {
    json!({"kind": "refund", "amount_cents": amount, "currency": "usd", "charge": room.ground.charge, "stripe_connection_id": ACCOUNT})
}

#[tokio::test(start_paused = true)]
async fn advice_that_is_approved_may_be_used_for_an_hour() {
    let room = Room::new().await;
    let body = json!({"intent": intent(&room, 20_000), "idempotency_key": "n1", "context": {"rationale": "customer was charged twice"}});
    let (status, asked) = room.call("POST", "/api/v1/decisions", &body).await;
    assert_eq!(
        (status, &asked["outcome"], &asked["status"]),
        (200, &json!("pending_approval"), &json!("pending")),
        "{asked}"
    );
    let groups = json!([{"group": "finance", "quorum": 1, "approved": 0, "asked": 2}]);
    assert_eq!((&asked["approval"]["groups"], &asked["approval"]["until"]), (&groups, &asked["expires_at"]));
    let id = asked["decision_id"].as_str().unwrap().parse().unwrap();
    let held = room.read(&id).await;
    assert!(!held.sheet().unwrap().executes);
    let link = room.link(&id, BEN).await;
    room.answer(&link, Choice::Approve).await.unwrap();
    let (_, now) = room.call("GET", &format!("/api/v1/decisions/{id}"), &json!({})).await;
    assert_eq!((&now["status"], &now["approval"]["groups"][0]["approved"]), (&json!("allowed"), &json!(1)), "{now}");
    assert_eq!(room.work(&id).await, 0);
    assert!(room.ground.made_refunds().is_empty(), "nobody asked Axiru to make it");
    // Its caller makes it, and what Stripe reports settles it.
    pass(60).await;
    room.ground.control(&format!("{MODE}/{ACCOUNT}/refunds"), json!({"charge": room.ground.charge, "amount": 20_000}));
    let told = room.ground.observe(room.ground.events()).await.unwrap();
    assert!(told.contains(&"decision.settled".to_owned()), "{told:?}");
    let (_, now) = room.call("GET", &format!("/api/v1/decisions/{id}"), &json!({})).await;
    assert_eq!(now["status"], "settled");
}

#[tokio::test(start_paused = true)]
async fn advice_that_is_approved_and_not_used_expires() {
    let room = Room::new().await;
    let body = json!({"intent": intent(&room, 20_000), "idempotency_key": "n1"});
    let (_, asked) = room.call("POST", "/api/v1/decisions", &body).await;
    let id = asked["decision_id"].as_str().unwrap().parse().unwrap();
    let link = room.link(&id, BEN).await;
    room.answer(&link, Choice::Approve).await.unwrap();
    pass(3_601).await;
    room.ground.sweep().await.unwrap();
    let (_, now) = room.call("GET", &format!("/api/v1/decisions/{id}"), &json!({})).await;
    assert_eq!(now["status"], "expired");
    assert!(room.ground.actor_counters().await.starts_with("{}"));
}

#[tokio::test(start_paused = true)]
async fn who_waits_hears_of_the_change_and_nobody_waits_for_nothing() {
    let room = Room::new().await;
    let mut body = json!({"intent": intent(&room, 20_000), "idempotency_key": "n1", "execute": true});
    let (_, asked) = room.call("POST", "/api/v1/decisions", &body).await;
    let id: axiru_domain::RequestId = asked["decision_id"].as_str().unwrap().parse().unwrap();
    let path = format!("/api/v1/decisions/{id}?wait=20");
    let begun = Instant::now();
    let (status, still) = room.call("GET", &path, &json!({})).await;
    assert_eq!((status, &still["status"]), (200, &json!("pending")));
    assert!((19..=20).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    let begun = Instant::now();
    let approving = async {
        pass(5).await;
        let link = room.link(&id, ANNA).await;
        room.answer(&link, Choice::Approve).await.unwrap();
    };
    let (_, (_, told)) = {
        let none = json!({});
        tokio::join!(approving, async { room.call("GET", &path, &none).await })
    };
    assert_eq!(told["status"], "approved");
    assert!(begun.elapsed().as_secs() < 8, "{:?}", begun.elapsed());
    room.work(&id).await;
    let begun = Instant::now();
    let (_, made) = room.call("GET", &path, &json!({})).await;
    assert_eq!((&made["status"], begun.elapsed().as_secs()), (&json!("succeeded"), 0));
    body["intent"]["amount_cents"] = json!(700);
    body["idempotency_key"] = json!("n2");
    body["execute"] = json!(false);
    let (_, allowed) = room.call("POST", "/api/v1/decisions", &body).await;
    let path = format!("/api/v1/decisions/{}?wait=20", allowed["decision_id"].as_str().unwrap());
    let begun = Instant::now();
    assert_eq!(room.call("GET", &path, &json!({})).await.1["status"], "allowed");
    assert_eq!(begun.elapsed().as_secs(), 0, "nothing becomes of advice by waiting");
    for bad in ["wait=21", "wait=-1", "wait=", "wait=1&wait=2", "x=1", "wait=1.5"] {
        let (status, body) = room.call("GET", &format!("/api/v1/decisions/{id}?{bad}"), &json!({})).await;
        let bad_wait = (status, body["field"].as_str());
        assert!(bad_wait == (400, Some("wait")) || (bad == "wait=" && status == 400), "{bad}: {body}");
    }
}
