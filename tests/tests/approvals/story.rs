//! The story: held, answered, made; and each of the ways in which it ends otherwise.

use axiru_aws::approval::{Cast, OpenError};
use axiru_domain::{Choice, RequestStatus, VoteRefused, Voted};
use serde_json::json;

use super::ground::{ANNA, BEN, OWEN, Room, pass, person};

#[tokio::test(start_paused = true)]
async fn what_one_of_them_approves_is_made_once_and_its_caller_gets_stripes_answer() {
    let room = Room::new().await;
    let id = room.held("k1", 20_000).await;
    let held = room.read(&id).await;
    // Four eyes: who answers for the agent is of the group, and is not asked.
    let asked: Vec<_> = held.asked().into_iter().map(|(person, addresses)| (person.to_string(), addresses)).collect();
    assert_eq!(
        asked,
        [
            (ANNA.to_owned(), vec!["anna@shop.example".to_owned()]),
            (BEN.to_owned(), vec!["ben@shop.example".to_owned()])
        ]
    );
    let sheet = held.sheet().unwrap();
    let original = sheet.original.clone().unwrap();
    assert_eq!(
        (sheet.money.amount_minor(), original.refunded_minor, original.remaining_minor, sheet.operator.as_str()),
        (20_000, 0, 500_000, "owen@shop.example")
    );
    assert_eq!((sheet.asking[0].rule.as_str(), sheet.digest.len(), sheet.executes), ("hold-large", 8, true));

    let link = room.link(&id, ANNA).await;
    let Cast::Voted(Voted::Approved, after) = room.answer(&link, Choice::Approve).await.unwrap() else {
        panic!("approved")
    };
    assert_eq!(after.status(), RequestStatus::Approved);
    let told = room.ground.refund("k1", 20_000).await;
    assert_eq!((told.status, told.word().as_str(), told.again()), (409, "idempotency_key_in_use", Some(true)));
    assert!(room.ground.at_stripe("/v1/refunds").is_empty(), "nothing is made by asking");

    assert_eq!(room.work(&id).await, 0);
    let made = room.ground.made_refunds();
    assert_eq!((made.len(), &made[0]["amount"], room.sealed()), (1, &json!(20_000), 0));
    let told = room.ground.refund("k1", 20_000).await;
    assert_eq!((told.status, &told.body["id"]), (200, &made[0]["id"]), "{}", told.text);
    assert_eq!((room.work(&id).await, room.ground.made_refunds().len()), (0, 1), "delivered again it is done");
    assert_eq!(
        room.ground.types().await,
        [
            "decision.made",
            "approval.requested",
            "vote.cast",
            "approval.granted",
            "execution.started",
            "execution.succeeded"
        ]
    );
    assert!(room.ground.actor_counters().await.contains(",20000,1]"), "{}", room.ground.actor_counters().await);
    // The same answer again is the same; the opposite one does not count.
    assert!(matches!(room.answer(&link, Choice::Approve).await, Ok(Cast::Voted(Voted::Before, _))));
    assert!(matches!(room.answer(&link, Choice::Deny).await, Ok(Cast::Refused(VoteRefused::Opposite, _))));
    let other = room.link(&id, BEN).await;
    assert!(matches!(room.answer(&other, Choice::Deny).await, Ok(Cast::Refused(VoteRefused::NotHeld, _))));
}

#[tokio::test(start_paused = true)]
async fn one_denial_ends_it_and_frees_what_it_held() {
    let room = Room::new().await;
    room.put_group("finance", &[ANNA, BEN, OWEN], Some(2), 2).await;
    let id = room.held("k1", 20_000).await;
    assert!(room.ground.actor_counters().await.contains(",20000,1]"));
    let (anna, ben) = (room.link(&id, ANNA).await, room.link(&id, BEN).await);
    assert!(matches!(room.answer(&anna, Choice::Approve).await, Ok(Cast::Voted(Voted::Counted, _))));
    let Cast::Voted(Voted::Denied, after) = room.answer(&ben, Choice::Deny).await.unwrap() else { panic!("denied") };
    assert_eq!((after.status(), room.sealed()), (RequestStatus::Denied, 0));
    assert!(room.ground.actor_counters().await.starts_with("{}"), "{}", room.ground.actor_counters().await);
    let told = room.ground.refund("k1", 20_000).await;
    assert_eq!((told.status, told.word().as_str(), told.again()), (403, "approval_denied", Some(false)));
    assert_eq!((room.work(&id).await, room.ground.at_stripe("/v1/refunds").len()), (0, 0));
    let types = room.ground.types().await;
    assert_eq!(types, ["decision.made", "approval.requested", "vote.cast", "vote.cast", "approval.denied"]);
}

#[tokio::test(start_paused = true)]
async fn time_denies() {
    let room = Room::new().await;
    let id = room.held("k1", 20_000).await;
    let link = room.link(&id, ANNA).await;
    // The plan gives two hours.
    pass(2 * 3_600).await;
    assert!(matches!(room.answer(&link, Choice::Approve).await, Ok(Cast::Refused(VoteRefused::TooLate, _))));
    room.ground.sweep().await.unwrap();
    assert_eq!(room.read(&id).await.status(), RequestStatus::Expired);
    room.ground.connect().await;
    let told = room.ground.refund("k1", 20_000).await;
    assert_eq!((told.status, told.word().as_str()), (400, "approval_expired"));
    assert_eq!((room.work(&id).await, room.ground.at_stripe("/v1/refunds").len(), room.sealed()), (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_link_is_for_one_person_one_request_and_one_content() {
    let room = Room::new().await;
    let id = room.held("k1", 20_000).await;
    let link = room.link(&id, ANNA).await;
    let opened = room.open(&link).await.unwrap();
    assert_eq!((opened.person.clone(), opened.held.id().clone()), (person(ANNA), id.clone()));
    let text = link.expose();
    for i in 0..64 {
        let mut other = text.as_bytes().to_vec();
        other[i] = if other[i] == b'A' { b'B' } else { b'A' };
        let Ok(other) = String::from_utf8(other).unwrap().parse() else { continue };
        assert!(matches!(room.open(&other).await, Err(OpenError::Unknown)), "{i}");
    }
    // Owen asked for it: there is no link that lets him answer.
    let own = room.link(&id, OWEN).await;
    assert!(matches!(room.answer(&own, Choice::Approve).await, Ok(Cast::Refused(VoteRefused::Own, _))));
    // Who has left the group may no longer answer.
    room.put_group("finance", &[BEN], None, 2).await;
    assert!(matches!(room.answer(&link, Choice::Approve).await, Ok(Cast::Refused(VoteRefused::NotAsked, _))));
    assert_eq!(room.ground.types().await, ["decision.made", "approval.requested"]);
}
