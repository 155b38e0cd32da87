//! The second door as a story uses it: keys from the Dashboard, operators' requests, and deliveries at an account's own address.

use std::sync::Arc;

use axiru_aws::refresh::{AskQueue, Refresher};
use axiru_aws::seal::Seal;
use axiru_aws::tokens::TokenReader;
use axiru_domain::Timestamp;
use axiru_in_process::{
    DEVELOPER_SECRET_LIVE, DEVELOPER_SECRET_TEST, OBSERVATIONS_QUEUE_URL, REFRESH_QUEUE_URL, Retries, SEAL_KEY_ID,
    STATE_TABLE,
};
use axiru_stripe::permissions::PERMISSIONS;
use axiru_stripe::transport::Transport;
use axiru_stripe_sandbox::sign;
use http::{Request, StatusCode};
use lambda_http::{Body, RequestExt as _};
use serde_json::{Value, json};

use super::stage::{Stage, now, text};
use crate::acting::{acting_as, store_of};

pub(super) const ROSA: &str = "arn:aws:iam::111122223333:user/rosa";

/// The permissions that a key needs to be read with: those of the app's manifest.
pub(super) const READS: [&str; PERMISSIONS.len()] = {
    let mut names = [""; PERMISSIONS.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = PERMISSIONS[at].name;
        at += 1;
    }
    names
};

pub(super) fn chg(digit: char) -> String {
    format!("chg_{}", digit.to_string().repeat(32))
}

pub(super) fn scope_path(mode: &str, account: &str) -> String {
    format!("/admin/{mode}/{account}/webhook-secret")
}

impl Stage {
    /// A key of the merchant, made in the Dashboard.
    pub(super) fn restricted(&self, mode: &str, permissions: &[&str]) -> String {
        let path = format!("{mode}/{}/restricted_keys", self.merchant);
        let made = self.sandbox.control("POST", &path, json!({"permissions": permissions})).unwrap();
        made["key"].as_str().unwrap().to_owned()
    }

    /// An operator's request to the function.
    pub(super) async fn operate(&self, caller: Option<&str>, path: &str, body: &Value) -> (StatusCode, Value) {
        let authorizer = caller.map_or(json!({}), |arn| json!({"iam": {"userArn": arn}}));
        let event = json!({
            "version": "2.0", "routeKey": "POST /admin/restricted-keys", "rawPath": path, "rawQueryString": "",
            "headers": {"content-type": "application/json"}, "body": body.to_string(), "isBase64Encoded": false,
            "requestContext": {"http": {"method": "POST", "path": path}, "authorizer": authorizer},
        });
        let request = lambda_http::request::from_str(&event.to_string()).unwrap();
        let answer = axiru_fn_connect::handle(&self.app, request).await;
        (answer.status(), serde_json::from_str(&text(&answer)).unwrap())
    }

    pub(super) async fn hand_over(&self, key: &str, account: Option<&str>, change: &str) -> (StatusCode, Value) {
        let body = json!({"change": change, "key": key, "account": account});
        self.operate(Some(ROSA), "/admin/restricted-keys", &body).await
    }

    /// Connected with a key that may do these things.
    pub(super) async fn with_key(&self, mode: &str, permissions: &[&str]) -> String {
        let key = self.restricted(mode, permissions);
        let (status, answer) = self.hand_over(&key, Some(&self.merchant), &chg('a')).await;
        assert_eq!((status, &answer["connected"]), (StatusCode::OK, &json!(true)), "{answer}");
        key
    }

    pub(super) fn reader(&self) -> TokenReader {
        let clients = acting_as("DecideRole", &self.account, Retries::Off);
        let (store, seal) = (store_of(&clients), Seal::new(clients.kms, SEAL_KEY_ID));
        TokenReader::new(store, seal, AskQueue::new(clients.sqs, REFRESH_QUEUE_URL)).with_clock(now)
    }

    pub(super) fn refresher(&self) -> Refresher {
        self.refresher_at(self.app.stripe.clone())
    }

    /// One that asks that Stripe.
    pub(super) fn refresher_at(&self, stripe: Arc<dyn Transport>) -> Refresher {
        let clients = acting_as("RefreshRole", &self.account, Retries::Off);
        let (store, seal) = (store_of(&clients), Seal::new(clients.kms, SEAL_KEY_ID));
        let developers = axiru_aws::connect::developer::Developers::new(
            clients.secrets,
            DEVELOPER_SECRET_TEST,
            DEVELOPER_SECRET_LIVE,
        );
        let base = self.app.config.stripe.clone();
        Refresher::new(store, seal, developers, stripe, base).with_clock(now)
    }

    /// What Stripe has of the merchant, without its log of calls.
    pub(super) fn at_stripe(&self) -> Value {
        self.sandbox.control("GET", "state", Value::Null).unwrap()["scopes"].clone()
    }

    /// A delivery to the webhook function, at the account's own address.
    pub(super) async fn deliver(&self, mode: &str, account: &str, secret: &str, body: &Value) -> StatusCode {
        let clients = acting_as("WebhookRole", &self.account, Retries::Off);
        let app = axiru_fn_webhook::App::new(&clients, STATE_TABLE, SEAL_KEY_ID, OBSERVATIONS_QUEUE_URL);
        let body = body.to_string();
        let signature = sign(&[secret], Timestamp::now().secs(), body.as_bytes());
        let parameters = [("mode", mode), ("account", account)];
        let parameters: std::collections::HashMap<_, _> =
            parameters.into_iter().map(|(name, value)| (name.to_owned(), vec![value.to_owned()])).collect();
        let request = Request::post(format!("/stripe/webhooks/{mode}/{account}")).header("Stripe-Signature", signature);
        let request = request.body(Body::from(body)).unwrap().with_path_parameters(parameters);
        axiru_fn_webhook::handle(&app, request).await.status()
    }

    pub(super) async fn add_secret(&self, mode: &str, secret: &str, change: &str) -> (StatusCode, Value) {
        let body = json!({"change": change, "secret": secret});
        self.operate(Some(ROSA), &scope_path(mode, &self.merchant), &body).await
    }
}
