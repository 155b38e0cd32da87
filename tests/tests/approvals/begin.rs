//! What is approved is decided again before it is made: whatever has changed since stops it, with a reason.

use aws_sdk_dynamodb::types::AttributeValue;
use axiru_domain::{Choice, RequestId, RequestStatus};
use axiru_in_process::Fault;
use axiru_policy::replay;
use serde_json::{Value, json};

use super::ground::{ACCOUNT, ANNA, BEN, OWEN, Room, key, pass, scope};
use crate::gateway::ground::POLICIES;
use crate::played::MODE;

/// A refund of 200.00 that Anna has approved.
async fn approved(room: &Room) -> RequestId {
    let id = room.held("k1", 20_000).await;
    let link = room.link(&id, ANNA).await;
    room.answer(&link, Choice::Approve).await.unwrap();
    assert_eq!(room.read(&id).await.status(), RequestStatus::Approved);
    id
}

/// The job is done, nothing was made, and what was held is free.
async fn stopped(room: &Room, id: &RequestId, reason: &str) {
    assert_eq!(room.work(id).await, 0, "{reason}");
    let held = room.read(id).await;
    let why = held.row().failure.as_ref().map(|failure| failure.reason.as_str());
    assert_eq!((held.status(), why), (RequestStatus::Cancelled, Some(reason)));
    assert!(room.ground.made_refunds().is_empty(), "{reason}");
    assert_eq!(room.sealed(), 0, "{reason}");
    assert!(
        !room.ground.actor_counters().await.contains(",20000,"),
        "{reason}: {}",
        room.ground.actor_counters().await
    );
    let types = room.ground.types().await;
    assert_eq!(types.iter().filter(|ty| *ty == "approval.cancelled").count(), 1, "{reason}: {types:?}");
    assert!(!types.contains(&"execution.started".to_owned()), "{reason}: {types:?}");
    let told = room.ground.refund("k1", 20_000).await;
    assert_eq!((told.status, told.word().as_str(), told.again()), (400, "approval_cancelled", Some(false)));
    assert_eq!(told.body["error"]["axiru"]["reason"], reason, "{}", told.text);
    // Delivered again, nothing more happens.
    assert_eq!((room.work(id).await, room.ground.made_refunds().len()), (0, 0), "{reason}");
}

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_payment_that_was_refunded_or_disputed_since_stops_it() {
    let room = Room::new().await;
    let id = approved(&room).await;
    room.ground.control(&format!("{MODE}/{ACCOUNT}/refunds"), json!({"charge": room.ground.charge, "amount": 100}));
    stopped(&room, &id, "refunded_since").await;
    let room = Room::new().await;
    let id = approved(&room).await;
    room.ground.control(&format!("{MODE}/{ACCOUNT}/disputes"), json!({"charge": room.ground.charge}));
    stopped(&room, &id, "disputed_since").await;
}

