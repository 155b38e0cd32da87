//! What a decision that holds needs beside itself: whom it asks, and what they are shown. Read and asked for only where something is held:
//! people wait for people, callers who are allowed do not.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use axiru_domain::{Approval, Decision, Fact, Facts, Timestamp};
use axiru_policy::PlanSet;
use axiru_stripe::gateway::Moves;

use super::view::{Learnt, View};
use super::{Course, Decider, Undecided};
use crate::approval::{action_sha256, terms};
use crate::facts;
use crate::groups::{self, Group};
use crate::keys::Key;
use crate::reads::Reads;

/// How long Stripe may take to tell what people are shown. What it has not told by then is shown as not known.
const SHOWN: Duration = Duration::from_millis(600);

/// What people are asked, and what is known for them to see.
pub(super) struct Asking {
    pub(super) approval: Approval,
    pub(super) facts: Facts,
}

impl Decider {
    /// On which terms people are asked.
    pub(super) async fn asking(
        &self,
        course: &mut Course<'_>,
        view: &View,
        key: &Key,
        plans: &PlanSet,
        decision: &Decision,
        now: Timestamp,
    ) -> Result<Asking, Undecided> {
        let names = terms::groups_of(decision, plans);
        let rows: BTreeSet<_> = names.iter().map(|name| groups::key_of(&course.scope, name)).collect();
        let (reads, shown) = tokio::join!(Reads::fetch(&self.store, &rows), self.shown(course, view, now));
        let reads = reads?;
        let mut groups = BTreeMap::new();
        for name in names {
            let group = Group::of(&name, reads.get(&groups::key_of(&course.scope, &name)))?;
            groups.insert(name, group);
        }
        let terms = terms::Terms {
            plans,
            groups: &groups,
            caps: &self.caps,
            requesters: [key.operator.clone(), key.issuer.clone()].into(),
            money: course.ask.money(),
            action: action(course)?,
            now,
        };
        let approval = terms.approval(decision);
        let mut facts = view.movement.facts.clone();
        for (name, value) in &shown {
            // A value that no fact can have is none that Stripe has told.
            let _ = facts.set(name, value.clone().map_or(Fact::Absent, Fact::Known));
        }
        course.shown = Some(shown);
        Ok(Asking { approval, facts })
    }

    /// What Stripe tells for people to see, beside what plans have read.
    async fn shown(&self, course: &Course<'_>, view: &View, now: Timestamp) -> Learnt {
        if let Some(shown) = &course.shown {
            return shown.clone();
        }
        let unknown = |name: &&&str| view.movement.facts.get(name) == &Fact::Unknown;
        let wanted: BTreeSet<_> = facts::askable(course.ask.intent.kind()).iter().filter(unknown).copied().collect();
        let asked = tokio::time::timeout(SHOWN, self.learn(course, &wanted, now)).await;
        asked.map(|(learnt, _)| learnt).unwrap_or_default()
    }
}

/// What exactly would be done. Where the caller would do it, the request itself.
fn action(course: &Course<'_>) -> Result<String, Undecided> {
    let Some(parameters) = &course.ask.parameters else { return Ok(course.digest.clone()) };
    let moves = Moves::from_stored(&parameters.stored).map_err(|_| Undecided::NoSeal)?;
    Ok(action_sha256(&course.scope, &moves, course.ask.money()))
}
