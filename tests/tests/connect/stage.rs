//! The stage: both functions, the AWS doubles, the sandbox, and a browser.

use std::sync::{Arc, LazyLock};

use axiru_aws::Store;
use axiru_aws::connect::activation::StarterPlan;
use axiru_aws::connect::developer::Developers;
use axiru_aws::seal::Seal;
use axiru_domain::{Lane, Lanes, LogId, Mode, Scope, Timestamp};
use axiru_fn_connect::{App, Config};
use axiru_in_process::{DEVELOPER_SECRET_LIVE, DEVELOPER_SECRET_TEST, InProcess, Retries, SEAL_KEY_ID, sandbox_config};
use axiru_ledger::entry::Entry;
use axiru_stripe_sandbox::{Sandbox, router};
use http::{Request, Response, StatusCode};
use lambda_http::Body;
use serde_json::{Value, json};
use tokio::time::Instant;
use tower::ServiceExt as _;
use url::Url;

use crate::acting::{acting_as, store_of};

/// Everything a connect needs.
pub(super) struct Stage {
    pub(super) account: InProcess,
    pub(super) sandbox: Sandbox,
    pub(super) app: App,
    pub(super) admin: axiru_fn_admin::App,
    /// An account that can be connected.
    pub(super) merchant: String,
}

/// A clock that follows tokio's, so that waiting costs no time.
pub(super) fn now() -> Timestamp {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let start = *START;
    let passed = Instant::now().saturating_duration_since(start).as_millis();
    Timestamp::from_millis(1_793_404_800_000 + i64::try_from(passed).unwrap()).unwrap()
}

/// Runs a story on a fresh stage, on a paused clock.
pub(super) fn run(story: impl AsyncFn(&Stage)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let stage = Stage::new(InProcess::new().unwrap(), Retries::Off);
        story(&stage).await;
    });
}

impl Stage {
    pub(super) fn new(account: InProcess, retries: Retries) -> Self {
        let sandbox = Sandbox::new(sandbox_config());
        let public_url = Url::parse("https://axiru.example").unwrap();
        let consent = Url::parse("http://127.0.0.1:8788/oauth/v2/authorize").unwrap();
        let connect = acting_as("ConnectRole", &account, retries);
        let admin = acting_as("AdminRole", &account, retries);
        let tasks = axiru_aws::reconcile::TaskQueue::new(admin.sqs.clone(), axiru_in_process::RECONCILE_QUEUE_URL);
        let plans = axiru_policy::starter().unwrap();
        let plan = |plan: &axiru_policy::Plan| StarterPlan {
            name: plan.name().to_owned(),
            sha256: plan.sha256().to_owned(),
            document: plan.document().to_vec(),
        };
        let app = App {
            config: Config {
                deployment: "stories".to_owned(),
                public_url: public_url.clone(),
                stripe: "http://127.0.0.1:8788".parse().unwrap(),
                authorize_test: consent.clone(),
                authorize_live: consent,
                lanes_test: Lanes::ONE,
                lanes_live: Lanes::try_from(4).unwrap(),
                permissions: axiru_stripe::permissions::Variant::ReadOnly,
            },
            store: store_of(&connect),
            seal: Seal::new(connect.kms, SEAL_KEY_ID),
            developers: Developers::new(connect.secrets, DEVELOPER_SECRET_TEST, DEVELOPER_SECRET_LIVE),
            stripe: Arc::new(account.stripe(&sandbox)),
            plans: plans.iter().map(plan).collect(),
            now,
        };
        let store = store_of(&admin);
        let admin = axiru_fn_admin::App { deployment: "stories".to_owned(), public_url, mail: true, store, tasks, now };
        let mut stage = Self { account, sandbox, app, admin, merchant: String::new() };
        stage.merchant = stage.account("Rosa’s Shop");
        stage
    }

    /// Makes a Stripe account.
    pub(super) fn account(&self, name: &str) -> String {
        let made = self.sandbox.control("POST", "accounts", json!({"business_name": name})).unwrap();
        made["account"]["id"].as_str().unwrap().to_owned()
    }

    pub(super) fn store(&self) -> &Store {
        &self.app.store
    }

    pub(super) fn scope(&self, mode: Mode, account: &str) -> Scope {
        Scope::new(mode, account.parse().unwrap())
    }

    /// The entries of lane 0.
    pub(super) async fn entries(&self, mode: Mode, account: &str) -> Vec<Entry> {
        let log = LogId { scope: self.scope(mode, account), lane: Lane::ZERO };
        self.store().entries(&log, 0, 100).await.unwrap()
    }

