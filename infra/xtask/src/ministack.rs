//! The local stack's AWS: one process on the loopback address, which starts the functions' bootstraps as child processes.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::child::Child;
use crate::folders::Folders;
use crate::venv::Venv;

/// The emulator needs under a second; more means that it hangs.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// Dummy credentials and a region: nothing of the user's own AWS settings reaches the stack, and nothing of the stack reaches AWS.
pub(crate) fn environment(endpoint: &str) -> Vec<(&'static str, String)> {
    vec![
        ("AWS_ENDPOINT_URL", endpoint.to_owned()),
        ("AWS_ACCESS_KEY_ID", "local".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
    ]
}

/// Starts it on `port` and waits until it answers. With `keep`, what it holds is written to `folder` as it stops and read as it starts.
pub(crate) async fn start(folders: &Folders, venv: &Venv, folder: &Path, port: u16, keep: bool) -> Result<Child> {
    let temporary = folder.join("tmp");
    std::fs::create_dir_all(&temporary).with_context(|| format!("cannot make {}", temporary.display()))?;
    let endpoint = format!("http://127.0.0.1:{port}");
    let flag = |on: bool| if on { "1" } else { "0" };
    let mut command = Command::new(venv.python());
    command
        .args(["-m", "ministack"])
        // Bootstraps inherit this environment: it is also how they find the stack.
        .envs(environment(&endpoint))
        .env("HOME", folder)
        .env("TMPDIR", &temporary)
        .env("GATEWAY_PORT", port.to_string())
        // Without these it listens on every address.
        .env("BIND_HOST", "127.0.0.1")
        .env("IOT_MTLS_ENABLED", "0")
        .env("LOG_LEVEL", "INFO")
        .env("PYTHONUNBUFFERED", "1")
        .env("PERSIST_STATE", flag(keep))
        .env("S3_PERSIST", flag(keep))
        .env("STATE_DIR", folder.join("state"))
        .env("S3_DATA_DIR", folder.join("s3"));
    let log = folder.join("logs/ministack.log");
    let mut child =
        Child::start("the local stack", &venv.python(), &folders.local().join("attached.py"), &command, &log)?;

    let client = reqwest::Client::new();
    let started = Instant::now();
    while started.elapsed() < START_TIMEOUT {
        child.still_running(&log)?;
        if client
            .get(format!("{endpoint}/_ministack/health"))
            .send()
            .await
            .is_ok_and(|answer| answer.status().is_success())
        {
            return Ok(child);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("the local stack did not answer within {} s; see {}", START_TIMEOUT.as_secs(), log.display())
}
