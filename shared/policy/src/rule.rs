//! What the annotations of one policy say.

use axiru_domain::Hold;
use cedar_policy::{Effect, Policy};

use crate::demand::Demand;
use crate::expression::Reading;

/// Most people one rule may ask for.
pub(crate) const MAX_QUORUM: u32 = 10;
/// Shortest and longest time to approve, in seconds: 5 seconds, so that an expiry can be tried out, and 30 days.
const EXPIRES_SECS: std::ops::RangeInclusive<u32> = 5..=2_592_000;
/// What is to be written for it.
pub(crate) const EXPIRES_ADVICE: &str = "write 5 seconds to 30 days as `30s`, `90m`, `24h` or `7d`";
/// Time to approve where nothing is said: one day.
pub(crate) const DEFAULT_EXPIRES_SECS: u32 = 86_400;
/// Longest `@reason`, in characters.
pub(crate) const MAX_REASON: usize = 200;

/// What a policy does when it is satisfied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleEffect {
    /// It permits the movement.
    Permit,
    /// It blocks the movement.
    Block,
    /// It holds the movement for approval.
    Hold,
}

/// One policy of a plan.
#[derive(Debug)]
pub struct Rule {
    id: String,
    effect: RuleEffect,
    hold: Option<Hold>,
    /// Whether quorum and time are the plan's own words, or what holds where it is silent.
    said: (bool, bool),
    reason: Option<String>,
    pub(crate) reading: Reading,
}

impl Rule {
    /// The policy's `@id`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it does when it is satisfied.
    #[must_use]
    pub const fn effect(&self) -> RuleEffect {
        self.effect
    }

    /// Whom it asks for, if it holds.
    #[must_use]
    pub const fn hold(&self) -> Option<&Hold> {
        self.hold.as_ref()
    }

    /// What it says of the people it asks for, if it holds.
    #[must_use]
    pub fn demand(&self) -> Option<Demand> {
        let hold = self.hold.as_ref()?;
        Some(Demand {
            rule: self.id.clone(),
            group: hold.group.clone(),
            quorum: self.said.0.then_some(hold.quorum),
            expires_secs: self.said.1.then_some(hold.expires_secs),
            why: self.reason.clone(),
        })
    }

    /// The policy's `@reason`, in its author's words.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }
}

/// Something wrong with the annotation of that name; an empty name is the policy as a whole.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AnnotationProblem {
    pub(crate) annotation: &'static str,
    pub(crate) message: String,
    pub(crate) advice: &'static str,
}

fn problem(annotation: &'static str, message: String, advice: &'static str) -> AnnotationProblem {
    AnnotationProblem { annotation, message, advice }
}

/// A name of ours: `[a-z0-9-]{1,64}`.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// `90m`, `24h` or `7d` in seconds.
pub(crate) fn duration(text: &str) -> Option<u32> {
    let unit = match text.bytes().last()? {
        b'm' => 60,
        b'h' => 3_600,
        b'd' => 86_400,
        _ => return None,
    };
    let digits = text.get(..text.len().checked_sub(1)?)?;
    if digits.starts_with('0') || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u32>().ok()?.checked_mul(unit)
}

/// A time to approve, in seconds: as [`duration`], or `30s`.
pub(crate) fn expires(text: &str) -> Option<u32> {
    let secs = match text.strip_suffix('s') {
        Some(digits) if !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok(),
        Some(_) => None,
        None => duration(text),
    };
    secs.filter(|secs| EXPIRES_SECS.contains(secs))
}

/// Reads the annotations of a policy. Every problem is reported, not only the first.
pub(crate) fn rule(policy: &Policy, reading: Reading) -> Result<Rule, Vec<AnnotationProblem>> {
    let mut problems = Vec::new();
    let id = match policy.annotation("id") {
        Some(id) if is_name(id) => id.to_owned(),
        Some(id) => {
            problems.push(problem(
                "id",
                format!("`{}` is not an id", short(id)),
                "use 1 to 64 lower-case letters, digits and `-`",
            ));
            String::new()
        }
        None => {
            problems.push(problem(
                "",
                "the policy has no id".to_owned(),
                "write `@id(\"a-name-of-its-own\")` above it",
            ));
            String::new()
        }
    };
    for (name, _) in policy.annotations() {
        if !matches!(name, "id" | "require_approval" | "quorum" | "expires" | "reason") {
            problems.push(problem(
                "",
                format!("the annotation `@{}` is not known", short(name)),
                "use @id, @reason, and on a forbid @require_approval, @quorum, @expires",
            ));
        }
    }
    let reason = policy.annotation("reason").map(str::to_owned);
    if reason.as_ref().is_some_and(|text| text.trim().is_empty() || text.chars().count() > MAX_REASON) {
        problems.push(problem(
            "reason",
            "the reason is empty or longer than 200 characters".to_owned(),
            "say in one sentence why the rule exists",
        ));
    }
    let hold = hold(policy, &id, &mut problems);
    if problems.is_empty() {
        let effect = match (policy.effect(), &hold) {
            (Effect::Permit, _) => RuleEffect::Permit,
            (Effect::Forbid, None) => RuleEffect::Block,
            (Effect::Forbid, Some(_)) => RuleEffect::Hold,
        };
        let said = (policy.annotation("quorum").is_some(), policy.annotation("expires").is_some());
        Ok(Rule { id, effect, hold, said, reason, reading })
    } else {
        Err(problems)
    }
}

