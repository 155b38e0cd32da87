//! What becomes of an allowed request: settled by the first movement that Stripe reports, or expired; its windows exact either way.

use axiru_aws::expire::{Expirer, Swept};
use axiru_aws::observe::{Observed, Observer};
use axiru_in_process::{Enumerator, InProcess, Retries};
use axiru_ledger::entry::Tip;
use axiru_stripe::event::{Projected, project};
use axiru_stripe::report::Report;
use serde_json::json;

use super::ground::{Ground, Setting, at_secs, now, refund};
use crate::acting::{acting_as, store_of};
use crate::played::{MODE, mode, other_mode};

/// Noon, as Stripe writes it.
const NOON_SECS: i64 = 1_793_448_000;

/// The row of the actor's windows.
fn actor_row() -> String {
    format!("{MODE}#acct_1#counter#actor#agent:ag_1")
}

/// The row of the account's windows.
fn account_row() -> String {
    format!("{MODE}#acct_1#counter#account#-")
}

fn setting() -> Setting {
    Setting::with_limits(json!([
        {"id": "actor-day", "per": "actor", "kinds": ["refund"], "currency": "usd", "window": {"calendar": "day", "zone": "UTC"}, "max_amount": 1_000, "on_exceed": "block"},
        {"id": "account-day", "per": "account", "kinds": ["refund"], "currency": "usd", "window": {"calendar": "day", "zone": "UTC"}, "max_amount": 5_000, "on_exceed": "block"},
    ]))
}

async fn ground(account: InProcess, retries: Retries) -> Ground {
    at_secs(0);
    let ground = Ground::new(account, retries, &setting()).await;
    // The sweeper goes through every account of the mode.
    ground.account.any_scope();
    ground
}

fn observer(ground: &Ground) -> Observer {
    Observer::new(store_of(&acting_as("ObserveRole", &ground.account, ground.retries))).with_clock(now)
}

fn expirer(ground: &Ground) -> Expirer {
    Expirer::new(store_of(&acting_as("SweepRole", &ground.account, ground.retries)), now)
}

/// The report of a refund that Stripe says was made so many seconds after noon.
fn made(event: &str, kind: &str, object: &str, amount: i64, charge: &str, secs: i64, status: &str) -> Report {
    let event = json!({
        "id": event, "object": "event", "type": kind, "account": "acct_1", "livemode": mode().livemode(), "created": NOON_SECS + secs,
        "request": {"id": "req_1"},
        "data": {"object": {"id": object, "object": "refund", "amount": amount, "currency": "usd", "charge": charge, "created": NOON_SECS + secs,
            "reason": null, "status": status, "payment_intent": null, "destination_details": {"type": "card"}}},
    });
    match project(event.to_string().as_bytes(), mode()).unwrap() {
        Projected::Report(report) => *report,
        Projected::Ignored(why) => panic!("{why:?}"),
    }
}

async fn observe(ground: &Ground, report: Report) -> Vec<String> {
    match observer(ground).observe(vec![report]).await.pop().unwrap().unwrap() {
        Observed::Recorded(entries) => entries.into_iter().map(|entry| entry.ty).collect(),
        Observed::NotConnected => panic!("not connected"),
    }
}

async fn counted(ground: &Ground, row: &str, expected: &str) {
    let text = ground.counters(row).await.unwrap_or_default();
    assert!(text.contains(expected), "{row}: {text}, expected {expected}");
}

