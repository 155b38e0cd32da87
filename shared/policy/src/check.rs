//! Strict validation: from a plan's text to policies that can be trusted, or every problem with its line.

use std::collections::{BTreeMap, BTreeSet};

use axiru_domain::{FactSpec, Family, Kind};
use cedar_policy::{ActionConstraint, EntityUid, Policy, PolicyId, PolicySet, ValidationMode, Validator};
use miette::Diagnostic;

use crate::document::Document;
use crate::expression::{self, Mistake, Reading};
use crate::hint;
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
    pub(crate) offset: usize,
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
    let parsed = Policy::parse(None, statement.text)
        .map_err(|errors| errors.iter().map(|error| syntax(source, statement, error)).collect::<Vec<_>>())?;
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
    let kinds = match scope(&parsed.action_constraint(), covered) {
        Ok(kinds) => kinds,
        Err((message, advice)) => {
            problems.push(say(at("action"), message, &advice));
            BTreeSet::new()
        }
    };
    reading.mistakes.extend(reading.names.iter().filter_map(|name| no_such_fact(name, &kinds, statement.text)));
    for mistake in std::mem::take(&mut reading.mistakes) {
        problems.push(say(at(&mistake.near), mistake.message, &mistake.advice));
    }
    match rule::rule(&parsed, reading) {
        Ok(rule) if problems.is_empty() => {
            let policy = parsed.new_id(PolicyId::new(rule.id()));
            Ok(Checked { policy, rule, kinds, offset: statement.offset })
        }
        Ok(_) => Err(problems),
        Err(found) => {
            let near =
                |annotation: &str| if annotation.is_empty() { statement.offset } else { at(&format!("@{annotation}")) };
            problems.extend(found.into_iter().map(|p| say(near(p.annotation), p.message, p.advice)));
            Err(problems)
        }
    }
}

/// Cedar's own message for a policy that does not parse, with our advice for the usual mistakes.
fn syntax(source: Source<'_>, statement: &Statement<'_>, error: &(impl Diagnostic + ?Sized)) -> Problem {
    let (at, said) = label(error);
    let mut message = error.to_string();
    if message == "invalid token" {
        let c = statement.text.get(at..).and_then(|rest| rest.chars().next());
        message = c.map_or(message, |c| format!("`{c}` cannot stand here"));
    } else if let Some(said) = said.filter(|said| !message.contains(said)) {
        message = format!("{message}: {said}");
    }
    let advice = match (hint::hint(statement.text, at), error.help()) {
        (Some(hint), _) => hint.to_owned(),
        (None, Some(help)) => help.to_string(),
        (None, None) => "look for a missing `;`, quote or bracket just before it".to_owned(),
    };
    source.problem(statement.offset.saturating_add(at), None, message, &advice)
}

/// The first place that a message of Cedar points at, in bytes from the policy's beginning, and what it says there.
fn label(error: &(impl Diagnostic + ?Sized)) -> (usize, Option<String>) {
    error
        .labels()
        .and_then(|mut labels| labels.next())
        .map_or((0, None), |label| (label.offset(), label.label().map(str::to_owned)))
}

/// A name that no kind of the policy has: Cedar takes `context has name` for false then, and the rule would never fire.
fn no_such_fact(name: &str, kinds: &BTreeSet<Kind>, text: &str) -> Option<Mistake> {
    let names = || {
        kinds.iter().flat_map(|kind| FactSpec::of(*kind)).map(|spec| spec.name).chain([
            "amount_minor",
            "currency",
            "claimed",
        ])
    };
    if kinds.is_empty() || names().any(|known| known == name) {
        return None;
    }
    let of: Vec<_> = kinds.iter().map(|kind| kind.as_str()).collect();
    let meant = hint::nearest(name, names()).map(|meant| format!("did you mean `{meant}`? ")).unwrap_or_default();
    Some(Mistake {
        message: format!("`{name}` is no fact of {}", of.join(", ")),
        advice: format!("{meant}`axiru plan schema` lists them"),
        near: [format!("has {name}"), format!("context.{name}")]
            .into_iter()
            .find(|near| text.contains(near))
            .unwrap_or_default(),
    })
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

/// What to write instead of an action that there is not.
fn action_advice(action: &EntityUid) -> String {
    let id = action.id().unescaped();
    if Family::ALL.iter().any(|family| family.as_str() == id) {
        return format!("a family takes `in`: write `action in Axiru::Action::\"{id}\"`");
    }
    if Kind::ALL.iter().any(|kind| kind.as_str() == id) {
        return format!("write `action == Axiru::Action::\"{id}\"`");
    }
    let kinds: Vec<_> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
    let families: Vec<_> = Family::ALL.iter().map(|family| family.as_str()).collect();
    format!(
        "write `action == Axiru::Action::\"…\"` with one of {}, or `action in Axiru::Action::\"…\"` with one of {}",
        kinds.join(", "),
        families.join(", ")
    )
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
            let advice = action_advice(action);
            return Err((message, advice));
        };
        kinds.extend(named);
    }
    let outside: Vec<_> = kinds.iter().filter(|kind| !covered.contains(kind)).map(|kind| format!("`{kind}`")).collect();
    if outside.is_empty() {
        return Ok(kinds);
    }
    let message = match constraint {
        ActionConstraint::Any => {
            "`action` stands for every kind of movement, and the plan does not cover all of them".to_owned()
        }
        _ => format!("the policy speaks of {}, which the plan does not cover", outside.join(", ")),
    };
    let example = covered.first().map_or("refund", |kind| kind.as_str());
    Err((
        message,
        format!("narrow it to `action == Axiru::Action::\"{example}\"`, or add the kind to `kinds` in plan.json"),
    ))
}

/// Ids that are used twice.
fn repeated_ids(source: Source<'_>, checked: &[Checked]) -> Vec<Problem> {
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    let mut problems = Vec::new();
    for policy in checked {
        let id = policy.rule.id();
        if first.contains_key(id) {
            let message = "the id is used by an earlier policy".to_owned();
            problems.push(source.problem(
                policy.offset,
                Some(id),
                message,
                "give every policy an id of its own: it is how decisions name the rule",
            ));
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
        let errors = result.validation_errors().map(|error| ill_typed(source, policy, error));
        let warnings = result.validation_warnings().map(|warning| ill_typed(source, policy, warning));
        let found: Vec<_> = errors.chain(warnings).collect();
        // A wrong name also makes a policy impossible: the name is the news.
        let (vague, exact): (Vec<_>, Vec<_>) = found.into_iter().partition(|problem| {
            problem.message.contains("impossible") || problem.message.contains("unable to find an applicable action")
        });
        problems.extend(if exact.is_empty() { vague } else { exact });
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
        None if message.contains("impossible") => {
            "it can never be satisfied: check what it compares, or remove it".to_owned()
        }
        None => String::new(),
    };
    let message = message.replace("__cedar::internal::AnyEntity", "an entity");
    source.problem(policy.offset.saturating_add(label(error).0), Some(policy.rule.id()), message, &advice)
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