    /// The webhook endpoints of the developer account.
    pub(super) fn endpoints(&self, mode: Mode) -> Vec<Value> {
        let state = self.sandbox.control("GET", "state", Value::Null).unwrap();
        let developer = &state["developer_account"];
        let scopes = state["scopes"].as_array().unwrap();
        let scope = scopes.iter().find(|scope| scope["mode"] == mode.as_str() && scope["account"] == *developer);
        scope.map(|scope| scope["webhook_endpoints"].as_array().unwrap().clone()).unwrap_or_default()
    }

    /// The admin function's answer to an operator.
    pub(super) async fn mint(&self, caller: Option<&str>, body: &str) -> (StatusCode, Value) {
        let authorizer = caller.map_or(json!({}), |arn| json!({"iam": {"userArn": arn}}));
        let event = json!({
            "version": "2.0", "routeKey": "POST /admin/setup-links", "rawPath": "/admin/setup-links", "rawQueryString": "",
            "headers": {"content-type": "application/json"}, "body": body, "isBase64Encoded": false,
            "requestContext": {"http": {"method": "POST", "path": "/admin/setup-links"}, "authorizer": authorizer},
        });
        let request = lambda_http::request::from_str(&event.to_string()).unwrap();
        let answer = axiru_fn_admin::handle(&self.admin, request).await;
        (answer.status(), serde_json::from_slice(answer.body()).unwrap())
    }

    /// A set-up link for these modes.
    pub(super) async fn link(&self, modes: &[&str]) -> String {
        let body = json!({ "modes": modes }).to_string();
        let (status, answer) = self.mint(Some("arn:aws:iam::111122223333:user/rosa"), &body).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        answer["url"].as_str().unwrap().to_owned()
    }

    /// A request of a browser to connect.
    pub(super) async fn ask(
        &self,
        method: &str,
        target: &str,
        cookie: Option<&str>,
        form: &[(&str, &str)],
    ) -> Response<Body> {
        let mut request = Request::builder().method(method).uri(target);
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        let body = if form.is_empty() {
            Body::Empty
        } else {
            request = request.header("content-type", "application/x-www-form-urlencoded");
            let encoded = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
            Body::Text(encoded)
        };
        axiru_fn_connect::handle(&self.app, request.body(body).unwrap()).await
    }

    /// Follows the link to Stripe: the consent page's address and the cookie.
    pub(super) async fn begin(&self, link: &str, mode: Mode) -> (Url, String) {
        let token = link.split_once("link=").unwrap().1;
        let answer = self.ask("POST", "/stripe/install", None, &[("link", token), ("mode", mode.as_str())]).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{}", text(&answer));
        Self::sent_to(&answer)
    }

    /// Where a browser is sent to give its consent: the address and the cookie.
    pub(super) fn sent_to(answer: &Response<Body>) -> (Url, String) {
        let consent = Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        (consent, cookie)
    }

    /// What the person decides at Stripe: where the browser is sent back to.
    pub(super) async fn decide(&self, consent: &Url, account: &str, decision: &str) -> String {
        let mut form: Vec<(String, String)> = consent.query_pairs().into_owned().collect();
        form.extend([("account".to_owned(), account.to_owned()), ("decision".to_owned(), decision.to_owned())]);
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = Request::post("/oauth/v2/authorize")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(axum::body::Body::from(body))
            .unwrap();
        let answer = router(self.sandbox.clone()).oneshot(request).await.unwrap();
        let back = Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
        assert_eq!(back.origin().ascii_serialization(), "https://axiru.example");
        format!("{}?{}", back.path(), back.query().unwrap())
    }

    /// Up to the page that asks for confirmation: the form's state, and the cookie.
    pub(super) async fn consented(&self, link: &str, mode: Mode, account: &str) -> (String, String) {
        let (consent, cookie) = self.begin(link, mode).await;
        let back = self.decide(&consent, account, "approve").await;
        let page = self.ask("GET", &back, Some(&cookie), &[]).await;
        assert_eq!(page.status(), StatusCode::OK, "{}", text(&page));
        let state = consent.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        assert!(text(&page).contains(&format!("value=\"{state}\"")));
        (state, cookie)
    }

    /// Confirms.
    pub(super) async fn confirm(&self, state: &str, cookie: &str, account: &str) -> Response<Body> {
        self.ask("POST", "/stripe/confirm", Some(cookie), &[("state", state), ("account", account)]).await
    }

    /// All of it; the last page.
    pub(super) async fn connect(&self, link: &str, mode: Mode, account: &str) -> String {
        let (state, cookie) = self.consented(link, mode, account).await;
        let page = self.confirm(&state, &cookie, account).await;
        assert_eq!(page.status(), StatusCode::OK, "{}", text(&page));
        text(&page)
    }
}

/// The body as text.
pub(super) fn text(answer: &Response<Body>) -> String {
    String::from_utf8(answer.body().as_ref().to_vec()).unwrap()
}
