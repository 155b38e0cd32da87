//! Strict validation: from a plan's text to policies that can be trusted, or every problem with its line.

use std::collections::{BTreeMap, BTreeSet};

use axiru_domain::{Family, Kind};
use cedar_policy::{ActionConstraint, EntityUid, Policy, PolicyId, PolicySet, ValidationMode, Validator};
use miette::Diagnostic;

use crate::document::Document;
use crate::expression::{self, Reading};
use crate::problem::{PlanError, Problem, Source};
use crate::rule::{self, Rule};
use crate::schema::schema;
use crate::text::{self, Statement};

/// A policy that passed every check.
#[derive(Debug)]
pub(crate) struct Checked {
    /// The policy, under its `@id`.
    pub(crate) policy: Policy,
    pub(crate) rule: Rule,
    /// The kinds that its action scope names.
    pub(crate) kinds: BTreeSet<Kind>,
    /// Where it begins in the text, in bytes.
    offset: usize,
}

/// The policies of a document.
pub(crate) fn policies(document: &Document, file: &'static str) -> Result<Vec<Checked>, PlanError> {
    // In a stored document the places are those within its policies' text.
    let source = Source { file, text: &document.policies };
    let statements = text::statements(source.text);
    let mut problems = text::problems(source, &statements);
    if !problems.is_empty() {
        return Err(PlanError::new(problems));
    }
    let mut checked: Vec<Checked> = Vec::new();
    for statement in &statements {
        match policy(source, statement, &document.kinds) {
            Ok(policy) => checked.push(policy),
            Err(found) => problems.extend(found),
        }
    }
    problems.extend(repeated_ids(source, &checked));
    problems.extend(types(source, &checked));
    if problems.is_empty() {
        problems.extend(silent_kinds(source, &checked, &document.kinds));
    }
    if problems.is_empty() { Ok(checked) } else { Err(PlanError::new(problems)) }
}

/// One policy: its syntax, annotations, action scope and expressions.
fn policy(source: Source<'_>, statement: &Statement<'_>, covered: &[Kind]) -> Result<Checked, Vec<Problem>> {
    let parsed = Policy::parse(None, statement.text).map_err(|errors| {
        errors.iter().map(|error| syntax(source, statement, error)).collect::<Vec<_>>()
    })?;
    let name = parsed.annotation("id").filter(|id| rule::is_name(id)).map(str::to_owned);
    let at = |near: &str| statement.offset.saturating_add(statement.text.find(near).unwrap_or(0));
    let say = |offset, message, advice: &str| source.problem(offset, name.as_deref(), message, advice);

    let mut problems = Vec::new();
    let mut reading = match parsed.to_json() {
        Ok(json) => expression::read(&json),
        Err(error) => {
            problems.push(say(statement.offset, error.to_string(), "write the policy in a simpler way"));
            Reading::default()
        }
    };
    for mistake in std::mem::take(&mut reading.mistakes) {
        problems.push(say(at(&mistake.near), mistake.message, &mistake.advice));
    }
    let kinds = match scope(&parsed.action_constraint(), covered) {
        Ok(kinds) => kinds,
        Err((message, advice)) => {
            problems.push(say(at("action"), message, &advice));
            BTreeSet::new()
        }
    };
    match rule::rule(&parsed, reading) {
        Ok(rule) if problems.is_empty() => {
            let policy = parsed.new_id(PolicyId::new(rule.id()));
            Ok(Checked { policy, rule, kinds, offset: statement.offset })
        }
        Ok(_) => Err(problems),
        Err(found) => {
            let near = |annotation: &str| if annotation.is_empty() { statement.offset } else { at(&format!("@{annotation}")) };
            problems.extend(found.into_iter().map(|p| say(near(p.annotation), p.message, p.advice)));
            Err(problems)
        }
    }
}

/// Cedar's own message for a policy that does not parse, with our advice where Cedar has none.
fn syntax(source: Source<'_>, statement: &Statement<'_>, error: &(impl Diagnostic + ?Sized)) -> Problem {
    let message = error.to_string();
    let advice = if statement.text.contains("?principal") || statement.text.contains("?resource") {
        "templates are not used in plans: write the policy without `?principal` and `?resource`".to_owned()
    } else if let Some(help) = error.help() {
        help.to_string()
    } else if statement.text.ends_with(';') {
        "look for a missing `;`, quote or bracket just before it".to_owned()
    } else {
        "every policy ends with `;`".to_owned()
    };
    let found = label(error);
    let message = match found.1 {
        Some(text) if !message.contains(&text) => format!("{message}: {text}"),
        _ => message,
    };
    source.problem(statement.offset.saturating_add(found.0), None, message, &advice)
}

/// The first place that a message of Cedar points at, in bytes from the policy's beginning, and what it says there.
fn label(error: &(impl Diagnostic + ?Sized)) -> (usize, Option<String>) {
    error
        .labels()
        .and_then(|mut labels| labels.next())
        .map_or((0, None), |label| (label.offset(), label.label().map(str::to_owned)))
}

