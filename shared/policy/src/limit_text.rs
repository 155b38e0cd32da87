//! A limit as a plan document writes it, and everything that can be wrong with one.

use std::collections::{BTreeMap, BTreeSet};

use axiru_domain::{
    CalendarUnit, Currency, FactSpec, Hold, Kind, Limit, MAX_SAFE_INTEGER, MAX_WINDOWS, OnExceed, Per, RollingSecs,
    Series, Window, WindowError,
};
use serde::{Deserialize, Serialize};

use crate::demand::Demand;
use crate::problem::{Problem, Source};
use crate::rule::{DEFAULT_EXPIRES_SECS, EXPIRES_ADVICE, MAX_QUORUM, MAX_REASON, duration, expires, is_name, short};
use crate::text::deceptive;

/// Most limits of one plan: five windows in each of twenty currencies.
const MAX_LIMITS: usize = 100;

/// One limit. INVARIANT: the fields stand in alphabetical order, which is the order they are written in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LimitText {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    approvers: Option<String>,
    currency: Currency,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    pub(crate) id: String,
    kinds: Vec<Kind>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_amount: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_count: Option<i64>,
    on_exceed: OnExceed,
    per: Per,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quorum: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    window: WindowText,
}

/// `{"calendar": "day", "zone": "Europe/Berlin"}` or `{"rolling": "24h"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WindowText {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    calendar: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rolling: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    zone: Option<String>,
}

/// One thing wrong with a limit.
pub(crate) struct Mistake {
    /// The field it is in.
    field: &'static str,
    message: String,
    advice: String,
}

fn mistake(field: &'static str, message: impl Into<String>, advice: impl Into<String>) -> Mistake {
    Mistake { field, message: message.into(), advice: advice.into() }
}

/// Whether a message of the JSON reader speaks of the fields of a limit or its window.
pub(crate) fn is_about_limits(message: &str) -> bool {
    ["`approvers`", "`calendar`", "`on_exceed`", "`per`", "`window`", "`id`"]
        .iter()
        .any(|field| message.contains(field))
        || message.contains("missing field `currency`")
}

impl WindowText {
    fn window(&self) -> Result<Window, Mistake> {
        let example = "write `{\"calendar\": \"day\", \"zone\": \"Europe/Berlin\"}` or `{\"rolling\": \"24h\"}`";
        match (&self.calendar, &self.zone, &self.rolling) {
            (Some(unit), Some(zone), None) => {
                let unit = CalendarUnit::ALL.into_iter().find(|known| known.as_str() == unit).ok_or_else(|| {
                    mistake(
                        "calendar",
                        format!("`{}` is not a unit of the calendar", short(unit)),
                        "write `day`, `week` or `month`",
                    )
                })?;
                let zone = zone.parse().map_err(|error: WindowError| {
                    let advice = match &error {
                        WindowError::ZoneSpelling(_, known) => format!("write `{known}`"),
                        _ => "use a name of the IANA database, such as `Europe/Berlin`, `America/New_York` or `UTC`"
                            .to_owned(),
                    };
                    mistake("zone", error.to_string(), advice)
                })?;
                Ok(Window::Calendar(unit, zone))
            }
            (None, None, Some(rolling)) => {
                let secs = duration(rolling).and_then(|secs| RollingSecs::new(secs).ok());
                secs.map(Window::Rolling).ok_or_else(|| {
                    let message = format!("`{}` is not the length of a rolling window", short(rolling));
                    mistake("rolling", message, "write 5 minutes to 31 days as `90m`, `24h` or `7d`")
                })
            }
            (Some(_), None, None) => Err(mistake(
                "window",
                "a day begins at another moment in each time zone, and none is named",
                "add `\"zone\": \"Europe/Berlin\"`, or the zone you close your books in",
            )),
            (None, Some(_), Some(_)) => Err(mistake(
                "zone",
                "a rolling window has no time zone",
                "remove it: the last 24 hours are the same everywhere",
            )),
            _ => Err(mistake("window", "a window is either by the calendar or rolling", example)),
        }
    }
}

impl LimitText {
    pub(crate) fn sort(&mut self) {
        self.kinds.sort_unstable();
    }