#[tokio::test(start_paused = true)]
async fn the_first_equal_movement_settles_it_and_the_next_is_ungoverned() {
    let ground = ground(InProcess::new().unwrap(), Retries::On).await;
    let asked = ground.ask(&refund("k1", 400, "ch_1")).await;
    counted(&ground, &actor_row(), ",400,1,400,1]").await;
    let told = observe(&ground, made("evt_1", "refund.created", "re_1", 400, "ch_1", 60, "succeeded")).await;
    assert_eq!(told, ["movement.observed", "decision.settled"]);
    counted(&ground, &actor_row(), ",400,1]").await;
    counted(&ground, &account_row(), ",400,1]").await;
    let settled = ground.get(&format!("/api/v1/decisions/{}", asked.text_of("decision_id"))).await;
    assert_eq!((settled.text_of("status").as_str(), settled.text_of("outcome").as_str()), ("settled", "allowed"));
    // Delivered again: nothing.
    assert!(observe(&ground, made("evt_1", "refund.created", "re_1", 400, "ch_1", 60, "succeeded")).await.is_empty());
    // A second equal refund was not asked for: it counts for the account, and for nobody in particular.
    let told = observe(&ground, made("evt_2", "refund.created", "re_2", 400, "ch_1", 90, "succeeded")).await;
    assert_eq!(told, ["movement.observed"]);
    counted(&ground, &actor_row(), ",400,1]").await;
    counted(&ground, &account_row(), ",800,2]").await;
    // It failed: what it took is given back, once.
    for event in ["evt_3", "evt_4"] {
        observe(&ground, made(event, "refund.failed", "re_2", 400, "ch_1", 90, "failed")).await;
        counted(&ground, &account_row(), ",400,1]").await;
    }
    // So did the first one: the agent has its room again, and the decision stays settled.
    observe(&ground, made("evt_5", "refund.failed", "re_1", 400, "ch_1", 60, "failed")).await;
    assert_eq!(ground.counters(&actor_row()).await.as_deref(), Some("{}"));
    assert_eq!(ground.counters(&account_row()).await.as_deref(), Some("{}"));
}

#[tokio::test(start_paused = true)]
async fn a_settled_or_expired_request_answers_no_other_key() {
    let ground = ground(InProcess::new().unwrap(), Retries::On).await;
    let first = ground.ask(&refund("k1", 100, "ch_1")).await;
    observe(&ground, made("evt_1", "refund.created", "re_1", 100, "ch_1", 60, "succeeded")).await;
    let second = ground.ask(&refund("k2", 100, "ch_1")).await;
    assert_ne!(second.text_of("decision_id"), first.text_of("decision_id"));
    at_secs(3_600);
    assert_eq!(expirer(&ground).run(mode()).await.unwrap().ended, 1);
    let third = ground.ask(&refund("k3", 100, "ch_1")).await;
    assert_ne!(third.text_of("decision_id"), second.text_of("decision_id"));
    // Their own keys still give their own answers.
    for (key, made) in [("k1", &first), ("k2", &second), ("k3", &third)] {
        let again = ground.ask(&refund(key, 100, "ch_1")).await;
        assert_eq!(again.text_of("decision_id"), made.text_of("decision_id"));
    }
}

#[tokio::test(start_paused = true)]
async fn another_amount_charge_or_a_denied_request_is_not_settled() {
    let ground = ground(InProcess::new().unwrap(), Retries::On).await;
    ground.ask(&refund("k1", 400, "ch_1")).await;
    assert_eq!(ground.ask(&refund("k2", 700, "ch_2")).await.word(), "denied");
    for (event, object, amount, charge) in
        [("evt_1", "re_1", 401, "ch_1"), ("evt_2", "re_2", 400, "ch_9"), ("evt_3", "re_3", 700, "ch_2")]
    {
        let told = observe(&ground, made(event, "refund.created", object, amount, charge, 60, "succeeded")).await;
        assert_eq!(told, ["movement.observed"], "{object}");
    }
    counted(&ground, &actor_row(), ",400,1,400,1]").await;
    counted(&ground, &account_row(), ",1901,4,400,1]").await;
}

