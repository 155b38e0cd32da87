//! The deployment's administrative API, as every command of an operator calls it.
//!
//! Requests are signed with the operator's own AWS identity (SigV4), which the HTTP API verifies: Axiru has no passwords and no
//! operator accounts, and the command needs no right on any table.

use std::time::{Duration, SystemTime};

use anyhow::{Context as _, bail};
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use axiru_domain::Scope;
use clap::Args;
use serde::Deserialize;
use serde_json::Value;
use url::{Host, Url};

/// Which deployment.
#[derive(Debug, Clone, Args)]
pub(crate) struct Deployment {
    /// Address of the deployment (the stack's output `ApiUrl`).
    #[arg(long, env = "AXIRU_URL", default_value = "http://127.0.0.1:8787")]
    url: String,
}

/// Longest wait for an answer. A cold start takes a second.
const WAIT: Duration = Duration::from_secs(20);

/// Tries of one request that the deployment could not answer. All of them are the same request, with the same change id.
const TRIES: u32 = 3;

/// A deployment with the identity that calls it.
pub(crate) struct Api {
    base: Url,
    region: String,
    credentials: Credentials,
    client: reqwest::Client,
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    url: Url,
    /// The body of a POST; none for a GET.
    body: Option<String>,
}

/// An answer that says no, in the words of the deployment.
#[derive(Debug, thiserror::Error)]
#[error("refused ({status}): {detail}")]
pub(crate) struct Refused {
    pub(crate) status: u16,
    /// What is wrong, and what to do.
    pub(crate) detail: String,
    /// The whole problem document.
    pub(crate) document: Value,
}

#[derive(Deserialize)]
struct Problem {
    detail: String,
}

impl Deployment {
    /// The base address. Only https, or this machine: answers are confidential, and requests are signed.
    fn base(&self) -> anyhow::Result<Url> {
        let address = &self.url;
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
        url.set_path("/");
        url.set_query(None);
        url.set_fragment(None);
        Ok(url)
    }

    #[cfg(test)]
    pub(crate) fn here() -> Self {
        Self { url: "http://127.0.0.1:1".to_owned() }
    }

    /// The deployment with the AWS identity of the environment.
    pub(crate) async fn open(&self) -> anyhow::Result<Api> {
        let base = self.base()?;
        let config = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
        let region = config.region().context("no AWS region: set AWS_REGION or choose a profile")?.to_string();
        let provider = config.credentials_provider().context("no AWS credentials: sign in, or choose a profile")?;
        let credentials =
            provider.provide_credentials().await.context("no AWS credentials: sign in, or choose a profile")?;
        let client = reqwest::Client::builder().timeout(WAIT).redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Api { base, region, credentials, client })
    }
}

impl Api {
    /// A request to `/admin/` and these parts.
    fn call(&self, parts: &[&str], query: &[(&str, String)], body: Option<&Value>) -> anyhow::Result<Call> {
        call(&self.base, parts, query, body)
    }

    /// Reads from a scope.
    pub(crate) async fn get(&self, scope: &Scope, parts: &[&str], query: &[(&str, String)]) -> anyhow::Result<Value> {
        let parts = [&[scope.mode().as_str(), scope.account().as_str()], parts].concat();
        self.ask(self.call(&parts, query, None)?).await
    }

    /// Changes something in a scope.
    pub(crate) async fn post(&self, scope: &Scope, parts: &[&str], body: &Value) -> anyhow::Result<Value> {
        let parts = [&[scope.mode().as_str(), scope.account().as_str()], parts].concat();
        self.ask(self.call(&parts, &[], Some(body))?).await
    }

    /// A request outside any scope.
    pub(crate) async fn root(&self, part: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        self.ask(self.call(&[part], &[], body)?).await
    }

