//! `axiru plan test`.

use std::io::Write;

use axiru_policy::{CaseResult, Cases, CasesReport};
use serde_json::{Value, json};

use super::Target;
use super::files::{self, Place, Report};

/// What came of the cases of one plan.
struct Tested {
    path: String,
    result: Result<(String, CasesReport), Vec<Report>>,
}

impl Tested {
    fn passed(&self) -> bool {
        self.result.as_ref().is_ok_and(|(_, report)| report.failed() == 0)
    }
}

/// Tests every plan at the target; true if all cases pass.
pub(super) fn run(target: &Target, out: &mut impl Write) -> anyhow::Result<bool> {
    let tested = files::find(&target.path)?.iter().map(test).collect::<anyhow::Result<Vec<_>>>()?;
    let passed = tested.iter().all(Tested::passed);
    if target.json {
        let plans: Vec<_> = tested.iter().map(as_json).collect();
        serde_json::to_writer_pretty(&mut *out, &json!({ "ok": passed, "plans": plans }))?;
        writeln!(out)?;
    } else {
        tested.iter().try_for_each(|plan| print(plan, out))?;
    }
    Ok(passed)
}

fn test(place: &Place) -> anyhow::Result<Tested> {
    let Place::Folder(dir) = place else {
        anyhow::bail!("a plan document has no cases: give the plan's folder");
    };
    let cases_text = files::text(&dir.join("cases.json"))?;
    let plan = place.plan()?;
    let both = plan.and_then(|plan| Cases::parse(&cases_text).map(|cases| (plan, cases)));
    let result = match both {
        Ok((plan, cases)) => Ok((plan.name().to_owned(), cases.run(&plan))),
        Err(error) => Err(place.reports(&error)),
    };
    Ok(Tested { path: dir.display().to_string(), result })
}

fn as_json(plan: &Tested) -> Value {
    match &plan.result {
        Err(problems) => json!({ "path": plan.path, "ok": false, "problems": problems }),
        Ok((name, report)) => {
            let cases: Vec<_> = report.results.iter().map(case_json).collect();
            json!({
                "path": plan.path, "ok": plan.passed(), "name": name, "cases": cases,
                "failed": report.failed(), "silent_rules": report.silent_rules,
            })
        }
    }
}

fn case_json(case: &CaseResult) -> Value {
    json!({
        "case": case.name, "passed": case.passed(),
        "expected": case.expected.as_str(), "got": case.got.map(|outcome| outcome.as_str()),
        "expected_reasons": case.expected_reasons, "reasons": case.reasons,
    })
}

fn print(plan: &Tested, out: &mut impl Write) -> std::io::Result<()> {
    let (name, report) = match &plan.result {
        Ok(result) => result,
        Err(problems) => {
            problems.iter().try_for_each(|problem| writeln!(out, "{}", problem.line()))?;
            return writeln!(out, "NOT RUN {}: {} problem(s)\n", plan.path, problems.len());
        }
    };
    writeln!(out, "{} ({name})", plan.path)?;
    let width = report.results.iter().map(|case| case.name.chars().count()).max().unwrap_or(0).max(4);
    writeln!(out, "      {:width$}  {:16}  {:16}  rules", "case", "expected", "got")?;
    report.results.iter().try_for_each(|case| print_case(case, width, out))?;
    let count = report.results.len();
    match report.failed() {
        0 => writeln!(out, "{count} cases, all as expected")?,
        failed => writeln!(out, "{count} cases, {failed} NOT as expected")?,
    }
    if !report.silent_rules.is_empty() {
        writeln!(out, "note: no case shows what these rules do: {}", report.silent_rules.join(", "))?;
    }
    writeln!(out)
}

fn print_case(case: &CaseResult, width: usize, out: &mut impl Write) -> std::io::Result<()> {
    let mark = if case.passed() { "ok" } else { "FAIL" };
    let got = case.got.map_or("not covered", |outcome| outcome.as_str());
    let rules = |reasons: &std::collections::BTreeSet<String>| {
        let words: Vec<_> = reasons.iter().map(|reason| reason.strip_prefix("policy:").unwrap_or(reason)).collect();
        words.join(", ")
    };
    writeln!(out, "{mark:4}  {:width$}  {:16}  {got:16}  {}", case.name, case.expected.as_str(), rules(&case.reasons))?;
    if case.reasons != case.expected_reasons {
        writeln!(out, "      {:width$}  {:16}  {:16}  expected: {}", "", "", "", rules(&case.expected_reasons))?;
    }
    Ok(())
}
