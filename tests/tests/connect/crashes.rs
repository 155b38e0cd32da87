//! Confirming, with every fault at every call to AWS: a person who presses again is connected once.

use std::time::Duration;

use axiru_domain::Mode;
use axiru_in_process::{Enumerator, Fault, InProcess, Outcome, Retries};
use http::StatusCode;
use serde_json::json;

use super::stage::{Stage, run, text};
use super::types;

struct Confirming {
    stage: Stage,
    state: String,
    cookie: String,
}

async fn set_up(account: InProcess, retries: Retries) -> Confirming {
    let stage = Stage::new(account, retries);
    let link = stage.link(&["live"]).await;
    let (state, cookie) = stage.consented(&link, Mode::Live, &stage.merchant).await;
    Confirming { stage, state, cookie }
}

async fn press(confirming: &Confirming) -> Result<(), String> {
    let Confirming { stage, state, cookie } = confirming;
    let answer = stage.confirm(state, cookie, &stage.merchant).await;
    if answer.status() == StatusCode::OK { Ok(()) } else { Err(format!("{}: {}", answer.status(), text(&answer))) }
}

/// A minute later the lease of a request that died is over.
async fn press_again(confirming: &Confirming) -> Result<(), String> {
    tokio::time::sleep(Duration::from_secs(60)).await;
    press(confirming).await
}

async fn connected_once(confirming: &Confirming) -> Result<(), String> {
    let stage = &confirming.stage;
    let types = types(stage, Mode::Live, &stage.merchant).await;
    let endpoints = stage.endpoints(Mode::Live).len();
    let secrets =
        stage.store().signing_secrets(&stage.app.seal, Mode::Live).await.map_err(|error| error.to_string())?;
    if types != super::FIRST {
        return Err(format!("entries: {types:?}"));
    }
    if (endpoints, secrets.len()) != (1, 1) {
        return Err(format!("{endpoints} endpoints, {} secrets", secrets.len()));
    }
    Ok(())
}

#[test]
fn whatever_fails_while_confirming_the_account_is_connected_once() {
    let report = Enumerator::new("connect: confirm").second_faults(7).run(set_up, press, press_again, connected_once);
    report.unwrap_or_else(|violation| panic!("{violation}"));
}

#[test]
fn an_endpoint_whose_secret_was_lost_for_a_day_is_replaced() {
    run(async |stage| {
        let link = stage.link(&["test"]).await;
        let (state, cookie) = stage.consented(&link, Mode::Test, &stage.merchant).await;
        // Stripe has answered; the process dies before the secret is sealed.
        stage.account.faults().next("Encrypt", Fault::Crash);
        let died = stage.account.run(stage.confirm(&state, &cookie, &stage.merchant)).await;
        assert!(matches!(died, Outcome::Crashed), "it was to die");
        let lost = stage.endpoints(Mode::Test);
        assert_eq!(lost.len(), 1);
        let day = Duration::from_secs(23 * 3_600 + 60);
        stage.sandbox.control("POST", "clock", json!({"advance_secs": 2 * 86_400})).unwrap();
        tokio::time::sleep(day).await;
        let link = stage.link(&["test"]).await;
        stage.connect(&link, Mode::Test, &stage.merchant).await;
        let found = stage.endpoints(Mode::Test);
        assert_eq!(found.len(), 1);
        assert_ne!(found[0]["id"], lost[0]["id"], "nobody knows the secret of the first");
    });
}
