//! Every fault at every call to AWS and to Stripe during a renewal, with SDK retries on and off, and a second fault in the recovery: nothing is lost, or
//! the state is clear.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axiru_aws::refresh::Refreshed;
use axiru_domain::Mode;
use axiru_in_process::{Enumerator, InProcess, Retries};

use super::ground::{Ground, HALF_AN_HOUR, scope};
use super::stripe::StripeFault;

const MODE: Mode = Mode::Live;

async fn due(account: InProcess, retries: Retries, replays_tokens: bool) -> Ground {
    let ground = Ground::new(account, retries, replays_tokens).await;
    tokio::time::sleep(HALF_AN_HOUR).await;
    ground
}

async fn renew(ground: &Ground) -> Result<(), String> {
    ground.refresh(MODE).await.map(|_| ()).map_err(|error| error.to_string())
}

/// A minute later the lease of whoever died is over, and the schedule comes again.
async fn next_run(ground: &Ground) -> Result<(), String> {
    tokio::time::sleep(Duration::from_secs(60)).await;
    let app = axiru_fn_refresh::App::new(ground.refresher());
    let due = axiru_fn_refresh::handle(&app, &serde_json::json!({})).await.map_err(|error| error.to_string())?;
    if due["due"] == due["done"] { Ok(()) } else { Err(format!("{due}")) }
}

/// The token that readers get is Stripe's, and the refresh token is alive: it can be used once more.
async fn works(ground: &Ground) -> Result<(), String> {
    let token = ground.reader().token(&scope(MODE)).await.map_err(|error| error.to_string())?;
    if !ground.accepts(&token).await {
        return Err("Stripe does not accept the access token".into());
    }
    let entries = ground.entries(MODE).await;
    if !entries.is_empty() {
        return Err(format!("{} entries", entries.len()));
    }
    for left in ["refresh_lease", "refresh_key", "refresh_doubt"] {
        if ground.field(MODE, left).await.is_some() {
            return Err(format!("`{left}` was left behind"));
        }
    }
    tokio::time::sleep(HALF_AN_HOUR).await;
    match ground.refresh(MODE).await {
        Ok(Refreshed::Renewed(_)) => Ok(()),
        other => Err(format!("the next renewal: {other:?}")),
    }
}

/// A person must connect again, and is told so once.
async fn clearly_dead(ground: &Ground, reason: &str) -> Result<(), String> {
    let entries = ground.entries(MODE).await;
    let told: Vec<_> = entries.iter().map(|entry| (entry.ty(), entry.fields()["reason"].clone())).collect();
    if told != [("connection.reauth_required", serde_json::json!(reason))] {
        return Err(format!("entries: {told:?}"));
    }
    let state = ground.state(MODE).await;
    let kept = ground.field(MODE, "tokens").await.is_some();
    if (state.as_str(), kept) == ("reauth_required", true) { Ok(()) } else { Err(format!("{state}, {kept}")) }
}

#[test]
fn where_stripe_answers_a_key_again_no_fault_but_its_own_failure_loses_the_tokens() {
    let set_up = async |account, retries| due(account, retries, true).await;
    let lost = AtomicUsize::new(0);
    let check = async |ground: &Ground| {
        // It may have renewed and then failed, and says the same to the same key for a day.
        if ground.state(MODE).await != "active" && ground.stripe.failed() > 0 {
            lost.fetch_add(1, Ordering::Relaxed);
            return clearly_dead(ground, "lost_grant").await;
        }
        works(ground).await
    };
    let report = Enumerator::new("refresh: Stripe replays").second_faults(29).delays(&[Duration::from_secs(30)]);
    report.run(set_up, renew, next_run, check).unwrap_or_else(|violation| panic!("{violation}"));
    assert!(lost.into_inner() > 0, "none of Stripe's failures came after it had acted");
}

#[test]
fn where_stripe_does_not_the_tokens_work_or_the_account_is_known_to_need_a_person() {
    let ends = Mutex::new((0, 0));
    let set_up = async |account, retries| due(account, retries, false).await;
    let check = async |ground: &Ground| {
        if ground.state(MODE).await == "active" {
            ends.lock().unwrap().0 += 1;
            works(ground).await
        } else {
            ends.lock().unwrap().1 += 1;
            clearly_dead(ground, "lost_grant").await
        }
    };
    let report = Enumerator::new("refresh: Stripe does not replay").second_faults(29);
    report.run(set_up, renew, next_run, check).unwrap_or_else(|violation| panic!("{violation}"));
    let (worked, dead) = *ends.lock().unwrap();
    println!("refresh: Stripe does not replay: {worked} times the tokens work, {dead} times a person is needed");
    // Only what goes wrong between Stripe's renewal and the store loses them.
    assert!(dead > 0 && dead * 3 < worked, "{worked} worked, {dead} dead");
}

#[test]
fn whatever_fails_while_dead_tokens_are_recorded_it_is_told_once() {
    let set_up = async |account, retries| {
        let ground = due(account, retries, false).await;
        // The refresh token is spent, and nobody has what it was spent for.
        ground.stripe.fail(&[StripeFault::AppliedThenLost, StripeFault::Unreached]);
        let error = ground.refresh(MODE).await.unwrap_err();
        assert_eq!(error.retry(), axiru_aws::Retry::Later, "{error}");
        ground
    };
    let dead = async |ground: &Ground| clearly_dead(ground, "lost_grant").await;
    let report = Enumerator::new("refresh: dead tokens").second_faults(37);
    report.run(set_up, renew, next_run, dead).unwrap_or_else(|violation| panic!("{violation}"));
}