#[tokio::test(start_paused = true)]
async fn plans_of_now_decide() {
    let more = |rule: &str| format!("{POLICIES}\n{rule}");
    let when = r#"forbid(principal, action == Axiru::Action::"refund", resource) when { context.currency == "usd" && context.amount_minor > 15000 };"#;
    for (policies, reason) in [
        (more(&format!("@id(\"block-more\")\n{when}")), "blocked_now"),
        (more(&format!("@id(\"hold-more\") @require_approval(\"finance\")\n{when}")), "new_rule"),
        (
            POLICIES.replace("@require_approval(\"finance\")", "@require_approval(\"finance\") @quorum(\"2\")"),
            "asks_more",
        ),
        (POLICIES.replace("@require_approval(\"finance\")", "@require_approval(\"risk\")"), "asks_more"),
    ] {
        let room = Room::new().await;
        let id = approved(&room).await;
        room.put_plan(&policies, 2).await;
        stopped(&room, &id, reason).await;
    }
    // A rule that is gone does not hold any more: what was approved is made.
    let room = Room::new().await;
    let id = approved(&room).await;
    room.put_plan("@id(\"allow\") permit(principal, action, resource);", 2).await;
    assert_eq!((room.work(&id).await, room.ground.made_refunds().len()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_quorum_of_those_who_are_still_there_is_needed() {
    let room = Room::new().await;
    let id = approved(&room).await;
    room.put_group("finance", &[BEN, OWEN], None, 2).await;
    stopped(&room, &id, "quorum_lost").await;
    // The group's own default may have risen.
    let room = Room::new().await;
    let id = approved(&room).await;
    room.put_group("finance", &[ANNA, BEN, OWEN], Some(2), 2).await;
    stopped(&room, &id, "asks_more").await;
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_revoked_and_an_account_that_is_gone_stop_it() {
    let room = Room::new().await;
    let id = approved(&room).await;
    room.set(&format!("{MODE}#keys"), key().id().as_str(), "state", s("revoked")).await;
    assert_eq!(room.work(&id).await, 0);
    assert_eq!(room.read(&id).await.status(), RequestStatus::Cancelled);
    let room = Room::new().await;
    let id = approved(&room).await;
    room.set(&format!("{MODE}#connections"), ACCOUNT, "state", s("revoked")).await;
    assert_eq!(room.work(&id).await, 0);
    let held = room.read(&id).await;
    assert_eq!(
        (held.status(), held.row().failure.clone().unwrap().reason),
        (RequestStatus::Cancelled, "not_connected".into())
    );
    assert!(room.ground.made_refunds().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_waits_at_a_connection_that_has_ended_is_cancelled_by_the_sweep() {
    let room = Room::new().await;
    let begun = approved(&room).await;
    let waiting = room.held("other", 20_100).await;
    room.ground.sweep().await.unwrap();
    assert_eq!(room.read(&waiting).await.status(), RequestStatus::Pending, "while it is connected, it waits");
    room.set(&format!("{MODE}#connections"), ACCOUNT, "state", s("revoked")).await;
    room.ground.sweep().await.unwrap();
    for id in [&begun, &waiting] {
        let held = room.read(id).await;
        let reason = held.row().failure.clone().unwrap().reason;
        assert_eq!((held.status(), reason.as_str()), (RequestStatus::Cancelled, "not_connected"));
    }
    let types = room.ground.types().await;
    assert_eq!(types.iter().filter(|ty| *ty == "approval.cancelled").count(), 2);
    assert_eq!((room.sealed(), room.ground.made_refunds().len()), (0, 0));
    // Connected again, it stays so.
    room.set(&format!("{MODE}#connections"), ACCOUNT, "state", s("active")).await;
    room.ground.sweep().await.unwrap();
    assert_eq!((room.work(&begun).await, room.ground.made_refunds().len()), (0, 0));
    assert_eq!(room.ground.types().await, types);
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_others_have_used_meanwhile_stops_it_and_its_own_hold_does_not() {
    // 90.00 of another payment is refunded between the approval and the making; 290.00 is room for both, one cent less is not.
    for (most, fits) in [(29_000, true), (28_999, false)] {
        let room = Room::new().await;
        let id = approved(&room).await;
        let other = room.ground.charged(50_000);
        let told = room.ground.post("k9", "/v1/refunds", &format!("charge={other}&amount=9000")).await;
        assert_eq!(told.status, 200, "{}", told.text);
        let mut plan = crate::gateway::ground::plan();
        plan["limits"][0]["max_amount"] = json!(most);
        room.put_plan_of(&plan, POLICIES, 2).await;
        assert_eq!(room.work(&id).await, 0, "{most}");
        assert_eq!(room.ground.made_refunds().len(), 1 + usize::from(fits), "{most}");
        let held = room.read(&id).await;
        let why = held.row().failure.as_ref().map(|failure| failure.reason.clone());
        assert_eq!(why.as_deref(), (!fits).then_some("blocked_now"), "{most}");
        let actor = room.ground.actor_counters().await;
        assert!(actor.contains(if fits { ",29000,2]" } else { ",9000,1]" }), "{most}: {actor}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_sealed_is_what_was_approved() {
    let room = Room::new().await;
    let id = approved(&room).await;
    // Another request's sealed parameters under this one's name do not open; none at all are none.
    let other = room.held("k2", 30_000).await;
    let row = room.item(&format!("{MODE}#{ACCOUNT}#request#{other}"), "sealed").await;
    room.set(&format!("{MODE}#{ACCOUNT}#request#{id}"), "sealed", "parameters", row["parameters"].clone()).await;
    assert_eq!((room.work(&id).await, room.ground.at_stripe("/v1/refunds").len()), (1, 0));
    assert_eq!(room.read(&id).await.status(), RequestStatus::Approved);
    // It comes back until its time is over, and then it has ended.
    pass(16 * 60).await;
    room.ground.sweep().await.unwrap();
    assert_eq!((room.read(&id).await.status(), room.work(&id).await), (RequestStatus::Expired, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_again_is_still_what_was_approved() {
    let room = Room::new().await;
    let id = approved(&room).await;
    // It begins, and its call does not get out.
    room.ground.account.faults().always("POST /v1/refunds", Fault::NotSent);
    room.work(&id).await;
    room.ground.account.faults().clear();
    assert!(matches!(room.read(&id).await.status(), RequestStatus::Executing | RequestStatus::Unknown));
    // The row now says that people have approved another call than the one whose parameters are sealed.
    let pk = format!("{MODE}#{ACCOUNT}#request#{id}");
    let row = room.item(&pk, "request").await;
    let asked = row["approval"].as_s().unwrap();
    let mut other: Value = serde_json::from_str(asked).unwrap();
    other["action"] = json!("0".repeat(64));
    room.set(&pk, "request", "approval", s(&other.to_string())).await;
    let (before, asked) = (room.ground.at_stripe("/v1/refunds").len(), asked.clone());
    pass(600).await;
    assert_eq!((room.work(&id).await, room.ground.at_stripe("/v1/refunds").len()), (1, before), "nothing is sent");
    // As it was, it is made.
    room.set(&pk, "request", "approval", s(&asked)).await;
    assert_eq!((room.work(&id).await, room.ground.made_refunds().len()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn what_nobody_can_tell_puts_it_off_and_time_ends_it() {
    let room = Room::new().await;
    room.put_plan(&format!("{POLICIES}\n@id(\"young\") @require_approval(\"finance\")\nforbid(principal, action == Axiru::Action::\"refund\", resource) when {{ context has charge_age_days && context.charge_age_days > 90 }};"), 2).await;
    let id = approved(&room).await;
    room.ground.account.faults().always("GET /v1/charges/:id", Fault::TimeOut);
    assert_eq!((room.work(&id).await, room.ground.made_refunds().len()), (1, 0), "the job comes back");
    assert_eq!(room.read(&id).await.status(), RequestStatus::Approved);
    room.ground.account.faults().clear();
    // The queue gave up, and the sweeper tells it again.
    pass(61).await;
    assert_eq!(room.ground.sweep().await.unwrap().queued, 1);
    assert_eq!((room.work(&id).await, room.ground.made_refunds().len()), (0, 1));

    let room = Room::new().await;
    let id = approved(&room).await;
    pass(900).await;
    assert_eq!((room.work(&id).await, room.ground.made_refunds().len()), (0, 0), "too late by its own clock");
    room.ground.sweep().await.unwrap();
    let status = room.read(&id).await.status();
    assert!(matches!(status, RequestStatus::Cancelled | RequestStatus::Expired), "{status}");
}

#[tokio::test(start_paused = true)]
async fn the_windows_of_the_day_it_is_made_count_it() {
    let room = Room::new().await;
    // Held close before midnight UTC, made after it.
    let now = super::ground::now();
    let midnight = 86_400 - now.secs().rem_euclid(86_400);
    pass(u64::try_from(midnight - 60).unwrap()).await;
    room.ground.connect().await;
    let id = room.held("k1", 20_000).await;
    let before = room.ground.actor_counters().await;
    pass(120).await;
    let link = room.link(&id, ANNA).await;
    room.answer(&link, Choice::Approve).await.unwrap();
    assert_eq!((room.work(&id).await, room.ground.made_refunds().len()), (0, 1));
    let after = room.ground.actor_counters().await;
    let day = |text: &str| -> Option<i64> {
        let value: Value = serde_json::from_str(text).ok()?;
        let bucket = value.as_object()?.values().next()?.as_array()?.first()?.as_array()?.first()?.as_i64()?;
        Some(bucket)
    };
    assert!(before != after && after.contains(",20000,1]"), "{before} -> {after}");
    assert_eq!(day(&before).zip(day(&after)).map(|(before, after)| after - before), Some(1), "{before} -> {after}");
}

#[tokio::test(start_paused = true)]
async fn the_second_decision_is_in_the_ledger_and_comes_out_the_same_again() {
    let room = Room::new().await;
    let id = approved(&room).await;
    room.work(&id).await;
    let entries = room.ground.entries().await;
    let started = entries.iter().find(|entry| entry.ty() == "execution.started").unwrap();
    let document = axiru_policy::Plan::parse(&crate::gateway::ground::plan().to_string(), POLICIES).unwrap();
    let replayed = replay(started.fields(), |_| Some(document.document().to_vec())).unwrap();
    assert!(replayed.same, "{replayed:?}");
    assert_eq!(replayed.recorded["outcome"], "require_approval");
    // The limits it read are without its own hold.
    assert_eq!(replayed.recorded["verdicts"][0]["limits"][0]["used_amount"], 0, "{}", replayed.recorded);
    let requested = entries.iter().find(|entry| entry.ty() == "approval.requested").unwrap();
    assert_eq!(requested.fields()["action_sha256"], started.fields()["action_sha256"]);
    assert_eq!(requested.fields()["groups"][0]["approvers"], json!([ANNA, BEN]));
    assert_eq!(scope(), requested.log().scope);
}
