//! Every fault at every I/O call of a movement that is made, to AWS and to Stripe, whatever its caller does then, whenever webhooks come,
//! and with a person who refunds in the Dashboard when they see a failure.

use axiru_in_process::{Enumerator, InProcess, Retries};
use serde_json::{Value, json};

use super::ground::{Answered, Ground, pass};

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
#[derive(Clone, Copy, Debug)]
struct Case {
    path: &'static str,
    form: fn(&Ground) -> String,
    /// The list of all such objects at Stripe.
    list: &'static str,
    amount: i64,
    /// Whether the windows of the plan count it.
    counted: bool,
}

const REFUND: Case = Case {
    path: "/v1/refunds",
    form: |ground| format!("charge={}&amount=700", ground.charge),
    list: "/v1/refunds",
    amount: 700,
    counted: true,
};

const PAYOUT: Case = Case {
    path: "/v1/payouts",
    form: |_| "amount=900&currency=usd".to_owned(),
    list: "/v1/payouts",
    amount: 900,
    counted: true,
};

const TRANSFER: Case = Case {
    path: "/v1/transfers",
    form: |_| "amount=300&currency=usd&destination=acct_payee".to_owned(),
    list: "/v1/transfers",
    amount: 300,
    counted: false,
};

/// Whether a caller is told that it failed, or will never be made.
fn is_failure(answer: &Answered) -> bool {
    (400..500).contains(&answer.status) && !matches!(answer.status, 409 | 429)
}

/// The call; again, if the caller does that.
async fn call(ground: &Ground, case: Case, caller: Caller) -> Option<Answered> {
    let form = (case.form)(ground);
    let tries = if caller == Caller::Retries { 6 } else { 1 };
    let mut last = None;
    for _ in 0..tries {
        let answer = ground.post("k1", case.path, &form).await;
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

/// The objects at Stripe that bear Axiru's mark, and all others.
fn at_stripe(ground: &Ground, case: Case) -> (Vec<Value>, Vec<Value>) {
    ground.at_stripe(case.list).into_iter().partition(|object| object["metadata"].get("axiru_request").is_some())
}

/// At most one effect, exactly one outcome that says what is so, windows that hold exactly what moved.
async fn exactly_one(ground: &Ground, case: Case, webhooks: Webhooks) -> Result<(), String> {
    let (made, by_hand) = at_stripe(ground, case);
    if made.len() > 1 {
        return Err(format!("{} effects", made.len()));
    }
    let types = ground.types().await;
    let count = |ty: &str| types.iter().filter(|other| *other == ty).count();
    let (decided, succeeded, failed) =
        (count("decision.made"), count("execution.succeeded"), count("execution.failed"));
    match (decided, made.len(), succeeded, failed) {
        // Nobody asked in the end: nothing was decided, and nothing made.
        (0, 0, 0, 0) | (1, 1, 1, 0) | (1, 0, 0, 1) => {}
        other => return Err(format!("(decided, made, succeeded, failed) = {other:?}: {types:?}")),
    }
    if count("execution.unknown") > 1 {
        return Err(format!("told as unknown twice: {types:?}"));
    }
    if webhooks != Webhooks::Never && count("movement.observed") != made.len() + by_hand.len() {
        return Err(format!("{} made, {} by hand: {types:?}", made.len(), by_hand.len()));
    }
    if case.counted {
        let (actor, account) = (ground.actor_counters().await, ground.counters("account#-").await);
        let holds = |text: &str, amount: i64| text.contains(&format!(",{amount},"));
        let mine =
            if made.is_empty() { !holds(&actor, case.amount) } else { actor.contains(&format!(",{},1]", case.amount)) };
        let moved = case.amount * i64::try_from(made.len()).unwrap();
        let by_hand: i64 = by_hand.iter().map(|object| object["amount"].as_i64().unwrap_or_default()).sum();
        let all = if webhooks == Webhooks::Never { moved } else { moved + by_hand };
        let everybodys =
            if all == 0 { !account.contains("],[") && !holds(&account, case.amount) } else { holds(&account, all) };
        if !mine || !everybodys {
            return Err(format!("{moved} moved and {by_hand} by hand; actor {actor}; account {account}"));
        }
    }
    Ok(())
}

fn enumerate(name: &str, case: Case, caller: Caller, webhooks: Webhooks, second: Option<usize>) {
    let set_up = async |account: InProcess, retries: Retries| Ground::new(account, retries, "enforce").await;
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
fn a_payout_is_made_once() {
    enumerate("payout, retried, webhooks late", PAYOUT, Caller::Retries, Webhooks::Late, None);
}

#[test]
fn a_transfer_is_made_once() {
    enumerate("transfer, given up, webhooks early", TRANSFER, Caller::GivesUp, Webhooks::Early, None);
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
        let (made, by_hand) = at_stripe(&ground, REFUND);
        if made.is_empty() && by_hand.is_empty() {
            let refund = json!({"charge": ground.charge, "amount": 700});
            ground.control(&format!("test/{}/refunds", super::ground::ACCOUNT), refund);
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
