//! `cargo xtask test`: every check that CI runs, one after the other, all of them even if one fails.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use crate::build::{self, cargo};
use crate::folders::Folders;
use crate::interrupt;
use crate::node::Node;
use crate::progress::Progress;
use crate::venv::Venv;
use crate::{
    artefacts, chromium, demo, deployment, features, golang, ports, rights, said, sandbox, sbom, template, tools,
};

/// What `test` can be told.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Run only the checks whose name contains this: format, clippy, dependencies, template, template-sam, checkov, tests, artefacts, deployment, stripe-package, openapi,
    /// pages, ledger, story, gateway.
    #[arg(value_name = "NAME")]
    only: Option<String>,
    /// For the check `ledger`: an export to read, a folder that holds `v1`, instead of a sample. For `artefacts`: a folder of functions as they
    /// are deployed, `NAME/bootstrap` for each, instead of those of the tests. For `deployment`: `.aws-sam/build`, as `sam build` left it.
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

/// What the checks share.
struct Ground<'a> {
    folders: &'a Folders,
    progress: &'a Progress,
    venv: Venv,
    /// Finds cargo's subcommands.
    path: OsString,
    /// The template as AWS expands it.
    template: PathBuf,
}

/// A check that failed.
struct Failed {
    name: &'static str,
    error: anyhow::Error,
}

impl Failed {
    /// Says at once what is wrong.
    fn new(name: &'static str, error: anyhow::Error) -> Self {
        eprintln!("    {error:#}");
        Self { name, error }
    }

    /// Says at the end of a run what was wrong, with the last words of the program that failed.
    fn tell_again(&self) {
        eprintln!("\n{} failed: {:#}", self.name, self.error);
        let ended = self.error.chain().find_map(|error| error.downcast_ref::<said::Ended>());
        for line in ended.iter().flat_map(|ended| &ended.said) {
            eprintln!("  | {line}");
        }
    }
}

/// Runs the checks and fails if any of them did.
pub(crate) async fn run(arguments: &Arguments, progress: &Progress) -> Result<()> {
    let folders = Folders::find()?;
    interrupt::unless_stopped(async {
        let venv = Venv::ready(&folders, progress).await?;
        let path = tools::path(&folders, progress).await?;
        let template = template::expand(&folders, &venv).await?;
        let ground = Ground { folders: &folders, progress, venv, path, template };
        let chosen = |name: &str| arguments.only.as_ref().is_none_or(|only| name.contains(only.as_str()));
        let (mut ran, mut failed) = (0, Vec::new());
        for (name, command) in ground.commands() {
            if chosen(name) {
                ran += 1;
                let done = match name {
                    "dependencies" => ground.dependencies(name, command).await,
                    "tests" => ground.tests(name, command).await,
                    _ => ground.check(name, command).await,
                };
                failed.extend(done.err().map(|error| Failed::new(name, error)));
            }
        }
        for name in ["checkov", "artefacts", "deployment", "stripe-package", "openapi", "pages", "ledger"] {
            if chosen(name) {
                ran += 1;
                let done = match name {
                    "checkov" => ground.checkov(name).await,
                    "artefacts" => {
                        artefacts::check(&folders, progress, &ground.template, arguments.folder.as_deref()).await
                    }
                    "deployment" => {
                        deployment::check(&folders, progress, &ground.venv, arguments.folder.as_deref()).await
                    }
                    "stripe-package" => ground.stripe_package(name).await,
                    "openapi" => ground.openapi(name).await,
                    "ledger" => ground.ledger(name, arguments.folder.as_deref()).await,
                    _ => ground.pages(name).await,
                };
                failed.extend(done.err().map(|error| Failed::new(name, error)));
            }
        }
        let (story, gateway) = (chosen("story"), chosen("gateway"));
        if story || gateway {
            ran += 1;
            for (name, done) in demo::checks(&folders, progress, story, gateway).await {
                failed.extend(done.err().map(|error| Failed::new(name, error)));
            }
        }
        ensure!(ran > 0, "no check has a name like that");
        failed.iter().for_each(Failed::tell_again);
        let names: Vec<_> = failed.iter().map(|failed| failed.name).collect();
        ensure!(names.is_empty(), "failed: {}", names.join(", "));
        Ok(())
    })
    .await
}

