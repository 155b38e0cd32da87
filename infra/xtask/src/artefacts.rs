//! The functions as artefacts: whether each starts as `bootstrap` against a Runtime API with the settings that the template gives it, without
//! reaching AWS; what it says to an event that it does not understand, and that no log line repeats any of it; and how it ends when a
//! setting is missing. One of them is built as a deployment builds them all, with cargo-lambda and zig, and what it demands of the machine
//! is compared with what Lambda has.
//!
//! That one is not optimised, and the others are the binaries of the tests: building all as they ship takes an hour and is for a release
//! (docs/build.md).

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::io::AsyncReadExt;

use crate::bare_account::BareAccount;
use crate::build::{self, cargo};
use crate::elf;
use crate::folders::Folders;
use crate::function::{Function, binary, end};
use crate::progress::Progress;
use crate::runtime_api::RuntimeApi;
use crate::said;
use crate::venv::Venv;

/// The function that is built as for a deployment. It has the C and assembly of aws-lc, the SDK and the policies in it, as all have.
const DEPLOYABLE: &str = "webhook";

/// Longest start. It takes some 20 ms; a start that makes a connection waits for it half a second, and a machine that is busy needs more.
const START: Duration = Duration::from_secs(5);

/// Where nothing listens: AWS as a function sees it without a network.
const NOWHERE: &str = "http://127.0.0.1:1";

/// How the names of aws-lc's jitter entropy begin, in a program that still has its names.
const JITTER: &[u8] = b"jent_";

/// Events that no function understands.
const MALFORMED: [&str; 5] = ["", "{", "\u{0}\u{1}", "[[[[[", r#"{"Records": ["canary"#];

/// One that the functions which take messages or requests do not understand, because a text stands where a list or an object should.
const MISTYPED: &str = r#"{"Records": "canary", "version": "2.0", "routeKey": "canary", "headers": "canary"}"#;

/// What no line may repeat.
const CANARY: &str = "canary";

/// Functions that take any JSON: theirs is a schedule, a stream or a queue.
const TAKE_ANYTHING: [&str; 5] = ["export", "notify", "reconcile", "refresh", "sweep"];

/// A function whose invocation fails as a whole where AWS cannot be reached, whatever it is sent.
const FAILS_ALONE: &str = "export";

/// Checks all functions: those of a folder as `sam build` left it, or those of the tests with one deployable.
pub(crate) async fn check(folders: &Folders, progress: &Progress, template: &Path, built: Option<&Path>) -> Result<()> {
    let functions = Function::all(template)?;
    let deployable = match built {
        Some(folder) => folder.to_path_buf(),
        None => {
            build::binaries(folders, progress).await?;
            cargo_lambda(folders, progress).await?
        }
    };
    let step = progress.loud_step("starting every function");
    let silent = BareAccount::silent().await?;
    let run = folders.run("artefacts");
    for function in &functions {
        let mut program = binary(&deployable, &function.name);
        if program.is_file() {
            let needs = elf::check(&program).with_context(|| format!("{} as it is deployed", function.name))?;
            let jitter = std::fs::read(&program)?.windows(JITTER.len()).any(|bytes| bytes == JITTER);
            ensure!(!jitter, "{} has aws-lc's jitter entropy in it: .cargo/config.toml was not heard", function.name);
            step.detail(&format!("{} as it is deployed: {needs}", function.name));
        } else {
            ensure!(built.is_none(), "no {}", program.display());
            program = binary(&folders.binaries, &function.name);
        }
        let artefact = Artefact { function, program: as_bootstrap(&run, &function.name, &program)? };
        let checks = async {
            artefact.starts(NOWHERE).await.context("without a network")?;
            artefact.starts(&silent.url).await.context("with an AWS that does not answer")?;
            artefact.refuses().await
        };
        let optional = checks.await.with_context(|| function.name.clone())?;
        step.detail(&format!("{}: starts; may do without {}", function.name, optional.join(", ")));
    }
    step.done();
    Ok(())
}

/// Builds one function as a deployment does, but not optimised; the folder it is in.
async fn cargo_lambda(folders: &Folders, progress: &Progress) -> Result<PathBuf> {
    let tools = Venv::make(folders, progress, "build", "build.txt").await?;
    let step = progress.loud_step("building one function with cargo-lambda");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(tools.programs()).chain(std::env::split_paths(&path)))?;
    let mut build = cargo(folders);
    // In the function's own folder, as SAM does: so cargo resolves the features of this function alone.
    build.current_dir(folders.root.join("functions").join(DEPLOYABLE));
    build.args(["lambda", "build", "--quiet", "--x86-64"]).env("PATH", path);
    // What it demands of the machine is the same, and all of it is compiled once more for this target.
    build.env("CARGO_PROFILE_DEV_OPT_LEVEL", "0");
    said::run(&mut build).await.context("`cargo lambda build`")?;
    step.done();
    Ok(folders.target.join("lambda"))
}