    /// The limit, or everything that is wrong with it by itself.
    pub(crate) fn limit(&self) -> Result<Limit, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        if !is_name(&self.id) {
            let message = format!("`{}` is not an id", short(&self.id));
            mistakes.push(mistake("id", message, "use 1 to 64 lower-case letters, digits and `-`"));
        }
        mistakes.extend(self.kind_mistakes());
        if self.max_amount.is_none() && self.max_count.is_none() {
            let advice = "add `\"max_amount\": 100000` (minor units), `\"max_count\": 10`, or both";
            mistakes.push(mistake("id", "nothing is limited", advice));
        }
        let max = |field, value: Option<i64>, mistakes: &mut Vec<Mistake>| {
            let fits = value.is_none_or(|n| (1..=MAX_SAFE_INTEGER).contains(&n));
            if !fits {
                let message = format!("`{field}` is {}", value.unwrap_or_default());
                let advice = "write 1 to 2^53 - 1; to stop every movement write a `forbid`";
                mistakes.push(mistake(field, message, advice));
            }
            value.and_then(|n| u64::try_from(n).ok())
        };
        let max_amount = max("max_amount", self.max_amount, &mut mistakes);
        let max_count = max("max_count", self.max_count, &mut mistakes);
        if self.reason.as_ref().is_some_and(|text| text.trim().is_empty() || text.chars().count() > MAX_REASON) {
            let advice = "say in one sentence why the limit exists";
            mistakes.push(mistake("reason", "the reason is empty or longer than 200 characters", advice));
        }
        if let Some((_, c)) = self.reason.as_deref().and_then(deceptive) {
            let message = format!("the character U+{:04X} is invisible or changes how the text reads", u32::from(c));
            mistakes.push(mistake("reason", message, "remove it"));
        }
        let hold = self.hold(&mut mistakes);
        let window = self.window.window().map_err(|found| mistakes.push(found)).ok();
        let series = window.and_then(|window| Series::new(&self.kinds, self.currency, window));
        match series {
            Some(series) if mistakes.is_empty() => Ok(Limit {
                id: self.id.clone(),
                per: self.per,
                series,
                max_amount,
                max_count,
                hold,
                reason: self.reason.clone(),
            }),
            _ => Err(mistakes),
        }
    }

    fn kind_mistakes(&self) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        if self.kinds.is_empty() {
            let advice = "name what it counts: `\"kinds\": [\"refund\"]`";
            mistakes.push(mistake("kinds", "`kinds` is empty, so the limit would count nothing", advice));
        }
        let mut seen = BTreeSet::new();
        for kind in &self.kinds {
            if !seen.insert(kind) {
                mistakes.push(mistake("kinds", format!("`kinds` names `{kind}` twice"), "name each kind once"));
            }
            let Some(fact) = self.per.fact().filter(|fact| FactSpec::find(*kind, fact).is_none()) else { continue };
            let message = format!("a {kind} has no {fact} to count by");
            mistakes.push(mistake(
                "per",
                message,
                "take the kind out of the limit's `kinds`, or count per account, actor or operator",
            ));
        }
        mistakes
    }

    /// What it says of the people it asks for, if it asks.
    pub(crate) fn demand(&self) -> Option<Demand> {
        Some(Demand {
            rule: self.id.clone(),
            group: self.approvers.clone()?,
            quorum: self.quorum,
            expires_secs: self.expires.as_deref().and_then(expires),
            why: self.reason.clone(),
        })
    }

    /// Whom it asks, if it asks.
    fn hold(&self, mistakes: &mut Vec<Mistake>) -> Option<Hold> {
        if self.on_exceed == OnExceed::Block {
            let fields = [
                ("approvers", self.approvers.is_some()),
                ("quorum", self.quorum.is_some()),
                ("expires", self.expires.is_some()),
            ];
            for (field, _) in fields.into_iter().filter(|(_, given)| *given) {
                let message = format!("`{field}` on a limit that blocks: nobody is asked");
                mistakes.push(mistake(field, message, "remove it, or write `\"on_exceed\": \"require_approval\"`"));
            }
            return None;
        }
        let Some(group) = self.approvers.clone() else {
            let advice = "name who approves: `\"approvers\": \"finance\"`";
            mistakes.push(mistake("on_exceed", "the limit asks for approval but names nobody", advice));
            return None;
        };
        if !is_name(&group) {
            let message = format!("`{}` is not a group", short(&group));
            mistakes.push(mistake("approvers", message, "use lower-case letters, digits and `-`: `\"finance\"`"));
        }
        let quorum = self.quorum.unwrap_or(1);
        if !(1..=MAX_QUORUM).contains(&quorum) {
            mistakes.push(mistake(
                "quorum",
                format!("`{quorum}` is not a quorum"),
                "write how many must approve, 1 to 10",
            ));
        }
        let expires_secs = self.expires.as_deref().map_or(Some(DEFAULT_EXPIRES_SECS), expires);
        if expires_secs.is_none() {
            let message = format!("`{}` is not a time to approve", short(self.expires.as_deref().unwrap_or_default()));
            mistakes.push(mistake("expires", message, EXPIRES_ADVICE));
        }
        Some(Hold { policy: self.id.clone(), group, quorum, expires_secs: expires_secs? })
    }
}

