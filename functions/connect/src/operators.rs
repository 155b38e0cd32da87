//! The routes of operators: a restricted key in place of the app, and the signing secret of the endpoint that its account has.
//!
//! They stand here and not in `admin`, because this function alone may seal what it is given and ask Stripe about it.

use axiru_aws::Retry;
use axiru_aws::admin::refusal::RefusalKind;
use axiru_aws::admin::{Act, AdminError, ChangeId};
use axiru_aws::connect::activation::Terms;
use axiru_aws::connect::key::KeyFound;
use axiru_aws::connect::operator::Operator;
use axiru_domain::{AccountId, Family, Scope};
use axiru_runtime::body::{parsed, read, refuse};
use axiru_runtime::caller::verified_arn;
use axiru_runtime::problem::Problem;
use axiru_stripe::error::StripeError;
use axiru_stripe::event::EVENT_TYPES;
use axiru_stripe::permissions::{purpose, write_permission};
use axiru_stripe::rest::Rest;
use axiru_stripe::rest::probe::Granted;
use axiru_stripe::restricted::RestrictedKey;
use axiru_stripe::secret::Secret;
use http::{Method, Response, StatusCode, header};
use lambda_http::{Body, Request, RequestExt as _};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::app::App;

/// The event that only an app is told: an account's own endpoint cannot subscribe to it.
const OF_APPS: &str = "account.application.deauthorized";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyGiven {
    #[serde(deserialize_with = "parsed")]
    change: ChangeId,
    key: String,
    /// The account that is meant; without it the key is looked at, and nothing is connected.
    account: Option<AccountId>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretGiven {
    #[serde(deserialize_with = "parsed")]
    change: ChangeId,
    secret: String,
}

/// Answers an operator's request.
pub(crate) async fn handle(app: &App, request: &Request) -> Response<Body> {
    // Before anything else, so that a stranger learns not even which routes there are.
    let caller = verified_arn(request).and_then(|arn| Operator::new(&app.config.deployment, arn).ok());
    let Some(operator) = caller else {
        tracing::warn!("a request came without a verified caller");
        return Problem::new(StatusCode::FORBIDDEN, "no_verified_caller", "sign the request with an AWS identity")
            .response();
    };
    match route(app, operator, request).await {
        Ok(value) => {
            let mut response = Response::new(Body::Text(value.to_string()));
            for (name, value) in [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")] {
                response.headers_mut().insert(name, header::HeaderValue::from_static(value));
            }
            response
        }
        Err(problem) => problem.response(),
    }
}

async fn route(app: &App, operator: Operator, request: &Request) -> Result<Value, Problem> {
    let nowhere = || Problem::new(StatusCode::NOT_FOUND, "no_such_route", "there is no such route");
    if request.method() != Method::POST {
        return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "post_only", "these routes take POST"));
    }
    if request.uri().query().is_some_and(|query| !query.is_empty()) {
        return Err(refuse("this route has no query parameters"));
    }
    // The path as it was signed and authorised.
    let parts: Vec<&str> = request.raw_http_path().split('/').collect();
    match parts.as_slice() {
        ["", "admin", "restricted-keys"] => connect(app, operator, request.body().as_ref()).await,
        ["", "admin", mode, account, "webhook-secret"] => {
            let scope = format!("{mode}/{account}").parse().map_err(|_| nowhere())?;
            add_secret(app, operator, scope, request.body().as_ref()).await
        }
        _ => Err(nowhere()),
    }
}

/// The act, by a digest of the parts that it consists of.
fn act(operator: Operator, scope: Scope, change: ChangeId, parts: [&str; 2]) -> Act {
    let mut digest = Sha256::new().chain_update(scope.key());
    for part in parts {
        digest.update("\n");
        digest.update(part);
    }
    let digest = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Act { scope, change, digest, operator }
}

