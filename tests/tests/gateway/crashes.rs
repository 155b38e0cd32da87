//! Every fault at every I/O call of a movement that is made, to AWS and to Stripe, whatever its caller does then, whenever webhooks come,
//! and with a person who refunds in the Dashboard when they see a failure.

use axiru_domain::RequestId;
use axiru_in_process::{Enumerator, InProcess, Retries};
use serde_json::{Value, json};

use super::answered::Answered;
use super::ground::{ACCOUNT, Ground, pass, scope};
use crate::played::MODE;

/// What the caller does when it is not told an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    /// Sends the same again, with the same key, until it is told.
    Retries,
    /// Sends it once, and never again.
    GivesUp,
}

/// When Stripe's webhooks come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Webhooks {
    /// As soon as Axiru has called, before anything else; and once more at the end.
    Early,
    /// After the sweeper has looked.
    Late,
    /// Not at all.
    Never,
}

/// A kind of movement, as calls.
#[derive(Clone, Copy)]
struct Case {
    kind: &'static str,
    /// What there must be at Stripe first.
    before: fn(&Ground),
    path: fn(&Ground) -> String,
    form: fn(&Ground) -> String,
    effects: fn(&Ground) -> Effects,
    amount: i64,
    /// Whether the windows of the plan count it.
    counted: bool,
}

/// What has happened at Stripe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Effects {
    /// By Axiru.
    made: usize,
    /// By others.
    by_hand: usize,
    by_hand_minor: i64,
}

/// Of a list: those that bear Axiru's receipt are Axiru's. A request that is only named may be named by anybody.
fn listed(ground: &Ground, list: &str) -> Effects {
    let mut effects = Effects::default();
    for object in ground.at_stripe(list) {
        if object["metadata"].get("axiru_receipt").is_some() {
            effects.made += 1;
        } else {
            effects.by_hand += 1;
            effects.by_hand_minor += object["amount"].as_i64().unwrap_or_default();
        }
    }
    effects
}

/// The id of the only object of a list.
fn only(ground: &Ground, list: &str) -> String {
    ground.at_stripe(list)[0]["id"].as_str().unwrap().to_owned()
}

fn control(ground: &Ground, what: &str, body: Value) {
    ground.control(&format!("{MODE}/{ACCOUNT}/{what}"), body);
}

const REFUND: Case = Case {
    kind: "refund",
    before: |_| (),
    path: |_| "/v1/refunds".to_owned(),
    form: |ground| format!("charge={}&amount=700", ground.charge),
    effects: |ground| listed(ground, "/v1/refunds"),
    amount: 700,
    counted: true,
};

/// All of a charge of 8.00, without saying how much that is: sent again, nothing is left.
const REFUND_ALL: Case = Case {
    before: |ground| {
        ground.charged(800);
    },
    form: |ground| {
        let of_eight = |charge: &Value| charge["amount"] == 800;
        let charge = ground.at_stripe("/v1/charges").into_iter().find(of_eight).unwrap();
        format!("charge={}", charge["id"].as_str().unwrap())
    },
    amount: 800,
    ..REFUND
};

const PAYOUT: Case = Case {
    kind: "payout",
    path: |_| "/v1/payouts".to_owned(),
    form: |_| "amount=900&currency=usd".to_owned(),
    effects: |ground| listed(ground, "/v1/payouts"),
    amount: 900,
    ..REFUND
};

const TRANSFER: Case = Case {
    kind: "transfer",
    path: |_| "/v1/transfers".to_owned(),
    form: |_| "amount=300&currency=usd&destination=acct_payee".to_owned(),
    effects: |ground| listed(ground, "/v1/transfers"),
    amount: 300,
    counted: false,
    ..REFUND
};

const REVERSAL: Case = Case {
    kind: "transfer_reversal",
    before: |ground| {
        control(ground, "transfers", json!({"destination": "acct_payee", "amount": 5_000, "currency": "usd"}))
    },
    path: |ground| format!("/v1/transfers/{}/reversals", only(ground, "/v1/transfers")),
    form: |_| "amount=400".to_owned(),
    effects: |ground| listed(ground, &format!("/v1/transfers/{}/reversals", only(ground, "/v1/transfers"))),
    amount: 400,
    counted: false,
};

const SUBMIT: Case = Case {
    kind: "dispute_submit",
    before: |ground| control(ground, "disputes", json!({"charge": ground.charge})),
    path: |ground| format!("/v1/disputes/{}", only(ground, "/v1/disputes")),
    form: |_| "evidence%5Bproduct_description%5D=A+chair".to_owned(),
    effects: |ground| {
        let submitted = ground.at_stripe("/v1/disputes")[0]["evidence_details"]["submission_count"].as_u64();
        Effects { made: usize::try_from(submitted.unwrap()).unwrap(), ..Effects::default() }
    },
    amount: 500_000,
    counted: false,
};

