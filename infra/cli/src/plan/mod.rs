//! `axiru plan …`: for people who write plans (files only; nothing is sent anywhere), and for operators who put them in force.

mod check;
mod diff;
mod files;
mod remote;
mod test;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::scopes::Where;

/// What can be done with a plan.
#[derive(Debug, Subcommand)]
pub(crate) enum PlanCommand {
    /// Check a plan as strictly as Axiru does when it is saved, and print the SHA-256 that names this version.
    ///
    /// A plan is a folder with plan.json (name, description, kinds) and policies.cedar. Give the folder, one of its files,
    /// a folder of such folders, or an exported plan document (plans/<sha256>.json).
    ///
    /// Each problem is one line `file:line:column: what is wrong; what to do`. Exit code 0: sound; 1: problems; 2: no plan there.
    Check(Target),
    /// Ask a plan about the cases in cases.json beside it, and compare.
    ///
    /// A case names a movement (kind, actor, amount_minor, currency, facts), the outcome to expect (allow, require_approval,
    /// block) and all reasons (`policy:<id>`, `nothing_permits`, `fact_unknown:<name>`, `block_possible`,
    /// `evaluation_error:<id>`). A fact that is not named is unknown, as it can be in production; null says that Stripe has none.
    ///
    /// Exit code 0: all as expected; 1: not, or the plan has problems; 2: no plan or no cases there.
    Test(Target),
    /// Print the Cedar schema: every action, principal and fact that a policy may use.
    Schema,
    /// Put a version of a plan in force.
    ///
    /// A version is named by the SHA-256 of its content and never changes; pushing the same content again does nothing. A plan that is new
    /// begins in shadow; a new version of a plan that is there keeps its mode, also if that is enforce. To try a stricter version first,
    /// push it under another name: it runs in shadow beside the one that counts.
    #[command(after_help = "Examples:
    axiru plan push plans/refunds --scope live/acct_1
    axiru plan push plans --scope test/acct_1 --scope live/acct_1")]
    Push(remote::Push),
    /// Show the plans of a scope, and which of them count.
    List(Where),
    /// Show a plan: its limits and policies, and every version that was pushed.
    Show(remote::Show),
    /// Compare files with what is in force, or two versions with each other.
    #[command(after_help = "Examples:
  What would a push change?
    axiru plan diff plans/refunds --scope live/acct_1
  What did the last push change?
    axiru plan diff refunds-starter --scope live/acct_1 --from 3f1c9a0b")]
    Diff(remote::Diff),
    /// Switch a plan between shadow and enforce.
    ///
    /// In shadow its verdicts are recorded and change nothing; in enforce they count. `axiru shadow report` shows what it would have done.
    /// Enforcing is refused while the connection lacks the permission at Stripe that the plan's movements need.
    #[command(after_help = "Example:
    axiru plan mode refunds-starter enforce --scope live/acct_1 --why \"four weeks in shadow, no false holds\"")]
    Mode(remote::Switch),
    /// Put an earlier version of a plan in force again. Its mode stays.
    #[command(after_help = "Example:
    axiru plan rollback refunds-starter --to 3f1c9a0b --scope live/acct_1")]
    Rollback(remote::RollBack),
}

/// Where the plan is, and how to report.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// Folder or file of the plan.
    #[arg(value_name = "FILE|DIR")]
    path: PathBuf,
    /// Print JSON for programs instead of text for people.
    #[arg(long)]
    json: bool,
}

