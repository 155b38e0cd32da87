//! Asking people: who may answer a request that is held, what they have answered, and what follows.
//!
//! A pure state machine, beside the request's status. Three rules carry it. *The set is fixed when the request is held*: whoever leaves a
//! group may no longer answer, whoever joins it later was not asked. *Persons, not links*: a person answers once, and whoever asked (the
//! operator of the agent, the maker of its key) is never among those who answer. *One denial denies, and time denies.*
//!
//! The order of words follows Teleport's review thresholds and GitLab's approval rules: a group with a quorum, several groups where several
//! rules ask; a person who is in two groups counts in both.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{PersonId, RequestStatus, Timestamp};

/// How long an approved request may take to begin, in seconds: it is decided again by then, or not made.
pub const APPROVED_SECS: i64 = 900;

/// Digits of the action's hash that people are shown and compare.
const DIGITS: usize = 8;

/// What a person answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// It may be made.
    Approve,
    /// It may not.
    Deny,
}

impl Choice {
    /// The choice's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Deny => "deny",
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not a choice. It is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a choice: expected approve or deny")]
pub struct ChoiceError;

impl FromStr for Choice {
    type Err = ChoiceError;

    fn from_str(text: &str) -> Result<Self, ChoiceError> {
        match text {
            "approve" => Ok(Self::Approve),
            "deny" => Ok(Self::Deny),
            _ => Err(ChoiceError),
        }
    }
}

/// One group that is asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedGroup {
    /// The group's name.
    #[serde(rename = "g")]
    pub group: String,
    /// How many of them must approve.
    #[serde(rename = "q")]
    pub quorum: u32,
    /// Who may answer: the group's members when the request was held, without those who asked.
    #[serde(rename = "p")]
    pub approvers: BTreeSet<PersonId>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vote {
    /// Whose.
    #[serde(rename = "p")]
    pub person: PersonId,
    /// What.
    #[serde(rename = "c")]
    pub choice: Choice,
    /// When, in milliseconds since 1970.
    #[serde(rename = "t")]
    pub at: i64,
}

/// What people are asked about one request, and what they have answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Whom. Every one of these groups must approve.
    #[serde(rename = "g")]
    pub groups: Vec<AskedGroup>,
    /// Who asked for it: the operator of the agent and the maker of its key. They never answer.
    #[serde(rename = "o")]
    pub requesters: BTreeSet<PersonId>,
    /// What they are asked about: the reasons for which plans held it, `<plan> <reason>` each, with what the plan's author says of the
    /// rule. An approval answers these and no others.
    #[serde(rename = "r")]
    pub reasons: BTreeMap<String, Option<String>>,
    /// Until when they may answer, in milliseconds since 1970.
    #[serde(rename = "u")]
    pub until: i64,
    /// SHA-256, in hex, of exactly what is to be done.
    #[serde(rename = "a")]
    pub action: String,
    /// Grows by one whenever the links that were sent for it are called in.
    #[serde(rename = "e", default)]
    pub epoch: u32,
    /// The answers.
    #[serde(rename = "v", default, skip_serializing_if = "Vec::is_empty")]
    pub votes: Vec<Vote>,
    /// Once it is approved: until when it may begin, in milliseconds since 1970.
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub begins_by: Option<i64>,
}

/// What follows from an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voted {
    /// It counts, and more are needed.
    Counted,
    /// It completes the quorum: the request is approved.
    Approved,
    /// It denies the request.
    Denied,
    /// The same person said the same before; nothing changes.
    Before,
}

/// An answer that does not count. Nothing changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VoteRefused {
    /// The person was not asked, or is no longer one of those who may answer.
    #[error("this person may not answer")]
    NotAsked,
    /// The person is one of those who asked.
    #[error("who asked for it does not answer")]
    Own,
    /// The person said the opposite before.
    #[error("this person has answered otherwise before")]
    Opposite,
    /// The time to answer is over.
    #[error("the time to answer is over")]
    TooLate,
    /// The request is no longer held.
    #[error("the request is no longer held")]
    NotHeld,
}

/// How one group stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupStanding {
    /// The group.
    pub group: String,
    /// How many of them must approve.
    pub quorum: u32,
    /// How many have, who may still.
    pub approved: u32,
    /// How many may still answer at all, those who have included.
    pub able: u32,
}

