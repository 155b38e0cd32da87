//! A whole day: whoever asks has a token that Stripe accepts.

use std::time::Duration;

use axiru_aws::tokens::TokenError;
use axiru_domain::Mode;
use serde_json::json;

use super::ground::{Ground, run, scope};

const STEP: Duration = Duration::from_secs(5 * 60);
const STEPS: usize = 24 * 12;

#[test]
fn with_the_schedule_there_is_a_working_token_at_every_step_of_a_day() {
    run(async |ground: &Ground| {
        let refresh = axiru_fn_refresh::App::new(ground.refresher());
        let reader = ground.reader();
        for step in 0..STEPS {
            axiru_fn_refresh::handle(&refresh, &json!({"source": "aws.events"})).await.unwrap();
            for mode in Mode::ALL {
                let token = reader.token(&scope(mode)).await.unwrap_or_else(|error| panic!("step {step}: {error}"));
                assert!(ground.accepts(&token).await, "step {step}");
            }
            tokio::time::sleep(STEP).await;
        }
        // Every 25 to 40 minutes.
        let renewed = ground.stripe.renewed();
        assert!((72..=116).contains(&renewed), "{renewed} renewals of two connections in a day");
        assert!(ground.account.queued(axiru_in_process::REFRESH_QUEUE_URL).is_empty(), "nobody had to ask");
    });
}

#[test]
fn without_the_schedule_whoever_finds_a_token_too_old_gets_a_fresh_one() {
    run(async |ground: &Ground| {
        let refresh = axiru_fn_refresh::App::new(ground.refresher());
        let reader = ground.reader();
        let mut expired = 0;
        for step in 0..STEPS {
            let token = match reader.token(&scope(Mode::Live)).await {
                Err(TokenError::Expired) => {
                    expired += 1;
                    let asks = ground.take_asks().await;
                    assert_eq!(asks["Records"].as_array().unwrap().len(), 1, "{asks}");
                    let answer = axiru_fn_refresh::handle(&refresh, &asks).await.unwrap();
                    assert_eq!(answer, json!({"batchItemFailures": []}));
                    reader.token(&scope(Mode::Live)).await
                }
                other => other,
            };
            let token = token.unwrap_or_else(|error| panic!("step {step}: {error}"));
            assert!(ground.accepts(&token).await, "step {step}");
            tokio::time::sleep(STEP).await;
        }
        assert!((24..=27).contains(&expired), "{expired}");
        assert_eq!(ground.stripe.renewed(), expired);
        assert!(ground.entries(Mode::Live).await.is_empty(), "a renewal is no entry");
    });
}
