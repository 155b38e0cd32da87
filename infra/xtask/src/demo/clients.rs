//! Stripe's own clients through the gateway, on the real stack: each against an account of its own, in shadow and then with starter plans
//! enforced. `tests/sdk/gateway.py` and `gateway.mjs` hold what must come out.

use anyhow::{Context, Result};
use serde_json::json;
use tokio::process::Command;

use super::control::Control;
use super::ledger::{Axiru, ring};
use super::merchant::{account, approver, connect, key, operator};
use crate::folders::Folders;
use crate::node::Node;
use crate::progress::Progress;
use crate::said;
use crate::stack::Stack;
use crate::venv::Venv;

/// Refunds that are there before: more than Stripe gives on one page.
const MANY: usize = 105;

/// The starter plans that are enforced in the second phase. Disputes stay in shadow: calls pass there as they came.
const PLANS: [&str; 3] = ["refunds-starter", "payouts-starter", "transfers-starter"];

/// An account with what a client needs.
struct Shop {
    scope: String,
    /// Who answers for those that act.
    person: String,
    environment: Vec<(&'static str, String)>,
}

/// Runs both clients; any answer that is off ends it.
pub(super) async fn play(folders: &Folders, stack: &Stack, progress: &Progress) -> Result<()> {
    let control = Control::new(&stack.sandbox_url);
    let axiru = Axiru::new(folders, stack);
    let venv = Venv::ready(folders, progress).await?;
    let node = Node::ready(folders, progress, "sdk").await?;
    let script = |name: &str| folders.root.join("tests/sdk").join(name);
    for language in ["Python", "Node"] {
        let shop = shop(&control, &axiru, stack, &format!("{language} Shop")).await?;
        for phase in ["shadow", "enforced"] {
            if phase == "enforced" {
                for plan in PLANS {
                    let enforce = ["plan", "mode", plan, "enforce", "--why", "tried out"];
                    axiru.text(&[&enforce[..], &["--scope", &shop.scope, "--url", &stack.url]].concat()).await?;
                }
            }
            let step = progress.loud_step(&format!("Stripe's package for {language} through the gateway, {phase}"));
            let mut command = if language == "Node" {
                let mut command = Command::new(node.program());
                command.arg(script("gateway.mjs")).arg(phase).arg(node.packages()).env("PATH", node.path());
                command
            } else {
                let mut command = Command::new(venv.python());
                command.arg("-B").arg(script("gateway.py")).arg(phase);
                command
            };
            let scoped = ["--scope", shop.scope.as_str(), "--url", stack.url.as_str()];
            // Somebody new each time: what was moved in shadow counts in the limits of whoever moved it.
            for (name, actor) in [("AGENT_KEY", "agent"), ("STAFF_KEY", "staff")] {
                command.env(name, key(&axiru, &scoped, actor, &shop.person).await?);
            }
            command.envs(shop.environment.iter().map(|(name, value)| (*name, value)));
            said::run(&mut command).await.with_context(|| {
                format!("{language}, {phase}: not as Stripe's client expects; see {}", stack.logs().display())
            })?;
            step.done();
        }
    }
    let step = progress.step("a job on its way through the FIFO queue to the worker");
    super::jobs::delivered(stack, "test/acct_Nobody").await?;
    step.done();
    let step = progress.step("verifying what the gateway left in the ledger");
    control.delivered().await?;
    ring(stack).await?;
    let export = stack.folder.join("gateway-export");
    let export = export.to_str().context("the target folder's name is not text")?;
    axiru.text(&["pull", &format!("s3://{}", stack.output("ExportBucketName")?), export]).await?;
    axiru.text(&["verify", export, "--vkey", &format!("{export}/v1/log.vkey")]).await?;
    step.done();
    Ok(())
}

/// A connected account with more refunds than a page holds.
async fn shop(control: &Control, axiru: &Axiru<'_>, stack: &Stack, name: &str) -> Result<Shop> {
    let merchant = account(control, name, None).await?;
    let partner = account(control, "Seller", Some(&merchant)).await?;
    let scope = format!("test/{merchant}");
    // Before it is connected, so that Axiru hears nothing of them.
    let many = control.make(&format!("{scope}/charges"), json!({"amount": 100_000, "currency": "usd"})).await?;
    for _ in 0..MANY {
        control.make(&format!("{scope}/refunds"), json!({"charge": many, "amount": 100})).await?;
    }
    let link = axiru.json(&["connect", "--mode", "both", "--url", &stack.url, "--json"]).await?;
    let link = link["url"].as_str().context("no set-up link")?;
    connect(stack, link, "test", &merchant, name).await.context("connecting")?;
    let scoped = ["--scope", scope.as_str(), "--url", stack.url.as_str()];
    let person = operator(axiru, &scoped, "rosa@example.com").await?;
    approver(axiru, &scoped, "jo@example.com").await?;
    let environment = vec![
        ("AXIRU_URL", stack.url.clone()),
        ("SANDBOX_URL", stack.sandbox_url.clone()),
        ("SCOPE", scope.clone()),
        ("PARTNER", partner),
        ("MANY", many),
    ];
    Ok(Shop { scope, person, environment })
}
