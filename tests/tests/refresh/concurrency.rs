//! Many at once, at the moment at which the token is too old.

use std::time::Duration;

use axiru_aws::refresh::Refreshed;
use axiru_aws::tokens::TokenError;
use axiru_domain::Mode;
use axiru_in_process::{InProcess, Latencies, Retries};

use super::ground::{Ground, HALF_AN_HOUR, ask, scope};

async fn ground() -> Ground {
    let ground = Ground::new(InProcess::new().unwrap(), Retries::On, false).await;
    ground.account.set_latencies(Latencies::simulated());
    ground.stripe.slow_down(Duration::from_millis(300));
    ground
}

#[tokio::test(start_paused = true)]
async fn fifty_callers_at_expiry_cost_one_renewal() {
    let ground = ground().await;
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..50_u64 {
        let process = ground.another();
        callers.spawn(async move {
            tokio::time::sleep(Duration::from_millis(caller % 7)).await;
            let reader = process.reader();
            let mut waited = 0;
            loop {
                match reader.token(&scope(Mode::Live)).await {
                    Ok(token) => return (process.accepts(&token).await, waited),
                    Err(TokenError::Expired) => waited += 1,
                    Err(error) => panic!("{error}"),
                }
                // What the queue does with the ask, in a process of its own: all fifty race each other.
                process.refresher().refresh(&ask(Mode::Live)).await.unwrap();
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
    }
    let mut waited = 0;
    while let Some(done) = callers.join_next().await {
        let (accepted, times) = done.unwrap();
        assert!(accepted);
        waited += times;
    }
    assert_eq!(ground.stripe.renewed(), 1);
    let sent = ground.stripe.calls().iter().filter(|call| call.contains("/v1/oauth/token")).count();
    assert_eq!(sent, 1, "no other even called");
    assert!(waited >= 50, "{waited}");
    assert_eq!(ground.field(Mode::Live, "tokens_version").await.as_deref(), Some("1"));
}

#[tokio::test(start_paused = true)]
async fn of_fifty_refreshers_one_renews_and_the_others_leave_it_to_that_one() {
    let ground = ground().await;
    for round in 1..=5 {
        tokio::time::sleep(HALF_AN_HOUR).await;
        let mut refreshers = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let process = ground.another();
            refreshers.spawn(async move { process.refresh(Mode::Live).await.unwrap() });
        }
        let mut outcomes = Vec::new();
        while let Some(done) = refreshers.join_next().await {
            outcomes.push(done.unwrap());
        }
        let renewed = outcomes.iter().filter(|outcome| matches!(outcome, Refreshed::Renewed(_))).count();
        assert_eq!((renewed, ground.stripe.renewed()), (1, round));
        assert!(outcomes.iter().all(|o| matches!(o, Refreshed::Renewed(_) | Refreshed::Busy | Refreshed::Fresh)));
    }
}
