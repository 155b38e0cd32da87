//! Coming back and confirming, with every fault at every call to AWS and to Stripe: a person who presses again is connected once.

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
    let report = Enumerator::new("connect: confirm").second_faults(41).run(set_up, press, press_again, connected_once);
    report.unwrap_or_else(|violation| panic!("{violation}"));
}

/// A person whom Stripe has sent back, with a code that is good once.
struct ComingBack {
    stage: Stage,
    link: String,
    back: String,
    cookie: String,
}

async fn sent_back(account: InProcess, retries: Retries) -> ComingBack {
    let stage = Stage::new(account, retries);
    let link = stage.link(&["live"]).await;
    let (consent, cookie) = stage.begin(&link, Mode::Live).await;
    let back = stage.decide(&consent, &stage.merchant, "approve").await;
    ComingBack { stage, link, back, cookie }
}

async fn come_back(coming: &ComingBack) -> Result<(), String> {
    let ComingBack { stage, back, cookie, .. } = coming;
    let page = stage.ask("GET", back, Some(cookie), &[]).await;
    if page.status() == StatusCode::OK { Ok(()) } else { Err(format!("{}: {}", page.status(), text(&page))) }
}

/// What every page of a failure tells the person to do: open the link again, a minute later. A link that has connected connects nothing more.
async fn start_over(coming: &ComingBack) -> Result<(), String> {
    tokio::time::sleep(Duration::from_secs(60)).await;
    let ComingBack { stage, link, .. } = coming;
    let connected = stage.store().connection(&stage.scope(Mode::Live, &stage.merchant)).await;
    if connected.map_err(|error| error.to_string())?.is_some() {
        return Ok(());
    }
    let token = link.split_once("link=").map(|(_, token)| token).unwrap_or_default();
    let begun = stage.ask("POST", "/stripe/install", None, &[("link", token), ("mode", "live")]).await;
    if begun.status() != StatusCode::SEE_OTHER {
        return Err(format!("{}: {}", begun.status(), text(&begun)));
    }
    let (consent, cookie) = Stage::sent_to(&begun);
    let back = stage.decide(&consent, &stage.merchant, "approve").await;
    let page = stage.ask("GET", &back, Some(&cookie), &[]).await;
    if page.status() != StatusCode::OK {
        return Err(format!("{}: {}", page.status(), text(&page)));
    }
    let state = consent.query_pairs().find(|(name, _)| name == "state").map(|(_, state)| state.into_owned());
    let page = stage.confirm(&state.unwrap_or_default(), &cookie, &stage.merchant).await;
    if page.status() == StatusCode::OK { Ok(()) } else { Err(format!("{}: {}", page.status(), text(&page))) }
}

async fn connected_by_starting_over(coming: &ComingBack) -> Result<(), String> {
    let stage = &coming.stage;
    let types = types(stage, Mode::Live, &stage.merchant).await;
    if types == super::FIRST { Ok(()) } else { Err(format!("entries: {types:?}")) }
}

#[test]
fn whatever_fails_when_stripe_sends_a_person_back_the_link_connects_once() {
    let report = Enumerator::new("connect: callback").second_faults(97).run(
        sent_back,
        come_back,
        start_over,
        connected_by_starting_over,
    );
    report.unwrap_or_else(|violation| panic!("{violation}"));
}

#[test]
fn a_stripe_that_fails_while_it_is_told_where_to_deliver_is_asked_again() {
    run(async |stage| {
        let link = stage.link(&["live"]).await;
        let (state, cookie) = stage.consented(&link, Mode::Live, &stage.merchant).await;
        let (list, create) = ("GET /v1/webhook_endpoints", "POST /v1/webhook_endpoints");
        for (call, fault) in [
            (list, Fault::Fail),
            (create, Fault::Fail),
            (create, Fault::ApplyThenFail),
            (create, Fault::Throttle),
            (create, Fault::ApplyThenTimeOut),
        ] {
            stage.account.faults().next(call, fault);
            let page = stage.confirm(&state, &cookie, &stage.merchant).await;
            assert_eq!(page.status(), StatusCode::SERVICE_UNAVAILABLE, "{call}, {fault}");
            assert!(text(&page).contains("confirm again") && text(&page).contains(&state), "{call}, {fault}");
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        let page = stage.confirm(&state, &cookie, &stage.merchant).await;
        assert_eq!(page.status(), StatusCode::OK, "{}", text(&page));
        assert_eq!(stage.endpoints(Mode::Live).len(), 1, "those that were made and not told are gone");
    });
}

#[test]
fn an_endpoint_of_a_lost_generation_goes_also_where_the_next_one_dies_early() {
    run(async |stage| {
        let link = stage.link(&["live"]).await;
        let (state, cookie) = stage.consented(&link, Mode::Live, &stage.merchant).await;
        stage.account.faults().next("POST /v1/webhook_endpoints", Fault::ApplyThenFail);
        let page = stage.confirm(&state, &cookie, &stage.merchant).await;
        assert_eq!(page.status(), StatusCode::SERVICE_UNAVAILABLE);
        // The next generation is written ahead, and its process dies before it has looked for what the first one left.
        stage.account.faults().next("UpdateItem", Fault::ApplyThenCrash);
        let died = stage.account.run(stage.confirm(&state, &cookie, &stage.merchant)).await;
        assert!(matches!(died, Outcome::Crashed), "it was to die");
        let lost = stage.endpoints(Mode::Live);
        assert_eq!(lost.len(), 1);
        tokio::time::sleep(Duration::from_secs(60)).await;
        let page = stage.confirm(&state, &cookie, &stage.merchant).await;
        assert_eq!(page.status(), StatusCode::OK, "{}", text(&page));
        let found = stage.endpoints(Mode::Live);
        assert_eq!(found.len(), 1, "Stripe delivers everything once");
        assert_ne!(found[0]["id"], lost[0]["id"], "nobody knows the secret of the first");
    });
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