const ACCEPT: Case = Case {
    kind: "dispute_accept",
    path: |ground| format!("/v1/disputes/{}/close", only(ground, "/v1/disputes")),
    form: |_| String::new(),
    effects: |ground| {
        let lost = ground.at_stripe("/v1/disputes")[0]["status"] == "lost";
        Effects { made: usize::from(lost), ..Effects::default() }
    },
    ..SUBMIT
};

/// Whether a caller is told that it failed, or will never be made.
fn is_failure(answer: &Answered) -> bool {
    (400..500).contains(&answer.status) && !matches!(answer.status, 409 | 429)
}

/// The call; again, if the caller does that.
async fn call(ground: &Ground, case: Case, caller: Caller) -> Option<Answered> {
    let (path, form) = ((case.path)(ground), (case.form)(ground));
    let tries = if caller == Caller::Retries { 6 } else { 1 };
    let mut last = None;
    for _ in 0..tries {
        let answer = ground.post("k1", &path, &form).await;
        if answer.status == 200 || is_failure(&answer) {
            return Some(answer);
        }
        last = Some(answer);
        pass(2).await;
    }
    last
}

/// What people, Stripe and the schedule do after the call, whatever came of it: idempotent, as it may be run again.
async fn afterwards(ground: &Ground, case: Case, caller: Caller, webhooks: Webhooks) -> Result<(), String> {
    if webhooks == Webhooks::Early {
        ground.observe(ground.events()).await?;
    }
    if caller == Caller::Retries {
        call(ground, case, caller).await;
    }
    // Two looks, ten minutes apart, after the lease and the webhooks' time are over.
    for _ in 0..4 {
        pass(360).await;
        ground.sweep().await?;
    }
    if webhooks != Webhooks::Never {
        let events = ground.events();
        ground.observe(events.clone()).await?;
        // Stripe delivers at least once.
        ground.observe(events).await?;
    }
    Ok(())
}

/// At most one effect, exactly one outcome that says what is so, windows that hold exactly what moved.
async fn exactly_one(ground: &Ground, case: Case, webhooks: Webhooks) -> Result<(), String> {
    let effects = (case.effects)(ground);
    let Effects { made, by_hand, by_hand_minor } = effects;
    if made > 1 {
        return Err(format!("{made} effects"));
    }
    let entries = ground.entries().await;
    let types: Vec<&str> = entries.iter().map(|entry| entry.ty()).collect();
    let count = |ty: &str| types.iter().filter(|other| **other == ty).count();
    let (decided, succeeded, failed) =
        (count("decision.made"), count("execution.succeeded"), count("execution.failed"));
    match (decided, made, succeeded, failed) {
        // Nobody asked in the end: nothing was decided, and nothing made.
        (0, 0, 0, 0) | (1, 1, 1, 0) | (1, 0, 0, 1) => {}
        other => return Err(format!("(decided, made, succeeded, failed) = {other:?}: {types:?}")),
    }
    if count("execution.unknown") > 1 {
        return Err(format!("told as unknown twice: {types:?}"));
    }
    let seen = entries.iter().filter(|entry| entry.ty() == "movement.observed" && entry.fields()["kind"] == case.kind);
    if webhooks != Webhooks::Never && seen.count() != made + by_hand {
        return Err(format!("{effects:?}: {types:?}"));
    }
    if case.counted {
        let (actor, account) = (ground.actor_counters().await, ground.counters("account#-").await);
        let holds = |text: &str, amount: i64| text.contains(&format!(",{amount},"));
        let mine =
            if made == 0 { !holds(&actor, case.amount) } else { actor.contains(&format!(",{},1]", case.amount)) };
        let moved = case.amount * i64::try_from(made).unwrap();
        let all = if webhooks == Webhooks::Never { moved } else { moved + by_hand_minor };
        let everybodys =
            if all == 0 { !account.contains("],[") && !holds(&account, case.amount) } else { holds(&account, all) };
        if !mine || !everybodys {
            return Err(format!("{effects:?}; actor {actor}; account {account}"));
        }
    }
    Ok(())
}

fn enumerate(name: &str, case: Case, caller: Caller, webhooks: Webhooks, second: Option<usize>) {
    let set_up = async |account: InProcess, retries: Retries| {
        let ground = Ground::new(account, retries, "enforce").await;
        (case.before)(&ground);
        ground
    };
    let act = async |ground: &Ground| -> Result<(), String> {
        match call(ground, case, caller).await {
            Some(answer) if answer.status == 200 => Ok(()),
            Some(answer) => Err(format!("{}: {}", answer.status, answer.word())),
            None => Err("no answer".to_owned()),
        }
    };
    let recover = async |ground: &Ground| afterwards(&ground.restarted(), case, caller, webhooks).await;
    let check = async |ground: &Ground| exactly_one(&ground.restarted(), case, webhooks).await;
    let mut enumerator = Enumerator::new(name);
    if let Some(every) = second {
        enumerator = enumerator.second_faults(every);
    }
    enumerator.run(set_up, act, recover, check).unwrap_or_else(|violation| panic!("{violation}"));
}

