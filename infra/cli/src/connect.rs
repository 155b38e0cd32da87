//! `axiru connect`: mints the one-time link on which somebody connects a Stripe account.
//!
//! Signed with the operator's own AWS identity (SigV4), which the HTTP API verifies: Axiru has no passwords and no operator accounts.

use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, bail};
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// Mint a one-time link on which a Stripe account is connected.
#[derive(Debug, Args)]
pub(crate) struct ConnectCommand {
    /// Stripe's mode in which an account may be connected with the link.
    #[arg(long, value_enum)]
    mode: Modes,
    /// Address of the deployment (the stack's output `ApiUrl`).
    #[arg(long, env = "AXIRU_URL", default_value = "http://127.0.0.1:8787")]
    url: String,
    /// How long the link is valid, in hours: at most 168.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=168))]
    hours: u32,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Modes {
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

#[derive(Serialize)]
struct Wanted {
    modes: &'static [&'static str],
    expires_in: u32,
}

/// The answer.
#[derive(Debug, Serialize, Deserialize)]
struct Link {
    url: String,
    expires_at: String,
    modes: Vec<String>,
}

#[derive(Deserialize)]
struct Problem {
    detail: String,
}

/// Longest wait for the answer. A cold start takes a second.
const WAIT: Duration = Duration::from_secs(20);

/// Runs the command.
///
/// # Errors
/// With what went wrong and what to do about it.
pub(crate) async fn run(command: &ConnectCommand, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let endpoint = endpoint(&command.url)?;
    let body = serde_json::to_string(&Wanted { modes: command.mode.words(), expires_in: command.hours * 3_600 })?;
    let link = mint(&endpoint, body).await?;
    if command.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&link)?)?;
    } else {
        tell(&link, out)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Only https, or this machine: the answer is a secret, and the request is signed.
fn endpoint(address: &str) -> anyhow::Result<Url> {
    let mut url = Url::parse(address).with_context(|| format!("`{address}` is not an address"))?;
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    if url.scheme() != "https" && !(url.scheme() == "http" && here) {
        bail!("`{address}` is neither https nor on this machine");
    }
    url.set_path("/admin/setup-links");
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

async fn mint(endpoint: &Url, body: String) -> anyhow::Result<Link> {
    let config = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
    let region = config.region().context("no AWS region: set AWS_REGION or choose a profile")?.to_string();
    let provider = config.credentials_provider().context("no AWS credentials: sign in, or choose a profile")?;
    let credentials =
        provider.provide_credentials().await.context("no AWS credentials: sign in, or choose a profile")?;
    let request = signed(endpoint, body, &region, credentials, SystemTime::now())?;
    let client = reqwest::Client::builder().timeout(WAIT).redirect(reqwest::redirect::Policy::none()).build()?;
    let answer = client.execute(request.try_into()?).await.map_err(reqwest::Error::without_url);
    let answer = answer.with_context(|| format!("{} does not answer", endpoint.origin().ascii_serialization()))?;
    let status = answer.status();
    let text = answer.text().await.map_err(reqwest::Error::without_url)?;
    read(status.as_u16(), &text)
}

/// The request with its signature.
fn signed(
    endpoint: &Url,
    body: String,
    region: &str,
    credentials: Credentials,
    now: SystemTime,
) -> anyhow::Result<http::Request<String>> {
    let identity = credentials.into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("execute-api")
        .time(now)
        .settings(SigningSettings::default())
        .build()?
        .into();
    let headers = [("content-type", "application/json")];
    let signable =
        SignableRequest::new("POST", endpoint.as_str(), headers.into_iter(), SignableBody::Bytes(body.as_bytes()))?;
    let (instructions, _) = sign(signable, &params)?.into_parts();
    let mut request = http::Request::post(endpoint.as_str()).header("content-type", "application/json").body(body)?;
    instructions.apply_to_request_http1x(&mut request);
    Ok(request)
}

/// The link, or what the deployment says against it.
fn read(status: u16, text: &str) -> anyhow::Result<Link> {
    if status == 201 {
        return serde_json::from_str(text).context("the answer is not a link");
    }
    match serde_json::from_str::<Problem>(text) {
        Ok(problem) => bail!("refused ({status}): {}", problem.detail),
        // API Gateway itself answers in another shape before Axiru is asked.
        Err(_) if status == 403 => bail!(
            "refused (403): your AWS identity may not call this route. It needs execute-api:Invoke on POST /admin/setup-links"
        ),
        Err(_) => bail!("refused ({status}): is this the address of an Axiru deployment?"),
    }
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
    fn a_signed_request_is_sent_over_tls_or_stays_here() {
        assert_eq!(
            endpoint("https://axiru.example/x?y#z").unwrap().as_str(),
            "https://axiru.example/admin/setup-links"
        );
        assert!(endpoint("http://127.0.0.1:8787").is_ok() && endpoint("http://localhost:1").is_ok());
        for bad in [
            "",
            "axiru.example",
            "http://axiru.example",
            "http://127.0.0.1.example.com",
            "ftp://localhost",
            "file:///x",
        ] {
            assert!(endpoint(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_signature_covers_route_host_and_body() {
        let sign = |url: &str, body: &str| {
            let credentials = Credentials::from_keys("AKIDEXAMPLE", "secretcanary", None);
            let request =
                signed(&endpoint(url).unwrap(), body.to_owned(), "eu-central-1", credentials, SystemTime::UNIX_EPOCH)
                    .unwrap();
            request.headers()["authorization"].to_str().unwrap().to_owned()
        };
        let one = sign("https://axiru.example", "{}");
        assert!(
            one.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/19700101/eu-central-1/execute-api/aws4_request"),
            "{one}"
        );
        assert!(!one.contains("canary"));
        assert_eq!(one, sign("https://axiru.example", "{}"));
        assert_ne!(one, sign("https://axiru.example", "{ }"));
        assert_ne!(one, sign("https://other.example", "{}"));
    }

    #[test]
    fn refusals_say_what_to_do() {
        for (status, text, told) in [
            (400, r#"{"detail":"`modes` lists"}"#, "`modes` lists"),
            (403, r#"{"message":"Forbidden"}"#, "execute-api:Invoke"),
            (404, "<html>", "address of an Axiru deployment"),
            (201, "{}", "not a link"),
        ] {
            let error = read(status, text).unwrap_err();
            assert!(format!("{error:#}").contains(told), "{error:#}");
        }
    }

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
