//! A thousand answers and replays at once, and a hundred workers: one outcome, one execution.

use std::sync::Arc;

use axiru_aws::approval::{Cast, LinkToken};
use axiru_domain::{Choice, RequestStatus, Voted};

use super::ground::{ANNA, BEN, OWEN, Room};

const ANSWERS: usize = 1_000;

/// What the answers came to.
#[derive(Debug, Default)]
struct Told {
    counted: usize,
    approved: usize,
    denied: usize,
    before: usize,
    refused: usize,
    again: usize,
}

async fn all_at_once(room: &Arc<Room>, links: &[(LinkToken, Choice)]) -> Told {
    let mut tasks = tokio::task::JoinSet::new();
    for i in 0..ANSWERS {
        let (room, (link, choice)) = (Arc::clone(room), links[i % links.len()].clone());
        tasks.spawn(async move {
            for _ in 0..5 {
                let Ok(opened) = room.open(&link).await else { continue };
                if let Ok(cast) = room.cast(&opened, choice).await {
                    return Some(cast);
                }
            }
            None
        });
    }
    let mut told = Told::default();
    while let Some(cast) = tasks.join_next().await {
        match cast.unwrap() {
            Some(Cast::Voted(Voted::Counted, _)) => told.counted += 1,
            Some(Cast::Voted(Voted::Approved, _)) => told.approved += 1,
            Some(Cast::Voted(Voted::Denied, _)) => told.denied += 1,
            Some(Cast::Voted(Voted::Before, _)) => told.before += 1,
            Some(Cast::Refused(..) | Cast::Stale) => told.refused += 1,
            None => told.again += 1,
        }
    }
    told
}

#[tokio::test(start_paused = true)]
async fn a_thousand_answers_at_once_are_one_approval_and_one_execution() {
    let room = Room::new().await;
    room.put_group("finance", &[ANNA, BEN, OWEN], Some(2), 2).await;
    let id = room.held("k1", 20_000).await;
    let links = [(room.link(&id, ANNA).await, Choice::Approve), (room.link(&id, BEN).await, Choice::Approve)];
    let room = Arc::new(room);
    let told = all_at_once(&room, &links).await;
    println!("{ANSWERS} answers of two at once: {told:?}");
    assert_eq!((told.counted, told.approved, told.denied, told.refused), (1, 1, 0, 0), "{told:?}");
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (room, id) = (Arc::clone(&room), id.clone());
        tasks.spawn(async move { room.restarted().work(&id).await });
    }
    while tasks.join_next().await.is_some() {}
    assert_eq!(room.ground.made_refunds().len(), 1);
    let types = room.ground.types().await;
    let count = |ty: &str| types.iter().filter(|other| *other == ty).count();
    assert_eq!(
        (count("vote.cast"), count("approval.granted"), count("execution.started"), count("execution.succeeded")),
        (2, 1, 1, 1),
        "{types:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn of_an_approval_and_a_denial_at_once_one_counts() {
    let room = Room::new().await;
    let id = room.held("k1", 20_000).await;
    let links = [(room.link(&id, ANNA).await, Choice::Approve), (room.link(&id, BEN).await, Choice::Deny)];
    let room = Arc::new(room);
    let told = all_at_once(&room, &links).await;
    println!("{ANSWERS} answers of two who disagree: {told:?}");
    assert_eq!((told.approved + told.denied, told.counted), (1, 0), "{told:?}");
    room.work(&id).await;
    let status = room.read(&id).await.status();
    let made = room.ground.made_refunds().len();
    assert!(
        matches!((told.denied, status, made), (1, RequestStatus::Denied, 0) | (0, RequestStatus::Succeeded, 1)),
        "{told:?} {status} {made}"
    );
    let types = room.ground.types().await;
    assert_eq!(types.iter().filter(|ty| *ty == "vote.cast").count(), 1, "{types:?}");
}
