//! `cargo xtask bench`: figures of the functions, measured in one run.

use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::extract::State;
use tokio::process::Command;
use tokio::sync::Notify;

use crate::build::{self, cargo};
use crate::folders::Folders;
use crate::progress::Progress;
use crate::venv::Venv;

const FUNCTIONS: [&str; 8] = ["connect", "webhook", "observe", "decide", "refresh", "sweep", "export", "admin"];

/// Examples that measure inside one process.
const SPEEDS: [&str; 3] = ["observe_speed", "decide_speed", "verify_speed"];

/// Stripe's official package for Node, pinned.
const NODE_PACKAGE: &str = "stripe@23.1.0";

/// Starts of each function.
const STARTS: usize = 15;

/// What `bench` can be told.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Measure the functions as they ship (a release build, which takes long) and not as they are tested.
    #[arg(long)]
    release: bool,
}

/// Measures and prints.
pub(crate) async fn run(arguments: &Arguments, progress: &Progress) -> Result<()> {
    let folders = Folders::find()?;
    let binaries = if arguments.release {
        let step = progress.loud_step("building the functions as they ship");
        let mut build = cargo(&folders);
        build.args(["build", "--quiet", "--release"]);
        for name in FUNCTIONS {
            build.args(["--bin", name]);
        }
        ensure!(build.status().await?.success(), "the functions do not build");
        step.done();
        folders.target.join("release")
    } else {
        build::binaries(&folders, progress).await?;
        folders.binaries.clone()
    };
    println!("{:10} {:>9} {:>32}", "function", "size", "start to ready, of 15 (min, max)");
    for name in FUNCTIONS {
        let program = binaries.join(name);
        let size = std::fs::metadata(&program).with_context(|| format!("no {}", program.display()))?.len();
        let mut times = Vec::new();
        for _ in 0..STARTS {
            times.push(start_to_ready(&program).await.with_context(|| format!("starting {name}"))?);
        }
        times.sort();
        let ms = |i: usize| times.get(i).map_or(0.0, |time| time.as_secs_f64() * 1_000.0);
        let range = format!("{:.1} ms ({:.1}, {:.1})", ms(STARTS / 2), ms(0), ms(STARTS - 1));
        println!("{name:10} {:>6.1} MB {range:>32}", size as f64 / 1e6);
    }
    println!();
    for name in SPEEDS {
        let mut speed = cargo(&folders);
        speed.args(["run", "--quiet", "--example", name]);
        ensure!(speed.status().await?.success(), "{name} failed");
        println!();
    }
    webhooks(&folders, progress).await
}

/// Verification beside Stripe's own packages, as far as this machine has Node.
async fn webhooks(folders: &Folders, progress: &Progress) -> Result<()> {
    let venv = Venv::ready(folders, progress).await?;
    let packages = folders.target.join("node");
    if !packages.join("node_modules/stripe").is_dir() {
        std::fs::create_dir_all(&packages)?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", NODE_PACKAGE]);
        // Without npm or a registry the other two are measured.
        let _ = npm.current_dir(&packages).stdout(Stdio::null()).status().await;
    }
    let mut speed = cargo(folders);
    speed.args(["run", "--quiet", "--example", "webhook_speed", "--"]).arg(venv.python()).arg("node").arg(&packages);
    ensure!(speed.status().await?.success(), "webhook_speed failed");
    Ok(())
}

/// Time from the start of a function until it first asks the Runtime API for work.
async fn start_to_ready(program: &std::path::Path) -> Result<Duration> {
    let asked = Arc::new(Notify::new());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let router = Router::new().fallback(next).with_state(Arc::clone(&asked));
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let mut command = Command::new(program);
    command.env_clear().env("AWS_LAMBDA_RUNTIME_API", address).envs([
        ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "bench"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "bench"),
        ("AWS_SECRET_ACCESS_KEY", "bench"),
        ("AXIRU_DEPLOYMENT", "bench"),
        ("AXIRU_PUBLIC_URL", "http://127.0.0.1:1"),
        ("AXIRU_STATE_TABLE", "state"),
        ("AXIRU_LEDGER_TABLE", "ledger"),
        ("AXIRU_SEAL_KEY_ID", "key"),
        ("AXIRU_SIGNING_KEY_ID", "key"),
        ("AXIRU_EXPORT_BUCKET", "bucket"),
        ("AXIRU_OBSERVATIONS_QUEUE_URL", "http://127.0.0.1:1/queue"),
        ("AXIRU_REFRESH_QUEUE_URL", "http://127.0.0.1:1/refresh"),
        ("AXIRU_DEVELOPER_SECRET_TEST", "test"),
        ("AXIRU_DEVELOPER_SECRET_LIVE", "live"),
    ]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let started = Instant::now();
    let mut child = command.spawn()?;
    let ready = tokio::time::timeout(Duration::from_secs(10), asked.notified()).await;
    let took = started.elapsed();
    child.kill().await?;
    server.abort();
    ready.context("it did not ask for work within 10 s")?;
    Ok(took)
}

/// `GET …/invocation/next`: notes that the function is ready and never gives it work.
async fn next(State(asked): State<Arc<Notify>>) {
    asked.notify_one();
    std::future::pending::<()>().await;
}
