//! What a decision is asked about.

use axiru_domain::{Actor, Claimed, Fact, FactValue, Movement, Per, Subject, Timestamp};

/// One movement, who asks for it, and when: all that a decision depends on beside the plans and what has been counted.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// What is to move, or has moved.
    pub movement: &'a Movement,
    /// Who asks for it, or made it.
    pub actor: &'a Actor,
    /// The person responsible for the actor; none where nobody asked Axiru.
    pub operator: Option<&'a str>,
    /// What the caller claims.
    pub claimed: &'a Claimed,
    /// The moment that windows are read for: now, or for an observation when it moved.
    pub at: Timestamp,
}

/// Whom a limit counts a movement for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CountedFor {
    /// This subject.
    Subject(Subject),
    /// Nobody: the movement has no such subject, so the limit does not apply.
    Nobody,
    /// Somebody, but this fact is unknown: the limit holds the movement, and cannot count it.
    Unknown(&'static str),
}

impl Asked<'_> {
    /// Whom a limit `per` counts the movement for.
    #[must_use]
    pub fn counted_for(&self, per: Per) -> CountedFor {
        let known = |unknown, id: &str| Subject::new(per, id).map_or(CountedFor::Unknown(unknown), CountedFor::Subject);
        match (per, per.fact()) {
            (Per::Account, _) => CountedFor::Subject(Subject::account()),
            (Per::Actor, _) => match self.actor {
                Actor::Agent(_) | Actor::Staff(_) => known("actor", &self.actor.to_string()),
                // Whoever did not ask is nobody in particular.
                Actor::Operator(_) | Actor::Person(_) | Actor::External | Actor::Stripe | Actor::Axiru => {
                    CountedFor::Nobody
                }
            },
            (Per::Operator, _) => self.operator.map_or(CountedFor::Nobody, |id| known("operator", id)),
            (_, Some(fact)) => match self.movement.facts.get(fact) {
                Fact::Known(FactValue::Text(id)) => known(fact, id),
                Fact::Absent => CountedFor::Nobody,
                Fact::Known(_) | Fact::Unknown => CountedFor::Unknown(fact),
            },
            (_, None) => CountedFor::Nobody,
        }
    }
}
