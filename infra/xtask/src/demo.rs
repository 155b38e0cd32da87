//! `cargo xtask demo`: Axiru's main job, played from beginning to end, as its users would do it.

mod browser;
mod control;
mod ledger;
mod story;

use anyhow::Result;

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
        story::play(&folders, &stack, progress).await?;
        stack.stop().await
    })
    .await
}
