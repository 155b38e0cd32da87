//! `axiru plan check`.

use std::io::Write;

use axiru_policy::{Plan, RuleEffect};
use serde::Serialize;

use super::Target;
use super::files::{self, Place, Report};

/// What is said of one plan.
#[derive(Serialize)]
struct Checked {
    path: String,
    ok: bool,
    #[serde(flatten)]
    summary: Option<Summary>,
    problems: Vec<Report>,
}

#[derive(Serialize)]
struct Summary {
    name: String,
    sha256: String,
    kinds: Vec<&'static str>,
    permit: usize,
    hold: usize,
    block: usize,
}

impl Summary {
    fn of(plan: &Plan) -> Self {
        let count = |effect| plan.rules().iter().filter(|rule| rule.effect() == effect).count();
        Self {
            name: plan.name().to_owned(),
            sha256: plan.sha256().to_owned(),
            kinds: plan.kinds().iter().map(|kind| kind.as_str()).collect(),
            permit: count(RuleEffect::Permit),
            hold: count(RuleEffect::Hold),
            block: count(RuleEffect::Block),
        }
    }
}

/// Checks every plan at the target; true if all are sound.
pub(super) fn run(target: &Target, out: &mut impl Write) -> anyhow::Result<bool> {
    let checked = files::find(&target.path)?.iter().map(check).collect::<anyhow::Result<Vec<_>>>()?;
    let sound = checked.iter().all(|plan| plan.ok);
    if target.json {
        serde_json::to_writer_pretty(&mut *out, &serde_json::json!({ "ok": sound, "plans": checked }))?;
        writeln!(out)?;
    } else {
        checked.iter().try_for_each(|plan| print(plan, out))?;
    }
    Ok(sound)
}

fn check(place: &Place) -> anyhow::Result<Checked> {
    let path = place.path().display().to_string();
    Ok(match place.plan()? {
        Ok(plan) => Checked { path, ok: true, summary: Some(Summary::of(&plan)), problems: Vec::new() },
        Err(error) => Checked { path, ok: false, summary: None, problems: place.reports(&error) },
    })
}

fn print(plan: &Checked, out: &mut impl Write) -> std::io::Result<()> {
    plan.problems.iter().try_for_each(|problem| writeln!(out, "{}", problem.line()))?;
    let Some(summary) = &plan.summary else {
        return writeln!(out, "REFUSED {}: {} problem(s)", plan.path, plan.problems.len());
    };
    let Summary { name, sha256, kinds, permit, hold, block } = summary;
    let policies = permit.saturating_add(*hold).saturating_add(*block);
    writeln!(out, "OK {}: {name}, for {}", plan.path, kinds.join(", "))?;
    writeln!(out, "   {policies} policies: {permit} permit, {hold} hold, {block} block")?;
    writeln!(out, "   sha256 {sha256}")
}
