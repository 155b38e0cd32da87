//! `cargo xtask demo`: Axiru's main job, played from beginning to end, as its users would do it.

// A JSON value indexed by a name gives null where there is none: it does not panic.
#![allow(clippy::indexing_slicing)]

mod browser;
mod control;
mod decide;
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
    interrupt::unless_stopped(async { story(&Folders::find()?, progress).await }).await
}

/// The story on a stack of its own, which `cargo xtask test` plays too.
pub(crate) async fn story(folders: &Folders, progress: &Progress) -> Result<()> {
    let stack = Stack::start(folders, &Options::ephemeral("demo"), progress).await?;
    story::play(folders, &stack, progress).await?;
    stack.stop().await
}