#[tokio::test(start_paused = true)]
async fn an_hour_unused_it_expires_and_a_later_movement_is_ungoverned() {
    let ground = ground(InProcess::new().unwrap(), Retries::On).await;
    let asked = ground.ask(&refund("k1", 400, "ch_1")).await;
    at_secs(3_599);
    assert_eq!(expirer(&ground).run(mode()).await.unwrap(), Swept { ended: 0, failed: 0, open: 1, ..Swept::default() });
    at_secs(3_600);
    assert_eq!(expirer(&ground).run(other_mode()).await.unwrap(), Swept::default());
    assert_eq!(expirer(&ground).run(mode()).await.unwrap(), Swept { ended: 1, failed: 0, open: 0, ..Swept::default() });
    assert_eq!(expirer(&ground).run(mode()).await.unwrap(), Swept::default());
    assert_eq!(ground.counters(&actor_row()).await.as_deref(), Some("{}"));
    let read = ground.get(&format!("/api/v1/decisions/{}", asked.text_of("decision_id"))).await;
    assert_eq!((read.text_of("status").as_str(), read.text_of("outcome").as_str()), ("expired", "allowed"));
    let types: Vec<_> =
        ground.entries(&format!("{MODE}#acct_1#0")).await.iter().map(|entry| entry.ty().to_owned()).collect();
    assert_eq!(types, ["decision.made", "decision.expired"]);
    let told = observe(&ground, made("evt_1", "refund.created", "re_1", 400, "ch_1", 3_700, "succeeded")).await;
    assert_eq!(told, ["movement.observed"]);
    counted(&ground, &account_row(), ",400,1]").await;
    assert_eq!(ground.counters(&actor_row()).await.as_deref(), Some("{}"));
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_comes_late_settles_what_moved_in_time_only_while_it_is_open() {
    let ground = ground(InProcess::new().unwrap(), Retries::On).await;
    ground.ask(&refund("k1", 400, "ch_1")).await;
    at_secs(3_700);
    // Not swept yet: it moved within the hour, so it is the one that was allowed.
    let told = observe(&ground, made("evt_1", "refund.created", "re_1", 400, "ch_1", 3_500, "succeeded")).await;
    assert_eq!(told, ["movement.observed", "decision.settled"]);
    assert_eq!(expirer(&ground).run(mode()).await.unwrap(), Swept::default());
    counted(&ground, &actor_row(), ",400,1]").await;
}

/// Expiry and a late webhook race for one request, with every fault at every call: one of them wins, once.
#[test]
fn whatever_fails_a_hold_is_committed_or_released_exactly_once() {
    let set_up = async |account: InProcess, retries: Retries| {
        let ground = ground(account, retries).await;
        assert_eq!(ground.ask(&refund("k1", 400, "ch_1")).await.status, 200);
        at_secs(3_700);
        ground
    };
    let report = made("evt_1", "refund.created", "re_1", 400, "ch_1", 3_500, "succeeded");
    let race = async |ground: &Ground| -> Result<(), String> {
        let (observer, expirer) = (observer(ground), expirer(ground));
        let (observed, swept) = tokio::join!(observer.observe(vec![report.clone()]), expirer.run(mode()));
        for result in observed {
            result.map_err(|error| error.to_string())?;
        }
        swept.map_err(|error| error.to_string()).and_then(|swept| match swept.failed {
            0 => Ok(()),
            _ => Err("not ended".to_owned()),
        })
    };
    let check = async |ground: &Ground| -> Result<(), String> {
        let log = ground.entries(&format!("{MODE}#acct_1#0")).await;
        let mut tip = Tip::EMPTY;
        for entry in &log {
            if (entry.seq(), entry.prev()) != (tip.seq, tip.prev) {
                return Err(format!("entry {} does not follow", entry.seq()));
            }
            tip = entry.next_tip();
        }
        let mut types: Vec<_> = log.iter().map(|entry| entry.ty().to_owned()).collect();
        types.sort();
        let actor = ground.counters(&actor_row()).await.unwrap_or_default();
        let account = ground.counters(&account_row()).await.unwrap_or_default();
        // Settled: the agent's room is taken. Expired: the movement is ungoverned, and counts for the account all the same.
        let settled = types == ["decision.made", "decision.settled", "movement.observed"] && actor.contains(",400,1]");
        let expired = types == ["decision.expired", "decision.made", "movement.observed"] && actor == "{}";
        if (settled || expired) && account.contains(",400,1]") {
            Ok(())
        } else {
            Err(format!("{types:?}; actor {actor}; account {account}"))
        }
    };
    let report = Enumerator::new("a hold: webhook against expiry").second_faults(11);
    report.run(set_up, race, race, check).unwrap_or_else(|violation| panic!("{violation}"));
}