/// The approval that a holding policy asks for.
fn hold(policy: &Policy, id: &str, problems: &mut Vec<AnnotationProblem>) -> Option<Hold> {
    let Some(group) = policy.annotation("require_approval") else {
        for name in ["quorum", "expires"] {
            if policy.annotation(name).is_some() {
                problems.push(problem(
                    name,
                    format!("`@{name}` without `@require_approval`"),
                    "add `@require_approval(\"finance\")`, or remove it: a forbid without it blocks",
                ));
            }
        }
        return None;
    };
    if policy.effect() == Effect::Permit {
        problems.push(problem(
            "require_approval",
            "`@require_approval` on a permit would allow without asking".to_owned(),
            "make it a `forbid`: a forbid with @require_approval holds, and a separate permit allows",
        ));
    }
    if !is_name(group) {
        problems.push(problem(
            "require_approval",
            format!("`{}` is not a group", short(group)),
            "name who approves, in lower-case letters, digits and `-`: `@require_approval(\"finance\")`",
        ));
    }
    let quorum = match policy.annotation("quorum") {
        None => Some(1),
        Some(text) => text.parse::<u32>().ok().filter(|n| (1..=MAX_QUORUM).contains(n) && n.to_string() == text),
    };
    if quorum.is_none() {
        problems.push(problem(
            "quorum",
            format!("`{}` is not a quorum", short(policy.annotation("quorum").unwrap_or_default())),
            "write how many must approve, 1 to 10: `@quorum(\"2\")`",
        ));
    }
    let expires_secs = policy.annotation("expires").map_or(Some(DEFAULT_EXPIRES_SECS), expires);
    if expires_secs.is_none() {
        problems.push(problem(
            "expires",
            format!("`{}` is not a time to approve", short(policy.annotation("expires").unwrap_or_default())),
            EXPIRES_ADVICE,
        ));
    }
    Some(Hold { policy: id.to_owned(), group: group.to_owned(), quorum: quorum?, expires_secs: expires_secs? })
}

pub(crate) fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Rule, Vec<AnnotationProblem>> {
        rule(&Policy::parse(None, text).unwrap(), Reading::default())
    }

    #[test]
    fn a_hold_has_defaults() {
        let rule = of("@id(\"a\") @require_approval(\"finance\") forbid(principal, action, resource);").unwrap();
        let hold = rule.hold().unwrap();
        assert_eq!((rule.effect(), hold.quorum, hold.expires_secs), (RuleEffect::Hold, 1, 86_400));
        let rule = of("@id(\"a\") @require_approval(\"f\") @quorum(\"2\") @expires(\"90m\") @reason(\"why\") forbid(principal, action, resource);").unwrap();
        let hold = rule.hold().unwrap();
        assert_eq!((hold.quorum, hold.expires_secs, rule.reason()), (2, 5_400, Some("why")));
        assert_eq!(of("@id(\"a\") forbid(principal, action, resource);").unwrap().effect(), RuleEffect::Block);
    }

    #[test]
    fn every_annotation_is_checked() {
        for (head, what) in [
            ("permit", "the policy has no id"),
            ("@id permit", "`` is not an id"),
            ("@id(\"Big\") permit", "`Big` is not an id"),
            ("@id(\"a b\") permit", "`a b` is not an id"),
            ("@id(\"a\") @requires_approval(\"f\") forbid", "the annotation `@requires_approval` is not known"),
            ("@id(\"a\") @require_approval(\"f\") permit", "`@require_approval` on a permit"),
            ("@id(\"a\") @require_approval forbid", "`` is not a group"),
            ("@id(\"a\") @require_approval(\"Fin Ance\") forbid", "`Fin Ance` is not a group"),
            ("@id(\"a\") @quorum(\"2\") forbid", "`@quorum` without `@require_approval`"),
            ("@id(\"a\") @expires(\"24h\") permit", "`@expires` without `@require_approval`"),
            ("@id(\"a\") @require_approval(\"f\") @quorum(\"0\") forbid", "`0` is not a quorum"),
            ("@id(\"a\") @require_approval(\"f\") @quorum(\"02\") forbid", "`02` is not a quorum"),
            ("@id(\"a\") @require_approval(\"f\") @quorum(\"11\") forbid", "`11` is not a quorum"),
            ("@id(\"a\") @require_approval(\"f\") @expires(\"24\") forbid", "`24` is not a time"),
            ("@id(\"a\") @require_approval(\"f\") @expires(\"4s\") forbid", "`4s` is not a time"),
            ("@id(\"a\") @require_approval(\"f\") @expires(\"31d\") forbid", "`31d` is not a time"),
            ("@id(\"a\") @require_approval(\"f\") @expires(\"é\") forbid", "`é` is not a time"),
            ("@id(\"a\") @require_approval(\"f\") @expires(\"99999999999999d\") forbid", "`99999999999999d` is not"),
            ("@id(\"a\") @reason(\" \") forbid", "the reason is empty"),
        ] {
            let problems = of(&format!("{head}(principal, action, resource);")).unwrap_err();
            assert!(problems.iter().any(|p| p.message.starts_with(what)), "{head}: {problems:?}");
        }
    }
}
