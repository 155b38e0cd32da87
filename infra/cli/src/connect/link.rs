//! `axiru connect --mode`: mints the one-time link on which somebody connects a Stripe account.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::api::Deployment;

/// Stripe's modes of a link.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Modes {
    /// No real money.
    Test,
    /// Real money.
    Live,
    /// One link for both, each once.
    Both,
}

impl Modes {
    const fn words(self) -> &'static [&'static str] {
        match self {
            Self::Test => &["test"],
            Self::Live => &["live"],
            Self::Both => &["test", "live"],
        }
    }
}

/// The answer.
#[derive(Debug, Serialize, Deserialize)]
struct Link {
    url: String,
    expires_at: String,
    modes: Vec<String>,
}

/// Mints the link.
///
/// # Errors
/// With what went wrong and what to do about it.
pub(super) async fn run(
    mode: Modes,
    hours: u32,
    deployment: &Deployment,
    json: bool,
    out: &mut impl Write,
) -> anyhow::Result<ExitCode> {
    let body = json!({"modes": mode.words(), "expires_in": hours * 3_600});
    let answer = deployment.open().await?.root("setup-links", Some(&body)).await?;
    let link: Link = serde_json::from_value(answer).context("the answer is not a link")?;
    if json {
        writeln!(out, "{}", serde_json::to_string_pretty(&link)?)?;
    } else {
        tell(&link, out)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(link: &Link, out: &mut impl Write) -> std::io::Result<()> {
    writeln!(out, "{}\n", link.url)?;
    writeln!(out, "Open this link, or send it to the person who may install apps in the Stripe account.")?;
    writeln!(out, "It connects one account in {} mode, until {}.", link.modes.join(" and one in "), link.expires_at)?;
    writeln!(out, "Whoever has it can use it: send it to nobody else.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_stands_alone_on_its_line() {
        let link = Link {
            url: "https://a.example/stripe/install?link=x".into(),
            expires_at: "2026-10-31T00:00:00.000Z".into(),
            modes: vec!["test".into(), "live".into()],
        };
        let mut out = Vec::new();
        tell(&link, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.lines().next(), Some("https://a.example/stripe/install?link=x"));
        assert!(text.contains("one account in test and one in live mode"), "{text}");
    }
}