/// The program under the name that Lambda starts, in a folder of its own.
fn as_bootstrap(run: &Path, name: &str, program: &Path) -> Result<PathBuf> {
    let folder = run.join(name);
    std::fs::create_dir_all(&folder).context("cannot make the folder of the run")?;
    let bootstrap = folder.join("bootstrap");
    // Nothing of an earlier run is taken for one of this.
    let _ = std::fs::remove_file(&bootstrap);
    std::os::unix::fs::symlink(std::path::absolute(program)?, &bootstrap)?;
    Ok(bootstrap)
}

/// A function and what is started for it.
struct Artefact<'a> {
    function: &'a Function,
    program: PathBuf,
}

impl Artefact<'_> {
    /// It asks for work, and answers what it does not understand with an error, again and again.
    async fn starts(&self, aws: &str) -> Result<()> {
        let mut api = RuntimeApi::start().await?;
        let mut command = self.function.command(&self.program, &api.address, aws);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        tokio::time::timeout(START, api.ready()).await.context("it did not ask for work in time")?;
        let mistyped = (!TAKE_ANYTHING.contains(&self.function.name.as_str())).then_some(MISTYPED);
        let events: Vec<_> = MALFORMED.into_iter().chain(mistyped).collect();
        for event in &events {
            let answer = api.invoke(event).await.with_context(|| format!("told {event:?}"))?;
            ensure!(!answer.done, "told {event:?}, it answered {}", answer.body);
            tokio::time::timeout(START, api.ready()).await.context("it does not ask for more")?;
        }
        // With AWS out of reach an invocation fails at once. What is asked for does not matter.
        let fails = aws == NOWHERE && FAILS_ALONE == self.function.name;
        if fails {
            let answer = api.invoke("{}").await?;
            ensure!(!answer.done && answer.body.contains("InvocationFailed"), "it failed with {}", answer.body);
            tokio::time::timeout(START, api.ready()).await.context("it does not ask for more")?;
        }
        end(child).await?;
        let mut said = String::new();
        out.context("no output")?.read_to_string(&mut said).await?;
        err.context("no output")?.read_to_string(&mut said).await?;
        let mut errors = 0;
        for line in said.lines() {
            let told: Value = serde_json::from_str(line).with_context(|| format!("no log line: {line}"))?;
            errors += usize::from(told.get("level").is_some_and(|level| level == "ERROR"));
        }
        let failures = events.len() + usize::from(fails);
        ensure!(errors == failures, "of {failures} events that fail, it tells in {errors} lines:\n{said}");
        ensure!(!said.contains(CANARY), "it repeats what it was sent:\n{said}");
        Ok(())
    }

    /// Without any one of its settings it either starts, or ends with a status that is not zero and one line that names the setting. Answers
    /// what it may do without.
    async fn refuses(&self) -> Result<Vec<&str>> {
        let mut optional = Vec::new();
        for name in self.function.settings.keys() {
            let mut api = RuntimeApi::start().await?;
            let mut command = self.function.command(&self.program, &api.address, NOWHERE);
            command.env_remove(name).stdout(Stdio::piped()).stderr(Stdio::piped());
            let ended = command.spawn()?.wait_with_output();
            let output = tokio::select! {
                output = tokio::time::timeout(START, ended) => output.context("it neither starts nor ends")??,
                () = api.ready() => {
                    optional.push(name.as_str());
                    continue;
                }
            };
            let mut said = output.stdout;
            said.extend(output.stderr);
            let said = String::from_utf8(said).context("it says something that is not text")?;
            if output.status.code() != Some(1) || said.lines().count() != 1 || !said.contains(&format!("`{name}`")) {
                bail!("without {name} it ended with {} and said:\n{said}", output.status);
            }
        }
        ensure!(!optional.contains(&"AXIRU_STATE_TABLE"), "it starts without a table");
        Ok(optional)
    }
}
