//! What the limits of a plan say of a movement, beside what its policies say.

use std::collections::BTreeSet;

use axiru_domain::{Limit, LimitReading, Outcome, Reason, Usage};

use crate::answer::Answer;
use crate::asked::{Asked, CountedFor};

/// Named in `fact_unknown:…` where the counters of a subject were not read.
const UNREAD: &str = "usage";

/// The answer of a plan's policies and limits together, and every limit that applies as it stood.
///
/// The strictest part is the outcome, and the reasons are those that make it: policies and limits do not outvote each other.
pub(crate) fn weigh(answer: Answer, limits: &[Limit], asked: &Asked<'_>, usage: &Usage) -> (Answer, Vec<LimitReading>) {
    let mut readings = Vec::new();
    let (mut blocks, mut holds, mut asks) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let money = asked.movement.money;
    for limit in limits.iter().filter(|limit| limit.covers(asked.movement.kind(), money)) {
        let unknown = match asked.counted_for(limit.per) {
            CountedFor::Nobody => continue,
            CountedFor::Unknown(fact) => fact,
            CountedFor::Subject(subject) => match usage.reading(&subject, &limit.series, asked.at) {
                None => UNREAD,
                Some(reading) => {
                    let read = limit.read(subject, reading, money);
                    if read.passed {
                        let reasons = if limit.hold.is_none() { &mut blocks } else { &mut holds };
                        reasons.insert(Reason::Limit(limit.id.clone()));
                        asks.extend(limit.hold.clone());
                    }
                    readings.push(read);
                    continue;
                }
            },
        };
        holds.insert(Reason::FactUnknown(unknown.to_owned()));
        asks.extend(limit.hold.clone());
        if limit.hold.is_none() {
            holds.insert(Reason::BlockPossible);
        }
    }
    (merge(answer, blocks, holds, asks), readings)
}

fn merge(
    answer: Answer,
    blocks: BTreeSet<Reason>,
    holds: BTreeSet<Reason>,
    asks: BTreeSet<axiru_domain::Hold>,
) -> Answer {
    let limits = match (blocks.is_empty(), holds.is_empty()) {
        (false, _) => Answer::block(blocks),
        (true, false) => Answer { outcome: Outcome::RequireApproval, reasons: holds, holds: asks },
        (true, true) => return answer,
    };
    match answer.outcome.cmp(&limits.outcome) {
        std::cmp::Ordering::Greater => answer,
        std::cmp::Ordering::Less => limits,
        std::cmp::Ordering::Equal => Answer {
            outcome: answer.outcome,
            reasons: answer.reasons.into_iter().chain(limits.reasons).collect(),
            holds: answer.holds.into_iter().chain(limits.holds).collect(),
        },
    }
}
