//! `cargo xtask up`: brings everything up and stays.

use anyhow::Result;

use crate::folders::Folders;
use crate::interrupt;
use crate::progress::Progress;
use crate::stack::{Options, Stack};

/// What `up` can be told.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Forget everything an earlier `up` kept.
    #[arg(long)]
    fresh: bool,
    /// Port of Axiru.
    #[arg(long, default_value_t = 8787)]
    port: u16,
    /// Port of the Stripe sandbox.
    #[arg(long, default_value_t = 8788)]
    sandbox_port: u16,
    /// Port of the local stack's AWS.
    #[arg(long, default_value_t = 8789)]
    aws_port: u16,
}

/// Brings everything up, prints where it is, and stops it on Ctrl-C.
pub(crate) async fn run(arguments: &Arguments, progress: &Progress) -> Result<()> {
    let folders = Folders::find()?;
    let options = Options {
        name: "up",
        keep: true,
        fresh: arguments.fresh,
        port: Some(arguments.port),
        sandbox_port: Some(arguments.sandbox_port),
        gateway_port: Some(arguments.aws_port),
        checkpoint_seconds: 1,
    };
    let stack = interrupt::unless_stopped(Stack::start(&folders, &options, progress)).await?;
    println!("Axiru           {}", stack.url);
    println!("Stripe sandbox  {}", stack.sandbox_url);
    println!("mailbox         {}/mailbox", stack.sandbox_url);
    println!("local AWS       {}", stack.endpoint_url);
    println!("logs            {}", stack.logs().display());
    println!("Ctrl-C stops; what happened is kept, `cargo xtask up --fresh` starts over.");
    interrupt::asked_to_stop().await?;
    let step = progress.step("stopping and keeping the state");
    stack.stop().await?;
    step.done();
    Ok(())
}
