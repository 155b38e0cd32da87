//! The plan document: the one sequence of bytes that a version of a plan is.
//!
//! Written as JSON with the keys in alphabetical order, no white space and no floats; its SHA-256 names the version.

use axiru_domain::{Kind, Limit};
use serde::{Deserialize, Serialize};

use crate::limit_text::{self, LimitText};
use crate::problem::{PlanError, Problem, Source};
use crate::rule::is_name;
use crate::text::deceptive;

/// The format's version.
const VERSION: u32 = 1;
/// Longest plan.json, in bytes: 100 limits of some 250 bytes, and the rest.
const MAX_HEAD: usize = 32_768;
/// Longest document, in bytes: the longest text with every character escaped in six.
const MAX_DOCUMENT: usize = crate::text::MAX_TEXT * 6 + MAX_HEAD;
/// Longest description, in characters.
const MAX_DESCRIPTION: usize = 500;

/// `plan.json`: what a plan is beside its policies.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    v: u32,
    name: String,
    description: String,
    kinds: Vec<Kind>,
    #[serde(default)]
    limits: Vec<LimitText>,
}

/// A plan with its policies. INVARIANT: the fields stand in alphabetical order, which is the order they are written in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Document {
    pub(crate) description: String,
    pub(crate) kinds: Vec<Kind>,
    /// Left out where there are none, so that a plan without limits is the same bytes as before there were any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) limits: Vec<LimitText>,
    pub(crate) name: String,
    pub(crate) policies: String,
    v: u32,
}

impl Document {
    /// From `plan.json` and `policies.cedar`.
    pub(crate) fn from_parts(plan_json: &str, policies: &str) -> Result<Self, PlanError> {
        let source = Source { file: "plan.json", text: plan_json };
        let head: Head = read(source, MAX_HEAD)?;
        // A checkout on Windows must not make another version of the plan.
        let policies = policies.replace("\r\n", "\n");
        let Head { v, name, description, kinds, limits } = head;
        let mut document = Self { description, kinds, limits, name, policies, v };
        document.check(source)?;
        document.sort();
        Ok(document)
    }

    /// From the bytes of a stored document.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, PlanError> {
        let empty = Source { file: "document", text: "" };
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let message = format!("byte {} is not UTF-8", error.valid_up_to());
            PlanError::new(vec![empty.problem(0, None, message, "")])
        })?;
        let source = Source { file: "document", text };
        let document: Self = read(source, MAX_DOCUMENT)?;
        document.check(source)?;
        let mut sorted = document.clone();
        sorted.sort();
        if document.bytes() != bytes || document != sorted {
            let message = "the document is not in its one canonical form".to_owned();
            return Err(PlanError::new(vec![source.problem(
                0,
                None,
                message,
                "documents are written by Axiru; edit plan.json and policies.cedar instead",
            )]));
        }
        Ok(document)
    }

    /// The one sequence of bytes that this plan is.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        // Strings, a number and words only: writing them to memory cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The limits, which [`Document::check`] has found sound.
    pub(crate) fn limits(&self) -> Vec<Limit> {
        self.limits.iter().filter_map(|limit| limit.limit().ok()).collect()
    }

    /// The order in which kinds and limits are named makes no other version.
    fn sort(&mut self) {
        self.kinds.sort_unstable();
        self.limits.iter_mut().for_each(LimitText::sort);
        self.limits.sort_by(|a, b| a.id.cmp(&b.id));
    }

    fn check(&self, source: Source<'_>) -> Result<(), PlanError> {
        let at = |key: &str| source.text.find(&format!("\"{key}\"")).unwrap_or(0);
        let mut problems: Vec<Problem> = Vec::new();
        let mut say =
            |key: &str, message: String, advice: &str| problems.push(source.problem(at(key), None, message, advice));
        if self.v != VERSION {
            say("v", format!("`v` is {}, this version of Axiru reads {VERSION}", self.v), "write `\"v\": 1`");
        }
        if !is_name(&self.name) {
            say("name", "`name` is not a plan's name".to_owned(), "use 1 to 64 lower-case letters, digits and `-`");
        }
        let length = self.description.chars().count();
        if self.description.trim().is_empty() || length > MAX_DESCRIPTION {
            say(
                "description",
                format!("`description` has {length} characters"),
                "say in 1 to 500 characters what the plan is for",
            );
        }
        if let Some((_, c)) = deceptive(&self.description) {
            say(
                "description",
                format!(
                    "`description` holds the character U+{:04X}, which is invisible or changes how it reads",
                    u32::from(c)
                ),
                "remove it",
            );
        }
        if self.kinds.is_empty() {
            say(
                "kinds",
                "`kinds` is empty, so the plan would never be asked".to_owned(),
                "name what it covers: `\"kinds\": [\"refund\"]`",
            );
        }
        let mut sorted = self.kinds.clone();
        sorted.sort_unstable();
        if let Some(kind) =
            sorted.windows(2).find_map(|pair| (pair.first() == pair.get(1)).then(|| pair.first()).flatten())
        {
            say("kinds", format!("`kinds` names `{kind}` twice"), "name each kind once");
        }
        problems.extend(limit_text::problems(source, &self.limits, &self.kinds));
        if problems.is_empty() { Ok(()) } else { Err(PlanError::new(problems)) }
    }
}

/// Reads JSON strictly: bounded, no unknown or repeated fields, nothing after it.
pub(crate) fn read<T: serde::de::DeserializeOwned>(source: Source<'_>, limit: usize) -> Result<T, PlanError> {
    let refuse = |line, column, message, advice: &str| {
        PlanError::new(vec![source.problem_at(line, column, None, message, advice)])
    };
    if source.text.len() > limit {
        return Err(refuse(1, 1, format!("{} bytes, at most {limit} are allowed", source.text.len()), "shorten it"));
    }
    // A list would pass for an object whose fields stand in order.
    if source.text.trim_start().starts_with('[') {
        return Err(refuse(1, 1, "a list where an object was expected".to_owned(), "begin with `{`"));
    }
    serde_json::from_str(source.text).map_err(|error| {
        let full = error.to_string();
        let message = full.split(" at line ").next().unwrap_or_default();
        let advice = if source.file == "cases.json" && message.contains("field") {
            "a case has the fields name, kind, actor, amount_minor, currency, facts, expect, reasons, and if wanted scope, operator, claimed, used"
        } else if message.contains("unknown variant") && message.contains("`refund`") {
            "`kinds` names kinds of movement, not families"
        } else if message.contains("field") && limit_text::is_about_limits(message) {
            "a limit has the fields id, per, kinds, currency, window, max_amount, max_count, on_exceed, approvers, quorum, expires, reason"
        } else if message.contains("unknown field") || message.contains("missing field") {
            "a plan.json has exactly the fields v, name, description, kinds, and if wanted limits"
        } else if error.is_syntax() || error.is_eof() {
            "this is not valid JSON: look for a missing comma, quote or bracket just before it"
        } else {
            ""
        };
        refuse(error.line().max(1), error.column().max(1), message.to_owned(), advice)
    })
}
