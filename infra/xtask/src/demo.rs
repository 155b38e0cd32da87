//! `cargo xtask demo`: Axiru's main job, played from beginning to end.

use anyhow::{Context, Result, ensure};

use crate::folders::Folders;
use crate::interrupt;
use crate::progress::Progress;
use crate::stack::{Options, Stack};

/// What `demo` can be told.
#[derive(clap::Args)]
pub(crate) struct Arguments {}

/// Brings a stack of its own up, plays the story and stops it.
pub(crate) async fn run(_arguments: &Arguments, progress: &Progress) -> Result<()> {
    interrupt::unless_stopped(async {
        let folders = Folders::find()?;
        let stack = Stack::start(&folders, &Options::ephemeral("demo"), progress).await?;
        play(&stack, progress).await?;
        stack.stop().await
    })
    .await
}

async fn play(stack: &Stack, progress: &Progress) -> Result<()> {
    let step = progress.step("asking for the first page");
    let answer = reqwest::get(format!("{}/", stack.url)).await.context("Axiru does not answer")?;
    let status = answer.status();
    ensure!(status.is_success(), "the first page answered {status}; see {}", stack.logs().display());
    step.done();
    Ok(())
}