/// The kinds of movement that an action of the schema names.
fn action_kinds(action: &EntityUid, exact: bool) -> Option<Vec<Kind>> {
    if action.type_name().to_string() != "Axiru::Action" {
        return None;
    }
    let id = action.id().unescaped();
    if let Ok(kind) = id.parse::<Kind>() {
        return Some(vec![kind]);
    }
    let family = Family::ALL.into_iter().find(|family| family.as_str() == id).filter(|_| !exact)?;
    Some(Kind::ALL.into_iter().filter(|kind| kind.family() == family).collect())
}

/// The kinds that an action scope names, all of which the plan must cover.
fn scope(constraint: &ActionConstraint, covered: &[Kind]) -> Result<BTreeSet<Kind>, (String, String)> {
    let (actions, exact): (&[EntityUid], bool) = match constraint {
        ActionConstraint::Any => (&[], false),
        ActionConstraint::In(actions) => (actions, false),
        ActionConstraint::Eq(action) => (std::slice::from_ref(action), true),
    };
    let mut kinds = BTreeSet::new();
    if matches!(constraint, ActionConstraint::Any) {
        kinds.extend(Kind::ALL);
    }
    for action in actions {
        let Some(named) = action_kinds(action, exact) else {
            let message = format!("`{action}` is not an action");
            let kinds: Vec<_> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
            let families: Vec<_> = Family::ALL.iter().map(|family| family.as_str()).collect();
            let advice = format!(
                "write `action == Axiru::Action::\"…\"` with one of {}, or `action in Axiru::Action::\"…\"` with one of {}",
                kinds.join(", "),
                families.join(", ")
            );
            return Err((message, advice));
        };
        kinds.extend(named);
    }
    let outside: Vec<_> = kinds.iter().filter(|kind| !covered.contains(kind)).map(|kind| format!("`{kind}`")).collect();
    if outside.is_empty() {
        return Ok(kinds);
    }
    let message = match constraint {
        ActionConstraint::Any => "`action` stands for every kind of movement, and the plan does not cover all of them".to_owned(),
        _ => format!("the policy speaks of {}, which the plan does not cover", outside.join(", ")),
    };
    let example = covered.first().map_or("refund", |kind| kind.as_str());
    Err((message, format!("narrow it to `action == Axiru::Action::\"{example}\"`, or add the kind to `kinds` in plan.json")))
}

/// Ids that are used twice.
fn repeated_ids(source: Source<'_>, checked: &[Checked]) -> Vec<Problem> {
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    let mut problems = Vec::new();
    for policy in checked {
        let id = policy.rule.id();
        if first.contains_key(id) {
            let message = "the id is used by an earlier policy".to_owned();
            problems.push(source.problem(policy.offset, Some(id), message, "give every policy an id of its own: it is how decisions name the rule"));
        } else {
            first.insert(id, policy.offset);
        }
    }
    problems
}

/// Cedar's strict validation against the schema, one policy at a time so that each keeps its place.
fn types(source: Source<'_>, checked: &[Checked]) -> Vec<Problem> {
    let schema = match schema() {
        Ok(schema) => schema,
        Err(error) => return vec![source.problem(0, None, format!("the schema is unusable: {error}"), "")],
    };
    let validator = Validator::new(schema.clone());
    let mut problems = Vec::new();
    for policy in checked {
        let Ok(set) = PolicySet::from_policies([policy.policy.clone()]) else { continue };
        let result = validator.validate(&set, ValidationMode::Strict);
        for error in result.validation_errors() {
            problems.push(ill_typed(source, policy, error));
        }
        for warning in result.validation_warnings() {
            problems.push(ill_typed(source, policy, warning));
        }
    }
    problems
}

fn ill_typed(source: Source<'_>, policy: &Checked, error: &(impl Diagnostic + ?Sized)) -> Problem {
    let full = error.to_string();
    // Cedar begins with "for policy `id`, ", which the problem says already.
    let message = full.strip_prefix(&format!("for policy `{}`, ", policy.rule.id())).unwrap_or(&full);
    let advice = match error.help() {
        Some(help) => help.to_string(),
        None if message.contains("not found") => "`axiru plan schema` lists what a policy may read".to_owned(),
        None if message.contains("impossible") => "it can never be satisfied: check what it compares, or remove it".to_owned(),
        None => String::new(),
    };
    source.problem(policy.offset.saturating_add(label(error).0), Some(policy.rule.id()), message.to_owned(), &advice)
}

/// Kinds that the plan covers and no policy speaks of.
fn silent_kinds(source: Source<'_>, checked: &[Checked], covered: &[Kind]) -> Vec<Problem> {
    let silent = covered.iter().filter(|kind| !checked.iter().any(|policy| policy.kinds.contains(kind)));
    silent
        .map(|kind| {
            let message = format!("the plan covers `{kind}` but no policy speaks of it, so every one would be blocked");
            let advice = format!("permit what may move: `permit(principal, action == Axiru::Action::\"{kind}\", resource);`, or take the kind out of `kinds` in plan.json");
            source.problem(0, None, message, &advice)
        })
        .collect()
}
