//! `stripe-sandbox`: the sandbox as a server on this machine.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use axiru_stripe_sandbox::{
    HttpSender, Mailbox, Sandbox, SandboxConfig, load_snapshot, router_with_mailbox, run_courier, save_snapshot,
};
use clap::Parser;
use tokio::net::TcpListener;
use tokio::signal;

/// A change is on disk at most this long after it happened.
const SAVE_EVERY: Duration = Duration::from_millis(500);

/// A stateful stand-in for Stripe.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    /// Where to listen, on loopback only. 0 takes a free port.
    #[arg(long, default_value_t = 8788)]
    port: u16,
    /// Keep everything in this file between runs.
    #[arg(long)]
    state: Option<PathBuf>,
    /// The same seed and the same calls give the same ids.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Show at /mailbox the mails of the local stack whose AWS is at this address.
    #[arg(long, value_name = "URL")]
    mailbox: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let kept = match &arguments.state {
        Some(path) => load_snapshot(path)?,
        None => None,
    };
    let sandbox =
        kept.unwrap_or_else(|| Sandbox::new(SandboxConfig { seed: arguments.seed, ..SandboxConfig::default() }));
    let mailbox = arguments.mailbox.as_deref().map(Mailbox::new).transpose()?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port));
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    announce(listener.local_addr()?);
    let courier = tokio::spawn(run_courier(sandbox.clone(), HttpSender::new()?));
    let keeper = arguments.state.clone().map(|path| tokio::spawn(keep(sandbox.clone(), path)));
    axum::serve(listener, router_with_mailbox(sandbox.clone(), mailbox)).with_graceful_shutdown(stopped()).await?;
    courier.abort();
    if let Some(keeper) = keeper {
        keeper.abort();
    }
    if let Some(path) = &arguments.state {
        save_snapshot(&sandbox, path)?;
    }
    Ok(())
}

#[allow(clippy::print_stdout, reason = "the one line a person or a script waits for")]
fn announce(address: SocketAddr) {
    println!("stripe-sandbox listens on http://{address}");
}

/// Writes the state whenever it changed.
async fn keep(sandbox: Sandbox, path: PathBuf) {
    loop {
        sandbox.changed(Duration::from_secs(3600)).await;
        tokio::time::sleep(SAVE_EVERY).await;
        if let Err(error) = save_snapshot(&sandbox, &path) {
            tracing::error!(%error, "the state could not be saved");
        }
    }
}

/// Ctrl-C, or the stop signal of a service manager.
async fn stopped() {
    let interrupt = signal::ctrl_c();
    let terminate = async {
        match signal::unix::signal(signal::unix::SignalKind::terminate()) {
            Ok(mut stream) => {
                stream.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = interrupt => {}
        () = terminate => {}
    }
}
