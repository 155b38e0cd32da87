//! The router, called in-process: the consent page, headers, the control API, and a snapshot of it all.

use axiru_stripe_sandbox::{Clock, Sandbox, SandboxConfig, load_snapshot, router, save_snapshot};
use axum::body::Body;
use http::{Request, Response};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::bench::{Bench, MERCHANT, NOW};

async fn send(sandbox: &Sandbox, method: &str, path: &str, body: &str) -> Response<Body> {
    let request = Request::builder().method(method).uri(path).body(Body::from(body.to_owned())).unwrap();
    router(sandbox.clone()).oneshot(request).await.unwrap()
}

async fn page(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

fn location(response: &Response<Body>) -> String {
    response.headers()["location"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn consent_redirects_with_code_and_state() {
    let bench = Bench::new();
    let shown = send(
        &bench.sandbox,
        "GET",
        "/oauth/v2/authorize?client_id=ca_SandboxAppTest&redirect_uri=http://127.0.0.1:1/cb%3Fa=b&state=s%22%3E",
        "",
    )
    .await;
    assert_eq!(shown.status(), 200);
    let html = page(shown).await;
    assert!(html.contains("test mode") && html.contains(MERCHANT) && html.contains("s&quot;&gt;"), "{html}");
    let form = "client_id=ca_SandboxAppTest&redirect_uri=http://127.0.0.1:1/cb%3Fa=b&state=s%20t";
    let yes =
        send(&bench.sandbox, "POST", "/oauth/v2/authorize", &format!("{form}&account={MERCHANT}&decision=approve"))
            .await;
    assert_eq!(yes.status(), 303);
    assert!(location(&yes).starts_with("http://127.0.0.1:1/cb?a=b&code=ac_") && location(&yes).ends_with("&state=s+t"));
    let no = send(&bench.sandbox, "POST", "/oauth/v2/authorize", &format!("{form}&decision=refuse")).await;
    assert!(location(&no).contains("error=access_denied") && location(&no).ends_with("state=s+t"));
}

#[tokio::test]
async fn consent_never_redirects_to_strangers() {
    let bench = Bench::new();
    let query = |client: &str, redirect: &str| {
        format!("client_id={client}&redirect_uri={redirect}&state=x&account={MERCHANT}&decision=approve")
    };
    let mut cases = vec![
        query("ca_unknown", "https://axiru.test/cb"),
        query("ca_SandboxAppTest", ""),
        query("ca_SandboxAppTest", "nonsense"),
        query("ca_SandboxAppTest", "http://elsewhere.example/cb"),
        query("ca_SandboxAppTest", "javascript:alert(1)"),
        query("ca_SandboxAppTest", "https://axiru.test/cb").replace("approve", "perhaps"),
        query("ca_SandboxAppTest", "https://axiru.test/cb").replace(MERCHANT, "acct_SandboxDeveloper"),
    ];
    for case in &cases {
        assert_eq!(send(&bench.sandbox, "POST", "/oauth/v2/authorize", case).await.status(), 400, "{case}");
    }
    bench.control("apps/test", json!({"redirect_uris": ["https://axiru.test/cb"]}));
    cases = vec![
        query("ca_SandboxAppTest", "https://axiru.test/other"),
        query("ca_SandboxAppTest", "https://axiru.test/cb/../x"),
    ];
    for case in &cases {
        assert_eq!(
            send(&bench.sandbox, "GET", &format!("/oauth/v2/authorize?{case}"), "").await.status(),
            400,
            "{case}"
        );
    }
    let omitted = send(&bench.sandbox, "POST", "/oauth/v2/authorize", &query("ca_SandboxAppTest", "")).await;
    assert!(location(&omitted).starts_with("https://axiru.test/cb?"), "the first listed address");
}

#[tokio::test]
async fn every_answer_has_its_headers() {
    let bench = Bench::new();
    let request = Request::builder()
        .uri("/v1/balance")
        .header("authorization", format!("bearer {}", bench.test_key))
        .header("stripe-version", "2025-01-01.acacia")
        .header("stripe-account", MERCHANT)
        .body(Body::empty())
        .unwrap();
    let response = router(bench.sandbox.clone()).oneshot(request).await.unwrap();
    assert_eq!(
        (response.status(), &response.headers()["stripe-version"]),
        (http::StatusCode::OK, &"2025-01-01.acacia".parse().unwrap())
    );
    assert!(response.headers()["request-id"].to_str().unwrap().starts_with("req_"));
    assert_eq!(response.headers()["stripe-account"], MERCHANT);
    let nobody = send(&bench.sandbox, "GET", "/v1/balance", "").await;
    assert_eq!((nobody.status().as_u16(), nobody.headers().contains_key("www-authenticate")), (401, true));
    assert!(nobody.headers().contains_key("request-id"));
}

#[tokio::test]
async fn the_index_names_accounts_and_events() {
    let bench = Bench::new();
    bench.charge(100);
    let html = page(send(&bench.sandbox, "GET", "/", "").await).await;
    assert!(html.contains("Merchant") && html.contains("charge.succeeded") && !html.contains("<script"));
}

#[tokio::test]
async fn waiting_tells_whether_all_was_attempted() {
    let bench = Bench::new();
    bench.post("/v1/webhook_endpoints", "url=http://127.0.0.1:9/&enabled_events[]=*");
    bench.charge(100);
    let wait = |sandbox: Sandbox| async move {
        let answer = send(&sandbox, "POST", "/_sandbox/deliveries/wait", r#"{"timeout_ms": 1}"#).await;
        serde_json::from_str::<Value>(&page(answer).await).unwrap()["settled"].clone()
    };
    assert_eq!(wait(bench.sandbox.clone()).await, json!(false));
    let _ = bench.sandbox.drain_outbox();
    assert_eq!(wait(bench.sandbox.clone()).await, json!(true));
}

#[test]
fn a_snapshot_brings_everything_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/state.json");
    assert!(load_snapshot(&path).unwrap().is_none());
    let bench = Bench::new();
    bench.post("/v1/webhook_endpoints", "url=http://127.0.0.1:9/&enabled_events[]=*");
    let charge = bench.charge(100);
    assert_eq!(bench.sandbox.take_due(1).len(), 1, "in flight when the snapshot is made");
    save_snapshot(&bench.sandbox, &path).unwrap();
    let again = Bench { sandbox: load_snapshot(&path).unwrap().unwrap(), ..bench };
    assert_eq!(again.get(&format!("/v1/charges/{charge}"))["amount"], 100);
    assert_eq!(again.sandbox.drain_outbox().len(), 1, "what was in flight goes out again");
    assert_ne!(again.charge(100), charge, "ids go on where they stopped");
    std::fs::write(&path, b"{\"clock\":").unwrap();
    assert!(load_snapshot(&path).is_err());
}

#[test]
fn the_same_seed_gives_the_same_ids() {
    let first = Bench::new();
    let second = Bench::new();
    assert_eq!(first.charge(100), second.charge(100));
    let other = Sandbox::new(SandboxConfig { seed: 2, clock: Clock::fixed(NOW), ..SandboxConfig::default() });
    let made = other.control("POST", "accounts", json!({})).unwrap();
    assert_ne!(made["keys"]["test"]["secret"], first.test_key);
}