impl Ground<'_> {
    /// The checks that are one command each.
    fn commands(&self) -> Vec<(&'static str, Command)> {
        let cargo = |arguments: &[&str]| {
            let mut command = cargo(self.folders);
            command.args(arguments);
            command
        };
        let mut cfn_lint = Command::new(self.venv.program("cfn-lint"));
        cfn_lint.args(["--regions", "us-east-1", "eu-central-1", "--template"]).arg(&self.template);
        let mut sam = Command::new(self.venv.python());
        sam.arg("-B").arg(self.folders.local().join("valid.py")).arg(self.folders.root.join("template.yaml"));
        vec![
            ("format", cargo(&["fmt", "--all", "--check"])),
            ("clippy", cargo(&["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"])),
            ("dependencies", cargo(&["deny", "--log-level", "error", "check", "bans", "licenses", "sources"])),
            ("template", cfn_lint),
            ("template-sam", sam),
            // With the arrows and the properties of the template among them.
            (
                "tests",
                cargo(&["nextest", "run", "--workspace", "--no-fail-fast", "--failure-output", "immediate-final"]),
            ),
        ]
    }

    /// What is depended on, the bill of it, and whether the functions agree.
    async fn dependencies(&self, name: &str, command: Command) -> Result<()> {
        self.check(name, command).await?;
        let step = self.progress.loud_step("bill of materials");
        sbom::check(self.folders, self.progress).await?;
        step.done();
        let step = self.progress.loud_step("features of the functions");
        step.detail(&features::check(self.folders).await?);
        step.done();
        Ok(())
    }

    /// All tests, and whether they use every right that a role has.
    async fn tests(&self, name: &str, mut command: Command) -> Result<()> {
        let used = rights::folder(&self.folders.target)?;
        command.env(rights::RECORD, &used);
        self.check(name, command).await?;
        let step = self.progress.loud_step("rights of roles");
        let told = rights::check(&self.folders.root, &used)?;
        step.detail(&told);
        step.done();
        Ok(())
    }

    /// Runs one check; its output is shown as it comes.
    async fn check(&self, name: &str, mut command: Command) -> Result<()> {
        let step = self.progress.loud_step(name);
        said::run(command.env("PATH", &self.path).env("AXIRU_TEMPLATE", &self.template)).await?;
        step.done();
        Ok(())
    }

    /// What a reviewer of cloud templates would find, with checkov's eyes. Its packages clash with the local stack's, so it has its own.
    async fn checkov(&self, name: &str) -> Result<()> {
        let venv = Venv::make(self.folders, self.progress, "venv-checkov", "checkov.txt").await?;
        let folder = self.folders.run(name);
        std::fs::create_dir_all(&folder).context("cannot make the folder of the run")?;
        let mut command = Command::new(venv.python());
        command.arg("-B").arg(self.folders.local().join("reviewed.py"));
        command.arg(venv.program("checkov")).arg(&self.template).arg(&folder);
        self.check(name, command).await
    }

    /// The official Stripe package against the sandbox.
    async fn stripe_package(&self, name: &str) -> Result<()> {
        build::binaries(self.folders, self.progress).await?;
        let folder = self.folders.run("stripe-package");
        std::fs::create_dir_all(folder.join("logs")).context("cannot make the folder of the run")?;
        let port = ports::free()?;
        let sandbox = sandbox::start(self.folders, &self.venv, &folder, port, false, None).await?;
        let mut command = Command::new(self.venv.python());
        command
            .arg("-B")
            .arg(self.folders.root.join("tests/sdk/python_sdk.py"))
            .arg(format!("http://127.0.0.1:{port}"));
        self.check(name, command).await?;
        sandbox.stop().await
    }

    /// The description of the native API against the API.
    async fn openapi(&self, name: &str) -> Result<()> {
        let mut build = cargo(self.folders);
        // With the whole workspace, so that cargo resolves the same features as everywhere.
        build.args(["build", "--quiet", "--workspace", "--example", "decide_server"]);
        self.check("building the native API's server", build).await?;
        let folder = self.folders.run(name);
        std::fs::create_dir_all(&folder).context("cannot make the folder of the run")?;
        let mut command = Command::new(self.venv.python());
        command
            .arg("-B")
            .arg(self.folders.root.join("tests/sdk/openapi.py"))
            .arg(self.folders.binaries.join("examples/decide_server"))
            // What the run leaves is not left in the clone.
            .current_dir(&folder);
        self.check(name, command).await
    }

    /// Every page and mail in a browser. What it looks like stays beside, to be looked at.
    async fn pages(&self, name: &str) -> Result<()> {
        let node = Node::ready(self.folders, self.progress, "browser").await?;
        let chromium = chromium::ready(self.progress).await?;
        let (gallery, shots) = (self.folders.run(name).join("gallery"), self.folders.run(name).join("screenshots"));
        for folder in [&gallery, &shots] {
            // Nothing of an earlier run is taken for one of this.
            let _ = std::fs::remove_dir_all(folder);
            std::fs::create_dir_all(folder).context("cannot make the folder of the run")?;
        }
        let mut build = cargo(self.folders);
        // With the whole workspace, as above.
        build.args(["build", "--quiet", "--workspace", "--example", "gallery"]);
        self.check("building the gallery", build).await?;
        let mut write = Command::new(self.folders.binaries.join("examples/gallery"));
        write.arg(&gallery);
        self.check("writing every page and mail", write).await?;
        let mut command = Command::new(node.program());
        command.arg(self.folders.root.join("tests/browser/pages.mjs"));
        command.arg(&gallery).arg(&shots).arg(chromium).arg(node.packages());
        self.check(name, command).await
    }

    /// An export as programs read it that share no code with ours: a true one, and one that is spoiled in many ways.
    async fn ledger(&self, name: &str, export: Option<&Path>) -> Result<()> {
        let folder = self.folders.run(name);
        // Nothing of an earlier run is taken for one of this.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).context("cannot make the folder of the run")?;
        let readers = self.folders.root.join("shared/ledger/readers");
        let sumdb = golang::build(&readers.join("sumdb/main.go"), &folder, self.folders, self.progress).await?;
        let export = match export {
            Some(export) => export.to_path_buf(),
            None => self.sample_export(folder.join("export")).await?,
        };
        let mut command = Command::new(self.venv.python());
        command.arg("-B").arg(self.folders.root.join("tests/ledger/readers.py"));
        command.arg(export).arg(sumdb).arg(readers.join("verify.py")).arg(readers.join("by-hand.sh"));
        self.check(name, command).await
    }

    /// Writes a sample export into `folder`.
    async fn sample_export(&self, folder: PathBuf) -> Result<PathBuf> {
        let mut build = cargo(self.folders);
        // With the whole workspace, as above.
        build.args(["build", "--quiet", "--workspace", "--example", "sample_log"]);
        self.check("building the writer of a sample export", build).await?;
        let mut write = Command::new(self.folders.binaries.join("examples/sample_log"));
        write.arg(&folder);
        self.check("writing a sample export", write).await?;
        Ok(folder)
    }
}
