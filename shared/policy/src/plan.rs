//! A plan: its document, its rules, and its policies cut into one slice per kind of movement.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use axiru_domain::{Kind, Limit, PolicyMode, Usage, Verdict};
use sha2::{Digest, Sha256};

use crate::demand::Demand;
use crate::document::Document;
use crate::limit_text::LimitText;
use crate::problem::{PlanError, Problem, Source};
use crate::question::Question;
use crate::rule::Rule;
use crate::slice::Slice;
use crate::{answer, check, limit_text, limits};

/// A validated plan, ready to be asked.
pub struct Plan {
    document: Document,
    bytes: Vec<u8>,
    sha256: String,
    rules: Vec<Rule>,
    /// Where each rule and limit that asks people stands: a problem without words.
    places: BTreeMap<String, Problem>,
    slices: BTreeMap<Kind, Slice>,
    limits: Vec<Limit>,
}

/// Name and version only: the policies are long.
impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plan({} {})", self.document.name, self.sha256)
    }
}

impl Plan {
    /// The plan of a `plan.json` and its `policies.cedar`.
    ///
    /// # Errors
    /// [`PlanError`] with every problem found and its place.
    pub fn parse(plan_json: &str, policies_cedar: &str) -> Result<Self, PlanError> {
        let head = Source { file: "plan.json", text: plan_json };
        Self::new(Document::from_parts(plan_json, policies_cedar)?, head, "policies.cedar")
    }

    /// The plan of a stored document, which is validated again: nothing that could not be saved today is asked.
    ///
    /// # Errors
    /// [`PlanError`], also where the bytes are not the document's one canonical form.
    pub fn from_document(bytes: &[u8]) -> Result<Self, PlanError> {
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        Self::new(Document::from_bytes(bytes)?, Source { file: "document", text }, "document")
    }

    fn new(document: Document, head: Source<'_>, file: &'static str) -> Result<Self, PlanError> {
        let policies = check::policies(&document, file)?;
        let limits = document.limits();
        let clashes = limit_text::clashes(head, &limits, policies.iter().map(|policy| policy.rule.id()));
        if !clashes.is_empty() {
            return Err(PlanError::new(clashes));
        }
        let slice = |kind: &Kind| Slice::of(*kind, &policies).map(|slice| (*kind, slice));
        let slices = document.kinds.iter().map(slice).collect::<Result<_, _>>().map_err(|message| {
            let source = Source { file, text: &document.policies };
            PlanError::new(vec![source.problem(0, None, message, "")])
        })?;
        let source = Source { file, text: &document.policies };
        let asking = policies.iter().filter(|policy| policy.rule.hold().is_some()).map(|policy| {
            let id = policy.rule.id();
            (id.to_owned(), source.problem(policy.offset, Some(id), String::new(), ""))
        });
        let limited = limits.iter().filter(|limit| limit.hold.is_some()).map(|limit| {
            let at = limit_text::place_of(head.text, &limit.id);
            (limit.id.clone(), head.problem(at, None, String::new(), ""))
        });
        let places = asking.chain(limited).collect();
        let rules = policies.into_iter().map(|policy| policy.rule).collect();
        let bytes = document.bytes();
        let sha256 = hex(&Sha256::digest(&bytes));
        Ok(Self { document, bytes, sha256, rules, places, slices, limits })
    }

    /// The plan's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.document.name
    }

    /// What the plan is for.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.document.description
    }

    /// The kinds of movement it covers, in the domain's order.
    #[must_use]
    pub fn kinds(&self) -> &[Kind] {
        &self.document.kinds
    }

    /// The Cedar text.
    #[must_use]
    pub fn policies(&self) -> &str {
        &self.document.policies
    }

    /// The rules, in the order of the text.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// What its rules and limits say of the people they ask for.
    pub fn demands(&self) -> impl Iterator<Item = Demand> {
        self.rules.iter().filter_map(Rule::demand).chain(self.document.limits.iter().filter_map(LimitText::demand))
    }

    /// Refuses the plan where it asks a group that `knows` does not know, with what `advice` says of the group.
    ///
    /// # Errors
    /// [`PlanError`] with every rule and limit that asks such a group, and its place.
    pub fn asks_only(&self, knows: impl Fn(&str) -> bool, advice: impl Fn(&str) -> String) -> Result<(), PlanError> {
        let unknown =
            self.demands().filter(|demand| !knows(&demand.group)).filter_map(|Demand { rule, group, .. }| {
                let place = self.places.get(&rule)?.clone();
                // Limits are named in the message, as in the other problems of plan.json.
                let who = if place.policy.is_some() { String::new() } else { format!("limit `{rule}`: ") };
                let message = format!("{who}asks the group `{group}`, which has never had a member");
                Some(Problem { message, advice: advice(&group), ..place })
            });
        let unknown: Vec<Problem> = unknown.collect();
        if unknown.is_empty() { Ok(()) } else { Err(PlanError::new(unknown)) }
    }

    /// The limits, in the order of their ids.
    #[must_use]
    pub fn limits(&self) -> &[Limit] {
        &self.limits
    }

    /// The plan document: the bytes that this version is.
    #[must_use]
    pub fn document(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256 of the document in lower-case hex: the version's name.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Whether the plan is asked about movements of this kind.
    #[must_use]
    pub fn covers(&self, kind: Kind) -> bool {
        self.slices.contains_key(&kind)
    }

    /// The facts that its policies read of this kind, and those that its limits count by.
    pub fn facts_read(&self, kind: Kind) -> impl Iterator<Item = &'static str> {
        let counted = self.limits.iter().filter(move |limit| limit.series.kinds().contains(&kind));
        let read = self.slices.get(&kind).into_iter().flat_map(Slice::facts);
        read.chain(counted.filter_map(|limit| limit.per.fact()))
    }

    /// The plan's verdict; none for a kind that it does not cover.
    pub(crate) fn verdict(&self, question: &Question<'_>, usage: &Usage, policy_mode: PolicyMode) -> Option<Verdict> {
        let asked = question.asked();
        let answer = answer::answer(self.slices.get(&asked.movement.kind())?, question);
        let (answer, limits) = limits::weigh(answer, &self.limits, asked, usage);
        Some(Verdict {
            plan: self.name().to_owned(),
            plan_sha256: self.sha256.clone(),
            policy_mode,
            outcome: answer.outcome,
            reasons: answer.reasons,
            holds: answer.holds,
            limits,
        })
    }
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len().saturating_mul(2)), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