impl Approval {
    /// The digits of the hash of what is to be done that people compare.
    #[must_use]
    pub fn digest(&self) -> String {
        self.action.chars().take(DIGITS).collect::<String>().to_ascii_uppercase()
    }

    /// Everybody who was asked.
    #[must_use]
    pub fn asked(&self) -> BTreeSet<&PersonId> {
        self.groups.iter().flat_map(|group| &group.approvers).collect()
    }

    /// The groups in which a person was asked.
    pub fn groups_of(&self, person: &PersonId) -> impl Iterator<Item = &AskedGroup> {
        self.groups.iter().filter(move |group| group.approvers.contains(person))
    }

    /// The person's answer.
    #[must_use]
    pub fn vote_of(&self, person: &PersonId) -> Option<&Vote> {
        self.votes.iter().find(|vote| vote.person == *person)
    }

    /// How the groups stand, where `still` says whether a person is a member of a group now.
    #[must_use]
    pub fn standing(&self, still: impl Fn(&str, &PersonId) -> bool) -> Vec<GroupStanding> {
        let count = |people: usize| u32::try_from(people).unwrap_or(u32::MAX);
        let of = |group: &AskedGroup| {
            let able: Vec<_> = group.approvers.iter().filter(|person| still(&group.group, person)).collect();
            let said = |person: &&&PersonId| self.vote_of(person).is_some_and(|vote| vote.choice == Choice::Approve);
            GroupStanding {
                group: group.group.clone(),
                quorum: group.quorum,
                approved: count(able.iter().filter(said).count()),
                able: count(able.len()),
            }
        };
        self.groups.iter().map(of).collect()
    }

    /// Whether every group has approved; never where nobody is asked.
    #[must_use]
    pub fn is_complete(&self, still: impl Fn(&str, &PersonId) -> bool) -> bool {
        let standing = self.standing(still);
        !standing.is_empty() && standing.iter().all(|group| group.quorum > 0 && group.approved >= group.quorum)
    }

    /// Somebody answers. `still` says whether a person is a member of a group now.
    ///
    /// # Errors
    /// [`VoteRefused`].
    pub fn vote(
        &mut self,
        status: RequestStatus,
        person: &PersonId,
        choice: Choice,
        still: impl Fn(&str, &PersonId) -> bool,
        now: Timestamp,
    ) -> Result<Voted, VoteRefused> {
        if self.requesters.contains(person) {
            return Err(VoteRefused::Own);
        }
        // What was said before stands, whatever became of the request since.
        if let Some(before) = self.vote_of(person) {
            return if before.choice == choice { Ok(Voted::Before) } else { Err(VoteRefused::Opposite) };
        }
        if status != RequestStatus::Pending {
            return Err(VoteRefused::NotHeld);
        }
        if now.millis() >= self.until {
            return Err(VoteRefused::TooLate);
        }
        if !self.groups_of(person).any(|group| still(&group.group, person)) {
            return Err(VoteRefused::NotAsked);
        }
        self.votes.push(Vote { person: person.clone(), choice, at: now.millis() });
        if choice == Choice::Deny {
            return Ok(Voted::Denied);
        }
        if self.is_complete(still) {
            self.begins_by = Some(now.plus_secs(APPROVED_SECS).millis());
            return Ok(Voted::Approved);
        }
        Ok(Voted::Counted)
    }

    /// Whether an approved request may begin now: in time, and with a quorum of those who are still members.
    #[must_use]
    pub fn may_begin(&self, status: RequestStatus, still: impl Fn(&str, &PersonId) -> bool, now: Timestamp) -> bool {
        let in_time = self.begins_by.is_some_and(|until| now.millis() < until);
        let denied = self.votes.iter().any(|vote| vote.choice == Choice::Deny);
        status == RequestStatus::Approved && in_time && !denied && self.is_complete(still)
    }

    /// Whether the votes that were cast satisfy these demands too: of each group, how many. What is asked now may be more than what was
    /// asked when the request was held.
    #[must_use]
    pub fn satisfies(&self, demands: &BTreeMap<String, u32>, still: impl Fn(&str, &PersonId) -> bool) -> bool {
        let standing = self.standing(still);
        demands
            .iter()
            .all(|(group, quorum)| standing.iter().any(|asked| asked.group == *group && asked.approved >= *quorum))
    }
}

#[cfg(test)]
mod tests;