#[test]
fn a_refund_whose_caller_retries_is_made_once() {
    enumerate("refund, retried, webhooks late", REFUND, Caller::Retries, Webhooks::Late, Some(41));
}

#[test]
fn a_refund_whose_caller_gives_up_has_one_outcome() {
    enumerate("refund, given up, webhooks late", REFUND, Caller::GivesUp, Webhooks::Late, Some(41));
}

#[test]
fn a_refund_told_by_its_webhook_first_is_adopted() {
    enumerate("refund, retried, webhooks early", REFUND, Caller::Retries, Webhooks::Early, Some(41));
}

#[test]
fn a_refund_without_any_webhook_is_found_by_looking() {
    enumerate("refund, given up, no webhooks", REFUND, Caller::GivesUp, Webhooks::Never, Some(41));
}

#[test]
fn all_that_is_left_is_refunded_once_and_the_retry_is_told_so() {
    enumerate("refund of all, retried, webhooks late", REFUND_ALL, Caller::Retries, Webhooks::Late, None);
}

#[test]
fn a_payout_is_made_once() {
    enumerate("payout, retried, webhooks late", PAYOUT, Caller::Retries, Webhooks::Late, None);
}

#[test]
fn a_transfer_is_made_once() {
    enumerate("transfer, given up, webhooks early", TRANSFER, Caller::GivesUp, Webhooks::Early, None);
}

#[test]
fn a_reversal_is_made_once() {
    enumerate("reversal, retried, webhooks late", REVERSAL, Caller::Retries, Webhooks::Late, None);
}

#[test]
fn evidence_is_submitted_once() {
    enumerate("evidence, given up, webhooks late", SUBMIT, Caller::GivesUp, Webhooks::Late, None);
}

#[test]
fn a_dispute_is_accepted_once() {
    enumerate("dispute accepted, given up, no webhooks", ACCEPT, Caller::GivesUp, Webhooks::Never, None);
}

/// A person refunds the same in the Dashboard in the middle of Axiru's own call, before each of its I/O calls in turn, and names Axiru's
/// request on their refund: it is theirs all the same.
#[tokio::test(start_paused = true)]
async fn a_person_who_refunds_meanwhile_is_not_taken_for_axiru() {
    let mut points = 0;
    for number in 0..16 {
        for webhooks in [Webhooks::Early, Webhooks::Late] {
            let ground = Ground::new(InProcess::new().unwrap(), Retries::Off, "enforce").await;
            ground.account.clear_calls();
            let request = RequestId::of(&scope(), &"agent:ag_1".parse().unwrap(), &"k1".parse().unwrap());
            let (sandbox, charge) = (ground.stripe.sandbox().clone(), ground.charge.clone());
            let mut done = false;
            ground.account.between(move |call| {
                if call.number == number && !done {
                    done = true;
                    let refund =
                        json!({"charge": charge, "amount": 700, "metadata": {"axiru_request": request.as_str()}});
                    sandbox.control("POST", &format!("{MODE}/{ACCOUNT}/refunds"), refund).unwrap();
                }
                async {}
            });
            call(&ground, REFUND, Caller::Retries).await;
            afterwards(&ground, REFUND, Caller::Retries, webhooks).await.unwrap();
            exactly_one(&ground, REFUND, webhooks)
                .await
                .unwrap_or_else(|fault| panic!("before call {number}: {fault}"));
            points += (REFUND.effects)(&ground).by_hand;
        }
    }
    println!("a person's refund in the middle: {points} points");
    assert!(points >= 26, "{points}");
}

/// A person who sees a failure, or no answer, refunds the rest by hand in the Dashboard. Afterwards Axiru makes nothing of what failed.
#[test]
fn a_person_who_refunds_by_hand_after_a_failure_meets_no_second_refund() {
    let set_up = async |account: InProcess, retries: Retries| Ground::new(account, retries, "enforce").await;
    let act = async |ground: &Ground| -> Result<(), String> {
        let answer = call(ground, REFUND, Caller::GivesUp).await;
        if answer.as_ref().is_some_and(|answer| answer.status == 200) { Ok(()) } else { Err("not made".to_owned()) }
    };
    let recover = async |ground: &Ground| -> Result<(), String> {
        let ground = ground.restarted();
        if (REFUND.effects)(&ground) == Effects::default() {
            let refund = json!({"charge": ground.charge, "amount": 700});
            control(&ground, "refunds", refund);
        }
        afterwards(&ground, REFUND, Caller::GivesUp, Webhooks::Late).await
    };
    let check = async |ground: &Ground| -> Result<(), String> {
        let ground = ground.restarted();
        let all = ground.at_stripe("/v1/refunds");
        // What Stripe does late with a send that was lost is Stripe's alone: nothing that Axiru starts comes after the person.
        match all.len() {
            1 => exactly_one(&ground, REFUND, Webhooks::Late).await,
            other => Err(format!("{other} refunds")),
        }
    };
    let report = Enumerator::new("refund, given up, then refunded by hand").second_faults(41);
    report.run(set_up, act, recover, check).unwrap_or_else(|violation| panic!("{violation}"));
}
