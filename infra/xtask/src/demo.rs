//! `cargo xtask demo`: Axiru's main job, played from beginning to end, as its users would do it.

// A JSON value indexed by a name gives null where there is none: it does not panic.
#![allow(clippy::indexing_slicing)]

mod approvals;
mod browser;
mod clients;
mod control;
mod decide;
mod door;
mod gateway;
mod jobs;
mod ledger;
mod merchant;
mod search;
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

/// The story on a stack of its own.
async fn story(folders: &Folders, progress: &Progress) -> Result<()> {
    let stack = Stack::start(folders, &Options::ephemeral("demo"), progress).await?;
    story::play(folders, &stack, progress).await?;
    stack.stop().await
}

/// What `cargo xtask test` plays, on one stack: the story if `story`, and Stripe's own clients through the gateway if `gateway`.
pub(crate) async fn checks(
    folders: &Folders,
    progress: &Progress,
    story: bool,
    gateway: bool,
) -> Vec<(&'static str, Result<()>)> {
    let stack = match Stack::start(folders, &Options::ephemeral("demo"), progress).await {
        Ok(stack) => stack,
        Err(error) => return vec![("the local stack", Err(error))],
    };
    let mut done = Vec::new();
    if story {
        done.push(("story", story::play(folders, &stack, progress).await));
    }
    if gateway {
        done.push(("gateway", clients::play(folders, &stack, progress).await));
    }
    done.push(("stopping the local stack", stack.stop().await));
    done
}
