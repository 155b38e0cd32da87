//! Axiru on this machine: the real template and the real function binaries on the local stack, the Stripe sandbox beside them, and the
//! door to the API. Started in one call, stopped in one call, gone when dropped.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::child::Child;
use crate::deploy::{self, Values};
use crate::folders::Folders;
use crate::progress::Progress;
use crate::proxy::Proxy;
use crate::venv::Venv;
use crate::{build, ministack, ports, sandbox};

/// How a stack is brought up.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Names the run's folder, `target/local/{name}`, with its logs and state.
    pub(crate) name: &'static str,
    /// Keep what the stack holds for the next start.
    pub(crate) keep: bool,
    /// Forget what an earlier run kept.
    pub(crate) fresh: bool,
    /// Port of Axiru; any free one if none is asked.
    pub(crate) port: Option<u16>,
    /// Port of the Stripe sandbox; any free one if none is asked.
    pub(crate) sandbox_port: Option<u16>,
    /// Port of the local stack's AWS. A stack that keeps its state needs the same one again: queue addresses contain it.
    pub(crate) gateway_port: Option<u16>,
    /// Least time between two checkpoints of one log.
    pub(crate) checkpoint_seconds: u32,
}

impl Options {
    /// A stack of its own on free ports that leaves nothing behind but logs: what `demo` and tests use.
    pub(crate) fn ephemeral(name: &'static str) -> Self {
        Self {
            name,
            keep: false,
            fresh: true,
            port: None,
            sandbox_port: None,
            gateway_port: None,
            checkpoint_seconds: 1,
        }
    }
}

/// A running stack.
#[derive(Debug)]
pub(crate) struct Stack {
    /// Where people and Stripe reach Axiru: `http://127.0.0.1:8787` under `up`.
    pub(crate) url: String,
    /// The local stack's AWS, for `AWS_ENDPOINT_URL`.
    pub(crate) endpoint_url: String,
    /// The Stripe sandbox.
    pub(crate) sandbox_url: String,
    /// The template's outputs.
    pub(crate) outputs: BTreeMap<String, String>,
    /// The run's folder.
    pub(crate) folder: PathBuf,
    // Dropped in this order: first the door, then the sandbox, then the stack.
    proxy: Proxy,
    sandbox: Child,
    aws: Child,
}

impl Stack {
    /// Sets up what is missing, builds, starts and deploys. Whatever was started ends if a later step fails.
    pub(crate) async fn start(folders: &Folders, options: &Options, progress: &Progress) -> Result<Self> {
        let venv = Venv::ready(folders, progress).await?;
        build::binaries(folders, progress).await?;

        let folder = folders.run(options.name);
        if options.fresh && folder.exists() {
            std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        let logs = folder.join("logs");
        std::fs::create_dir_all(&logs).with_context(|| format!("cannot make {}", logs.display()))?;
        let port = ports::choose(options.port, "Axiru")?;
        let sandbox_port = ports::choose(options.sandbox_port, "the Stripe sandbox")?;
        let gateway_port = ports::choose(options.gateway_port, "the local stack")?;

        let step = progress.step("starting the local stack");
        let aws = ministack::start(folders, &venv, &folder, gateway_port, options.keep).await?;
        step.done();

        let url = format!("http://127.0.0.1:{port}");
        let sandbox_url = format!("http://127.0.0.1:{sandbox_port}");
        let endpoint_url = format!("http://127.0.0.1:{gateway_port}");
        let sandbox = sandbox::start(folders, &venv, &folder, sandbox_port, options.keep, Some(&endpoint_url)).await?;

        let step = progress.step("deploying template.yaml");
        let values = values(&url, &sandbox_url, options.checkpoint_seconds);
        let outputs = deploy::deploy(folders, &venv, &endpoint_url, &logs, &values).await?;
        step.done();

        let api = outputs.get("ApiId").context("the template has no output `ApiId`")?;
        let proxy = Proxy::start(port, gateway_port, api).await?;
        Ok(Self { url, endpoint_url, sandbox_url, outputs, folder, proxy, sandbox, aws })
    }

    /// An output of the template.
    pub(crate) fn output(&self, name: &str) -> Result<&str> {
        self.outputs.get(name).map(String::as_str).with_context(|| format!("the template has no output `{name}`"))
    }

    /// The environment of a command that works on this stack as it would on AWS.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        ministack::environment(&self.endpoint_url)
    }

    /// One file for each function, one for the local stack and one for the sandbox.
    pub(crate) fn logs(&self) -> PathBuf {
        self.folder.join("logs")
    }

    /// Stops everything cleanly; a stack that keeps its state writes it now.
    pub(crate) async fn stop(self) -> Result<()> {
        drop(self.proxy);
        self.sandbox.stop().await?;
        self.aws.stop().await
    }
}

/// The template's parameters on this machine, and the developer keys that the sandbox knows.
fn values(url: &str, sandbox_url: &str, checkpoint_seconds: u32) -> Values {
    let authorize = format!("{sandbox_url}/oauth/v2/authorize");
    // The two apps that a sandbox starts with.
    let secret = |mode: &str, name: &str| {
        format!(r#"{{"client_id":"ca_SandboxApp{name}","developer_key":"sk_{mode}_SandboxDeveloperKey{name}"}}"#)
    };
    Values {
        parameters: vec![
            ("DeploymentName", "local".to_owned()),
            ("PublicUrl", url.to_owned()),
            ("CheckpointSeconds", checkpoint_seconds.to_string()),
            ("StripeAppPermissions", "enforcing".to_owned()),
            ("StripeApiBase", sandbox_url.to_owned()),
            // A name of the reserved kind (RFC 2606); `deploy.py` makes it a verified identity.
            ("MailFrom", "axiru@shop.example".to_owned()),
            // Operators are told with every run: nobody waits a quarter of an hour on this machine.
            ("OperatorDigestMinutes", "0".to_owned()),
            ("AuthorizeUrlTest", authorize.clone()),
            ("AuthorizeUrlLive", authorize),
        ],
        secrets: vec![
            ("DeveloperSecretTestArn", secret("test", "Test")),
            ("DeveloperSecretLiveArn", secret("live", "Live")),
        ],
    }
}
