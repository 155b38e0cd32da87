//! Everything that can go wrong with a call to Stripe, where it gives a key's answer again and where it does not.

use std::time::Duration;

use axiru_aws::refresh::{RefreshError, Refreshed};
use axiru_domain::Mode;
use axiru_in_process::{InProcess, Retries};

use super::ground::{Ground, HALF_AN_HOUR, scope};
use super::stripe::StripeFault::{self, *};

/// Renews until nothing is left to do; the number of runs, a minute apart.
async fn settle(ground: &Ground) -> (Refreshed, usize) {
    for run in 1..=10 {
        match ground.refresh(Mode::Live).await {
            Ok(Refreshed::Busy) | Err(_) => tokio::time::sleep(Duration::from_secs(60)).await,
            Ok(outcome) => return (outcome, run),
        }
    }
    panic!("not settled in ten runs");
}

async fn after(faults: &[StripeFault], replays_tokens: bool) -> (Ground, Refreshed, usize) {
    let ground = Ground::new(InProcess::new().unwrap(), Retries::Off, replays_tokens).await;
    tokio::time::sleep(HALF_AN_HOUR).await;
    ground.stripe.fail(faults);
    let (outcome, runs) = settle(&ground).await;
    (ground, outcome, runs)
}

#[tokio::test(start_paused = true)]
async fn what_stripe_never_did_is_simply_done_later() {
    for replays in [true, false] {
        for faults in [
            &[][..],
            &[Unreached],
            &[Lost],
            &[Unreached, Unreached],
            &[Lost, Lost],
            &[Lost, Lost, Lost],
            &[Status(429)],
            &[Status(500)],
            &[Status(503), Status(500), Status(429)],
            &[Status(409), Lost, Status(502)],
            &[Late(Duration::from_secs(20))],
            // Longer than the deadline: given up, and the next run sends the same key.
            &[Late(Duration::from_secs(30))],
        ] {
            let (ground, outcome, runs) = after(faults, replays).await;
            assert_eq!((outcome, ground.stripe.renewed()), (Refreshed::Renewed(1), 1), "{faults:?}, {replays}, {runs}");
            let token = ground.reader().token(&scope(Mode::Live)).await.unwrap();
            assert!(ground.accepts(&token).await && ground.entries(Mode::Live).await.is_empty());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_got_again_with_its_key_or_the_loss_is_told() {
    for faults in [
        &[AppliedThenLost][..],
        &[AppliedThenLost, Lost],
        &[Unreached, AppliedThenLost, Unreached],
        &[AppliedThenLost, Unreached, Lost, Status(429)],
    ] {
        let (ground, outcome, _) = after(faults, true).await;
        assert_eq!((outcome, ground.stripe.renewed()), (Refreshed::Renewed(1), 1), "{faults:?}");
        let token = ground.reader().token(&scope(Mode::Live)).await.unwrap();
        assert!(ground.accepts(&token).await);
        let (ground, outcome, _) = after(faults, false).await;
        assert_eq!(outcome, Refreshed::ReauthRequired, "{faults:?}");
        let entries = ground.entries(Mode::Live).await;
        assert_eq!((entries.len(), &entries[0].fields()["reason"]), (1, &"lost_grant".into()), "{faults:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_stripe_keeps_under_a_key_is_not_asked_for_again() {
    for faults in [&[AppliedThenFailed][..], &[AppliedThenGarbage]] {
        for replays in [true, false] {
            let (ground, outcome, runs) = after(faults, replays).await;
            assert_eq!((outcome, runs), (Refreshed::ReauthRequired, 2), "{faults:?}, {replays}");
            assert_eq!(ground.entries(Mode::Live).await[0].fields()["reason"], "lost_grant");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_replayed_token_is_as_old_as_its_first_call() {
    let ground = Ground::new(InProcess::new().unwrap(), Retries::Off, true).await;
    tokio::time::sleep(HALF_AN_HOUR).await;
    ground.stripe.fail(&[AppliedThenLost, Unreached]);
    assert!(matches!(ground.refresh(Mode::Live).await, Err(RefreshError::Stripe(_))));
    let sent_at = ground.field(Mode::Live, "refresh_key_at").await.unwrap();
    // Nobody came by for 58 minutes; the answer that Stripe gives again is of then.
    tokio::time::sleep(Duration::from_secs(58 * 60)).await;
    assert_eq!(ground.refresh(Mode::Live).await.unwrap(), Refreshed::Renewed(1));
    assert_eq!(ground.field(Mode::Live, "tokens_at").await.unwrap(), sent_at);
    let expired = ground.reader().token(&scope(Mode::Live)).await;
    assert!(matches!(expired, Err(axiru_aws::tokens::TokenError::Expired)));
    assert_eq!(ground.refresh(Mode::Live).await.unwrap(), Refreshed::Renewed(2));
    let token = ground.reader().token(&scope(Mode::Live)).await.unwrap();
    assert!(ground.accepts(&token).await);
}
