//! `cargo xtask test`: every check that CI runs, one after the other, all of them even if one fails.

use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::build::cargo;
use crate::folders::Folders;
use crate::interrupt;
use crate::progress::Progress;
use crate::tools;
use crate::venv::Venv;

/// What `test` can be told.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Run only the checks whose name contains this.
    #[arg(value_name = "NAME")]
    only: Option<String>,
}

/// One check: its name and the command that fails if something is off.
struct Check {
    name: &'static str,
    command: Command,
}

/// Runs the checks and fails if any of them did.
pub(crate) async fn run(arguments: &Arguments, progress: &Progress) -> Result<()> {
    let folders = Folders::find()?;
    interrupt::unless_stopped(async {
        let venv = Venv::ready(&folders, progress).await?;
        let path = tools::path(&folders, progress).await?;
        let expanded = expand_template(&folders, &venv).await?;
        let mut failed = Vec::new();
        for mut check in checks(&folders, &venv, &expanded) {
            if arguments.only.as_ref().is_some_and(|only| !check.name.contains(only.as_str())) {
                continue;
            }
            let step = progress.loud_step(check.name);
            let status = check
                .command
                .env("PATH", &path)
                .env("AXIRU_TEMPLATE", &expanded)
                .env("AXIRU_PYTHON", venv.python())
                .stdin(Stdio::null())
                .kill_on_drop(true)
                .status()
                .await
                .with_context(|| format!("cannot start the check `{}`", check.name))?;
            if status.success() {
                step.done();
            } else {
                failed.push(check.name);
            }
        }
        if !failed.is_empty() {
            bail!("failed: {}", failed.join(", "));
        }
        Ok(())
    })
    .await
}

fn checks(folders: &Folders, venv: &Venv, expanded: &std::path::Path) -> Vec<Check> {
    let cargo = |name, arguments: &[&str]| {
        let mut command = cargo(folders);
        command.args(arguments);
        Check { name, command }
    };
    let mut cfn_lint = Command::new(venv.program("cfn-lint"));
    cfn_lint.args(["--regions", "us-east-1", "eu-central-1", "--template"]).arg(expanded);
    vec![
        cargo("format", &["fmt", "--all", "--check"]),
        cargo("clippy", &["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]),
        cargo("dependencies", &["deny", "--log-level", "error", "check", "bans", "licenses", "sources"]),
        Check { name: "template", command: cfn_lint },
        // The arrows and the template's properties are tests in here; so is the official Stripe package.
        cargo("tests", &["nextest", "run", "--workspace", "--no-fail-fast"]),
    ]
}

/// The template as AWS expands it, for the linter and for the tests that read it.
async fn expand_template(folders: &Folders, venv: &Venv) -> Result<std::path::PathBuf> {
    let expanded = folders.target.join("template.json");
    let status = Command::new(venv.python())
        .arg(folders.local().join("template.py"))
        .arg(folders.root.join("template.yaml"))
        .arg(&expanded)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await
        .context("cannot expand the template")?;
    if !status.success() {
        bail!("template.yaml does not expand");
    }
    Ok(expanded)
}