/// Runs a command; an error means that nothing could be looked at.
pub(crate) async fn run(command: &PlanCommand, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let sound = match command {
        PlanCommand::Push(command) => remote::push(command, out).await?,
        PlanCommand::List(place) => remote::list_of(place, out).await.map(|()| true)?,
        PlanCommand::Show(command) => remote::show(command, out).await.map(|()| true)?,
        PlanCommand::Diff(command) => remote::diff_of(command, out).await.map(|()| true)?,
        PlanCommand::Mode(command) => remote::switch(command, out).await.map(|()| true)?,
        PlanCommand::Rollback(command) => remote::roll_back(command, out).await.map(|()| true)?,
        PlanCommand::Check(target) => check::run(target, out)?,
        PlanCommand::Test(target) => test::run(target, out)?,
        PlanCommand::Schema => {
            out.write_all(axiru_policy::schema_text().as_bytes())?;
            true
        }
    };
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// What a command printed and whether all was well, or the error.
    fn said(command: &PlanCommand) -> Result<(bool, String), String> {
        let mut out = Vec::new();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let code = runtime.block_on(run(command, &mut out)).map_err(|error| format!("{error:#}"))?;
        Ok((format!("{code:?}") == format!("{:?}", ExitCode::SUCCESS), String::from_utf8(out).unwrap()))
    }

    fn target(path: &Path, json: bool) -> Target {
        Target { path: path.to_owned(), json }
    }

    fn check(path: &Path) -> Result<(bool, String), String> {
        said(&PlanCommand::Check(target(path, false)))
    }

    fn test(path: &Path) -> Result<(bool, String), String> {
        said(&PlanCommand::Test(target(path, false)))
    }

    /// A copy of a starter plan, with one text replaced in one of its files.
    fn copy(file: &str, from: &str, to: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for name in ["plan.json", "policies.cedar", "cases.json"] {
            let text = fs::read_to_string(starter().join("refunds").join(name)).unwrap();
            let text = if name == file { text.replacen(from, to, 1) } else { text };
            fs::write(dir.path().join(name), text).unwrap();
        }
        dir
    }

    fn starter() -> PathBuf {
        PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests")).join("../plans")
    }

    #[test]
    fn the_starter_plans_are_sound_by_folder_and_by_file() {
        let (ok, text) = check(&starter()).unwrap();
        assert!(ok && text.matches("OK ").count() == 4 && text.matches("sha256 ").count() == 4, "{text}");
        let (ok, text) = test(&starter()).unwrap();
        assert!(ok && text.matches("all as expected").count() == 4 && !text.contains("note:"), "{text}");
        for file in ["plan.json", "policies.cedar", "cases.json"] {
            assert!(check(&starter().join("payouts").join(file)).unwrap().0);
        }
    }

    #[test]
    fn a_problem_is_one_line_with_file_line_and_column() {
        let dir = copy("policies.cedar", "context has reason && ", "");
        for said in [check(dir.path()), test(dir.path())] {
            let (ok, text) = said.unwrap();
            let place = format!("{}:42:8: policy `hold-fraudulent`: ", dir.path().join("policies.cedar").display());
            assert!(!ok && text.starts_with(&place), "{text}");
            assert_eq!(
                text.lines().next().map(|line| line.contains("; try testing for the attribute's presence")),
                Some(true)
            );
        }
    }

    #[test]
    fn a_case_that_fails_shows_both_answers() {
        let dir = copy("policies.cedar", "context.amount_minor > 20000", "context.amount_minor > 25000");
        let (ok, text) = test(dir.path()).unwrap();
        let row = text.lines().find(|line| line.contains("one cent above 200.00")).unwrap();
        assert!(!ok && row.starts_with("FAIL") && row.contains("require_approval  allow"), "{text}");
        assert!(text.contains("expected: hold-above-200") && text.contains("NOT as expected"), "{text}");
        let rule = "@id(\"new\") forbid(principal, action == Axiru::Action::\"refund\", resource) when { context has charge && context.charge == \"ch_1\" };\n@id(\"allow-refunds\")";
        let (_, text) = test(copy("policies.cedar", "@id(\"allow-refunds\")", rule).path()).unwrap();
        assert!(text.contains("note: no case shows what these rules do: new"), "{text}");
    }

    #[test]
    fn json_says_the_same() {
        let dir = copy("policies.cedar", "context has reason && ", "");
        let (ok, text) = said(&PlanCommand::Check(target(dir.path(), true))).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(!ok && json["ok"] == false && json["plans"][0]["problems"][0]["line"] == 42, "{text}");
        assert_eq!(json["plans"][0]["problems"][0]["policy"], "hold-fraudulent");
        let (ok, text) = said(&PlanCommand::Test(target(&starter(), true))).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(ok && json["plans"].as_array().unwrap().len() == 4, "{text}");
        assert_eq!(json["plans"][0]["cases"][0]["expected"], "allow");
    }

    #[test]
    fn an_exported_document_can_be_checked() {
        let dir = tempfile::tempdir().unwrap();
        let plan = &axiru_policy::starter().unwrap()[0];
        let path = dir.path().join(format!("{}.json", plan.sha256()));
        fs::write(&path, plan.document()).unwrap();
        assert!(check(&path).unwrap().1.contains(plan.sha256()));
        assert!(test(&path).unwrap_err().contains("a plan document has no cases"));
        fs::write(&path, [plan.document(), b" "].concat()).unwrap();
        assert!(!check(&path).unwrap().0);
    }

    #[test]
    fn nothing_there_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        assert!(check(dir.path()).unwrap_err().contains("no plan in"));
        assert!(check(&dir.path().join("none")).unwrap_err().contains("cannot open"));
        fs::write(dir.path().join("x.txt"), "").unwrap();
        assert!(check(&dir.path().join("x.txt")).unwrap_err().contains("is no part of a plan"));
        fs::write(dir.path().join("plan.json"), "{}").unwrap();
        assert!(check(dir.path()).unwrap_err().contains("policies.cedar"));
        fs::write(dir.path().join("policies.cedar"), [0xff, 0xfe]).unwrap();
        assert!(check(dir.path()).unwrap_err().contains("not UTF-8"));
        fs::write(dir.path().join("policies.cedar"), vec![b' '; 1_100_000]).unwrap();
        assert!(check(dir.path()).unwrap_err().contains("larger than"));
    }
}