/// Everything wrong with the limits of a plan that covers `kinds`, each at its place.
pub(crate) fn problems(source: Source<'_>, limits: &[LimitText], kinds: &[Kind]) -> Vec<Problem> {
    let spans = spans(source.text);
    let mut problems = Vec::new();
    let say = |i: usize, id: &str, found: Mistake| {
        let message = format!("limit `{}`: {}", short(id), found.message);
        source.problem(place(source.text, &spans, i, found.field), None, message, &found.advice)
    };
    if limits.len() > MAX_LIMITS {
        let message = format!("{} limits, at most {MAX_LIMITS} are allowed", limits.len());
        let advice = "split the plan in two; several plans can cover one movement";
        problems.push(source.problem(place(source.text, &spans, 0, ""), None, message, advice));
        return problems;
    }
    let (mut ids, mut windows): (BTreeSet<&str>, BTreeMap<_, BTreeSet<_>>) = (BTreeSet::new(), BTreeMap::new());
    for (i, text) in limits.iter().enumerate() {
        if !ids.insert(&text.id) {
            let advice = "give every limit an id of its own: it is how decisions name it";
            problems.push(say(i, &text.id, mistake("id", "the id is used by an earlier limit", advice)));
        }
        for kind in text.kinds.iter().filter(|kind| !kinds.contains(kind)) {
            let advice = "add the kind to the plan's `kinds`, or take it out of the limit";
            problems.push(say(i, &text.id, mistake("kinds", format!("the plan does not cover `{kind}`"), advice)));
        }
        match text.limit() {
            Ok(limit) => {
                for kind in limit.series.kinds() {
                    let of_kind = windows.entry((*kind, text.currency)).or_default();
                    if of_kind.insert((limit.per, limit.series.clone())) && of_kind.len() == MAX_WINDOWS + 1 {
                        let message = format!(
                            "a {kind} in {} would be counted in more than {MAX_WINDOWS} windows",
                            text.currency
                        );
                        let advice = "each window costs a write with every movement: remove some";
                        problems.push(say(i, &text.id, mistake("window", message, advice)));
                    }
                }
            }
            Err(found) => problems.extend(found.into_iter().map(|found| say(i, &text.id, found))),
        }
    }
    problems
}

/// Limits whose id is also that of a policy.
pub(crate) fn clashes<'a>(
    source: Source<'_>,
    limits: &[Limit],
    policies: impl Iterator<Item = &'a str>,
) -> Vec<Problem> {
    let policies: BTreeSet<&str> = policies.collect();
    let clash = limits.iter().filter(|limit| policies.contains(limit.id.as_str()));
    clash
        .map(|limit| {
            let at = place_of(source.text, &limit.id);
            let message = format!("limit `{}`: the id is used by a policy", limit.id);
            source.problem(at, None, message, "give it an id of its own: it is how decisions name it")
        })
        .collect()
}

/// Where a limit's id stands, in bytes.
pub(crate) fn place_of(text: &str, id: &str) -> usize {
    let (quoted, start) = (format!("\"{id}\""), list(text).unwrap_or(0));
    text.get(start..).and_then(|rest| rest.find(&quoted)).map_or(0, |at| start.saturating_add(at))
}

/// Where the list of limits begins: at its key, not at a text that reads the same.
fn list(text: &str) -> Option<usize> {
    let after = |at: usize, key: &str| text.get(at.saturating_add(key.len())..).unwrap_or_default().trim_start();
    text.match_indices("\"limits\"").find(|(at, key)| after(*at, key).starts_with(':')).map(|(at, _)| at)
}

/// Where each object of the list `limits` begins and ends in a JSON text that was read without error, in bytes.
fn spans(text: &str) -> Vec<(usize, usize)> {
    let start = list(text).unwrap_or(text.len());
    let (mut spans, mut depth, mut begin, mut in_string, mut escaped) = (Vec::new(), 0_u32, start, false, false);
    for (at, c) in text.char_indices().skip_while(|(at, _)| *at < start) {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            _ if in_string => {}
            '[' | '{' => {
                depth = depth.saturating_add(1);
                if depth == 2 {
                    begin = at;
                }
            }
            ']' | '}' => {
                depth = depth.saturating_sub(1);
                match depth {
                    1 => spans.push((begin, at)),
                    0 => break,
                    _ => {}
                }
            }
            _ => {}
        }
    }
    spans
}

/// The place of a field of the `i`-th limit; of the limit itself where it has no such field.
fn place(text: &str, spans: &[(usize, usize)], i: usize, field: &str) -> usize {
    let Some((begin, end)) = spans.get(i) else { return list(text).unwrap_or(0) };
    let inside = text.get(*begin..*end).unwrap_or_default();
    begin.saturating_add(inside.find(&format!("\"{field}\"")).unwrap_or(0))
}