    /// Sends a request until it is answered.
    async fn ask(&self, call: Call) -> anyhow::Result<Value> {
        for attempt in 1..=TRIES {
            let last = attempt == TRIES;
            match self.send(&call).await {
                Ok((503, _)) if !last => {}
                Ok((status, text)) => return read(&call, status, &text),
                Err(error) if last => {
                    let place = self.base.origin().ascii_serialization();
                    return Err(error.context(format!("{place} does not answer")));
                }
                Err(_) => {}
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        bail!("{} does not answer", self.base.origin().ascii_serialization())
    }

    async fn send(&self, call: &Call) -> anyhow::Result<(u16, String)> {
        let request = signed(call, &self.region, self.credentials.clone(), SystemTime::now())?;
        let answer = self.client.execute(request.try_into()?).await.map_err(reqwest::Error::without_url)?;
        let status = answer.status().as_u16();
        Ok((status, answer.text().await.map_err(reqwest::Error::without_url)?))
    }
}

fn call(base: &Url, parts: &[&str], query: &[(&str, String)], body: Option<&Value>) -> anyhow::Result<Call> {
    // The address parser would walk up the path, and ask another route than was meant.
    if let Some(bad) = parts.iter().find(|part| matches!(**part, "" | "." | "..")) {
        bail!("`{bad}` is not a name");
    }
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.clear().push("admin").extend(parts);
    }
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Ok(Call { url, body: body.map(Value::to_string) })
}

/// The request with its signature.
fn signed(
    call: &Call,
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
    let method = if call.body.is_some() { "POST" } else { "GET" };
    let body = call.body.clone().unwrap_or_default();
    let headers = [("content-type", "application/json")];
    let signable =
        SignableRequest::new(method, call.url.as_str(), headers.into_iter(), SignableBody::Bytes(body.as_bytes()))?;
    let (instructions, _) = sign(signable, &params)?.into_parts();
    let request = http::Request::builder().method(method).uri(call.url.as_str());
    let mut request = request.header("content-type", "application/json").body(body)?;
    instructions.apply_to_request_http1x(&mut request);
    Ok(request)
}

/// The answer, or what the deployment says against it.
fn read(call: &Call, status: u16, text: &str) -> anyhow::Result<Value> {
    if matches!(status, 200 | 201) {
        return serde_json::from_str(text)
            .context("the answer is not JSON: is this the address of an Axiru deployment?");
    }
    let document: Value = serde_json::from_str(text).unwrap_or(Value::Null);
    if let Ok(Problem { detail }) = Problem::deserialize(&document) {
        return Err(Refused { status, detail, document }.into());
    }
    let method = if call.body.is_some() { "POST" } else { "GET" };
    // API Gateway itself answers in another shape before Axiru is asked.
    if status == 403 {
        bail!(
            "refused (403): your AWS identity may not call this route. It needs execute-api:Invoke on {method} {}",
            call.url.path()
        );
    }
    bail!("refused ({status}): is this the address of an Axiru deployment?")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn base(address: &str) -> anyhow::Result<Url> {
        Deployment { url: address.to_owned() }.base()
    }

    #[test]
    fn a_signed_request_is_sent_over_tls_or_stays_here() {
        assert_eq!(base("https://axiru.example/x?y#z").unwrap().as_str(), "https://axiru.example/");
        assert!(base("http://127.0.0.1:8787").is_ok() && base("http://localhost:1").is_ok());
        for bad in [
            "",
            "axiru.example",
            "http://axiru.example",
            "http://127.0.0.1.example.com",
            "ftp://localhost",
            "file:///x",
        ] {
            assert!(base(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_signature_covers_method_route_host_query_and_body() {
        let sign = |url: &str, parts: &[&str], query: &[(&str, String)], body: Option<Value>| {
            let credentials = Credentials::from_keys("AKIDEXAMPLE", "secretcanary", None);
            let call = call(&base(url).unwrap(), parts, query, body.as_ref()).unwrap();
            let request = signed(&call, "eu-central-1", credentials, SystemTime::UNIX_EPOCH).unwrap();
            request.headers()["authorization"].to_str().unwrap().to_owned()
        };
        let here = "https://axiru.example";
        let one = sign(here, &["setup-links"], &[], Some(json!({})));
        assert!(
            one.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/19700101/eu-central-1/execute-api/aws4_request"),
            "{one}"
        );
        assert!(!one.contains("canary"));
        assert_eq!(one, sign(here, &["setup-links"], &[], Some(json!({}))));
        for other in [
            sign(here, &["setup-links"], &[], Some(json!({"a": 1}))),
            sign("https://other.example", &["setup-links"], &[], Some(json!({}))),
            sign(here, &["status"], &[], Some(json!({}))),
            sign(here, &["setup-links"], &[("subject", "charge#ch_1".into())], Some(json!({}))),
            sign(here, &["setup-links"], &[], None),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn names_cannot_leave_their_place_in_the_path() {
        let here = base("https://axiru.example").unwrap();
        let path =
            |part: &str| call(&here, &["live", "acct_1", "plans", part], &[], None).map(|call| call.url.to_string());
        assert_eq!(path("a/b?c#d").unwrap(), "https://axiru.example/admin/live/acct_1/plans/a%2Fb%3Fc%23d");
        for bad in ["", ".", ".."] {
            assert!(path(bad).is_err(), "{bad}");
        }
        let query = [("subject", "charge#ch_1".to_owned())];
        let asked = call(&here, &["live", "acct_1", "limits"], &query, None).unwrap();
        assert_eq!(asked.url.query(), Some("subject=charge%23ch_1"));
    }

    #[test]
    fn refusals_say_what_to_do() {
        let call = call(&base("https://axiru.example").unwrap(), &["status"], &[], None).unwrap();
        for (status, text, told) in [
            (400, r#"{"detail":"`modes` lists"}"#, "refused (400): `modes` lists"),
            (403, r#"{"message":"Forbidden"}"#, "execute-api:Invoke on GET /admin/status"),
            (404, "<html>", "address of an Axiru deployment"),
            (200, "<html>", "not JSON"),
        ] {
            let error = read(&call, status, text).unwrap_err();
            assert!(format!("{error:#}").contains(told), "{error:#}");
        }
    }
}
