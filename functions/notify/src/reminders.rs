//! Reminders: after a half, three quarters and seven eighths of the time, to those who have not answered, and never often.

use axiru_aws::approval::Held;
use axiru_aws::mail::{Mailer, Mailing};
use axiru_aws::requests::RequestRow;
use axiru_domain::{Scope, Timestamp};
use axiru_pages::mail;

use crate::app::App;
use crate::asked;
use crate::deadline::Deadline;
use crate::post::{self, PostError, Silences};

/// Most reminders to a person about a request.
const MOST: u32 = 3;

/// Least time between two of them, in milliseconds.
const PAUSE_MS: i64 = 4 * 3_600_000;

/// Requests of less time than this are not reminded of, in milliseconds: whoever is asked for an answer at once has just been mailed.
const LEAST_MS: i64 = 3_600_000;

/// The moment of the `n`-th reminder, counted from 1: half of what is left of the time, again and again. None where there is none.
fn moment(asked_at: i64, until: i64, n: u32) -> Option<i64> {
    let whole = until.checked_sub(asked_at)?;
    (whole >= LEAST_MS && (1..=MOST).contains(&n)).then(|| until - (whole >> n))
}

/// Which reminder a person gets now, if any, after those that were sent at these moments.
fn due(asked_at: i64, until: i64, sent: &[i64], now: i64) -> Option<u32> {
    let n = u32::try_from(sent.len()).ok()? + 1;
    let rested = sent.iter().all(|at| now >= at.saturating_add(PAUSE_MS));
    (now < until && rested && moment(asked_at, until, n)? <= now).then_some(n)
}

/// Reminds those of a scope's approvers who have not answered.
pub(crate) async fn remind(app: &App, mailer: &Mailer, scope: &Scope, deadline: Deadline) -> Result<(), PostError> {
    let now = (app.now)().millis();
    let half = |row: &RequestRow| {
        let until = row.approval.as_ref().map(|approval| approval.until);
        until.is_some_and(|until| due(row.decided_at.millis(), until, &[], now).is_some())
    };
    let waiting: Vec<RequestRow> = app.store.waiting(scope).await?.rows.into_iter().filter(half).collect();
    if waiting.is_empty() {
        return Ok(());
    }
    let silences = app.store.silenced(scope).await?;
    let mut outcome = Ok(());
    for waiting in waiting {
        if deadline.is_over() {
            break;
        }
        match Box::pin(one(app, mailer, scope, &waiting, &silences)).await {
            Ok(()) | Err(PostError::Busy) => {}
            Err(error) => outcome = Err(error),
        }
    }
    outcome
}

async fn one(
    app: &App,
    mailer: &Mailer,
    scope: &Scope,
    waiting: &RequestRow,
    silences: &Silences,
) -> Result<(), PostError> {
    let held = post::held(app, scope, &waiting.id).await?.filter(|held| asked::is_open(app, held));
    let Some(held) = held else { return Ok(()) };
    // Whom nothing is due to costs no write.
    let Some(mailed) = app.store.mailed(scope, &waiting.id).await? else { return Ok(()) };
    if !held.asked().iter().any(|(person, _)| turn(app, &held, waiting, |turn| mailed.at(person, turn)).is_some()) {
        return Ok(());
    }
    let mut mailing = app.store.mailing(scope, &waiting.id, (app.now)()).await?.ok_or(PostError::Busy)?;
    let outcome = remind_all(app, mailer, &held, waiting, silences, &mut mailing).await;
    post::release(mailing, outcome).await
}

async fn remind_all(
    app: &App,
    mailer: &Mailer,
    held: &Held,
    waiting: &RequestRow,
    silences: &Silences,
    mailing: &mut Mailing,
) -> Result<(), PostError> {
    for (person, on_file) in held.asked() {
        let due = turn(app, held, waiting, |turn| mailing.mailed().at(&person, turn));
        // Who was never asked is asked first, which the ledger's follower does.
        let asked_before = mailing.mailed().at(&person, asked::ASKED).is_some();
        if let Some(turn) = due.filter(|_| asked_before) {
            asked::link(app, mailer, held, (&person, &on_file), silences, mailing, &turn, mail::reminder).await?;
        }
    }
    Ok(())
}

/// The turn of the reminder that a person gets now, if any.
fn turn(app: &App, held: &Held, waiting: &RequestRow, mailed: impl Fn(&str) -> Option<Timestamp>) -> Option<String> {
    let word = |n: u32| format!("reminder-{n}");
    let sent: Vec<i64> = (1..=MOST).map_while(|n| mailed(&word(n))).map(Timestamp::millis).collect();
    due(waiting.decided_at.millis(), held.approval().until, &sent, (app.now)().millis()).map(word)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: i64 = 3_600_000;

    #[test]
    fn reminders_come_after_a_half_three_quarters_and_seven_eighths() {
        let day = 24 * HOUR;
        for (sent, now, expected) in [
            (vec![], 12 * HOUR - 1, None),
            (vec![], 12 * HOUR, Some(1)),
            (vec![12 * HOUR], 18 * HOUR - 1, None),
            (vec![12 * HOUR], 18 * HOUR, Some(2)),
            (vec![12 * HOUR, 18 * HOUR], 21 * HOUR, None),
            (vec![12 * HOUR, 18 * HOUR], 22 * HOUR, Some(3)),
            (vec![12 * HOUR, 18 * HOUR, 22 * HOUR], day - 1, None),
            (vec![], day, None),
        ] {
            assert_eq!(due(0, day, &sent, now), expected, "{sent:?} {now}");
        }
    }

    #[test]
    fn a_request_of_an_hour_is_reminded_of_once_and_a_shorter_one_never() {
        assert_eq!(due(0, HOUR, &[], HOUR / 2), Some(1));
        assert_eq!(due(0, HOUR, &[HOUR / 2], HOUR - 1), None);
        assert_eq!(due(0, HOUR - 1, &[], HOUR - 2), None);
        assert_eq!(due(HOUR, 0, &[], 2 * HOUR), None);
    }

    proptest! {
        /// Whatever the run's rhythm: at most three, never two within four hours, none after the end, none before the half.
        #[test]
        fn nobody_is_reminded_often(whole in 0_i64..200 * HOUR, step in 60_000_i64..8 * HOUR) {
            let (mut sent, mut now) = (Vec::new(), 0);
            while now < whole + 2 * step {
                if due(0, whole, &sent, now).is_some() {
                    sent.push(now);
                }
                now += step;
            }
            prop_assert!(sent.len() <= 3);
            prop_assert!(sent.windows(2).all(|two| two[1] - two[0] >= PAUSE_MS));
            prop_assert!(sent.iter().all(|at| *at < whole && *at >= whole / 2));
        }
    }
}