/// Looks at a restricted key, and connects its account if that is the one that is meant.
async fn connect(app: &App, operator: Operator, body: &[u8]) -> Result<Value, Problem> {
    let given: KeyGiven = read(body)?;
    let text = Zeroizing::new(given.key);
    let key = RestrictedKey::new(&text).map_err(|error| refuse(error.to_string()))?;
    let rest = Rest::new(app.stripe.as_ref(), &app.config.stripe, key.secret());
    let profile = rest.profile().await.map_err(|error| not_asked(&error))?;
    let granted = rest.granted().await.map_err(|error| not_asked(&error))?;
    let found = KeyFound { key: &key, profile: &profile, granted: &granted };
    let scope = found.scope();
    let mut answer = json!({
        "connected": false,
        "scope": scope.to_string(),
        "account": profile.account.as_str(),
        "name": profile.display_name,
        "country": profile.country,
        "currency": profile.default_currency,
        "permissions": listed(&granted),
        "may_enforce": enforceable(&granted),
        "webhook": {
            "url": app.config.own_webhooks(&scope).as_str(),
            "events": EVENT_TYPES.iter().filter(|name| **name != OF_APPS).collect::<Vec<_>>(),
            "api_version": axiru_stripe::API_VERSION,
        },
    });
    match &given.account {
        None => return Ok(answer),
        Some(meant) if *meant != profile.account => {
            let detail = format!("the key is of {}, and {meant} is meant: nothing was connected", profile.account);
            return Err(Problem::new(StatusCode::CONFLICT, "other_account", detail));
        }
        Some(_) => {}
    }
    let terms = Terms {
        lanes: app.config.lanes(scope.mode()),
        permissions: found.variant().as_str(),
        endpoint: None,
        events: &EVENT_TYPES,
        plans: &app.plans,
    };
    let act = act(operator, scope, given.change, ["restricted-key", key.secret().expose()]);
    let done = app.store.connect_with_key(&app.seal, &act, &found, &terms, app.now).await.map_err(problem)?;
    if let (Some(answer), Some(done)) = (answer.as_object_mut(), done.as_object()) {
        answer.extend(done.clone());
    }
    Ok(answer)
}

/// Takes a signing secret of the endpoint that the account has of its own.
async fn add_secret(app: &App, operator: Operator, scope: Scope, body: &[u8]) -> Result<Value, Problem> {
    let given: SecretGiven = read(body)?;
    let text = Zeroizing::new(given.secret);
    let secret = text.trim();
    let form =
        "this is not the signing secret of a webhook endpoint: expected `whsec_…`, as Stripe's Dashboard shows it";
    if secret.strip_prefix("whsec_").is_none_or(|rest| rest.len() < 16) {
        return Err(refuse(form));
    }
    let secret = Secret::new(secret).map_err(|_| refuse(form))?;
    let act = act(operator, scope, given.change, ["webhook-secret", secret.expose()]);
    app.store.add_signing_secret(&app.seal, &act, &secret, app.now).await.map_err(problem)
}

fn listed(granted: &Granted) -> Value {
    let listed = |names: &[&'static str]| -> Vec<Value> {
        names.iter().map(|name| json!({"name": name, "purpose": purpose(name)})).collect()
    };
    json!({
        "granted": listed(&granted.granted),
        "missing": listed(&granted.missing),
        "too_much": granted.too_much,
    })
}

/// The families for which plans can be enforced with the key.
fn enforceable(granted: &Granted) -> Vec<&'static str> {
    Family::ALL.into_iter().filter(|family| granted.has(write_permission(*family))).map(Family::as_str).collect()
}

/// Why Stripe did not say whose a key is, or what it may do.
fn not_asked(error: &StripeError) -> Problem {
    tracing::warn!(refusal = %error, "a restricted key could not be looked at");
    match error {
        StripeError::Unauthorized => Problem::new(
            StatusCode::BAD_REQUEST,
            "key_refused",
            "Stripe does not accept this key: it is mistyped, of another Stripe, ended, or bound to other IP addresses",
        ),
        StripeError::Forbidden => Problem::new(
            StatusCode::BAD_REQUEST,
            "account_unreadable",
            "the key may not say whose it is: give it the permission to read the account (`connected_account_read`)",
        ),
        StripeError::Transport(_) | StripeError::Busy | StripeError::Failed(_) | StripeError::Status(_) => {
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "stripe_unavailable",
                "Stripe did not answer everything that was asked; nothing was connected",
            )
        }
        StripeError::Refused(_) | StripeError::Answer { .. } => Problem::new(
            StatusCode::BAD_GATEWAY,
            "stripe_unexpected",
            format!("Stripe answered otherwise than it says it does, and nothing was connected: {error}"),
        ),
    }
}

/// The problem that an error is to the caller. What went wrong inside is logged and not told.
fn problem(error: AdminError) -> Problem {
    match error {
        AdminError::Refused(refusal) => {
            let status = match refusal.kind {
                RefusalKind::Form => StatusCode::BAD_REQUEST,
                RefusalKind::Forbidden => StatusCode::FORBIDDEN,
                RefusalKind::Missing => StatusCode::NOT_FOUND,
                RefusalKind::Conflict => StatusCode::CONFLICT,
            };
            Problem::new(status, refusal.code, refusal.detail)
        }
        error => {
            tracing::error!(error = %error, "an account could not be connected");
            match error.retry() {
                Retry::Later => Problem::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "unavailable",
                    "something that is needed did not answer, so it may have happened or not; ask again with the same change id",
                ),
                Retry::Never => Problem::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "not_committed",
                    "something that Axiru wrote is not as it wrote it; the function's log says what",
                ),
            }
        }
    }
}
