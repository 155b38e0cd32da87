//! The second door: a restricted key in place of the app, and the signing secret of the account's own endpoint.

use axiru_aws::refresh::{Ask, AskQueue, Refreshed, Refresher};
use axiru_aws::seal::Seal;
use axiru_aws::tokens::{TokenError, TokenReader};
use axiru_domain::{Mode, Timestamp};
use axiru_in_process::{
    DEVELOPER_SECRET_LIVE, DEVELOPER_SECRET_TEST, Enumerator, InProcess, OBSERVATIONS_QUEUE_URL, REFRESH_QUEUE_URL,
    Retries, SEAL_KEY_ID, STATE_TABLE,
};
use axiru_stripe_sandbox::sign;
use http::{Request, StatusCode};
use lambda_http::{Body, RequestExt as _};
use serde_json::{Value, json};

use super::stage::{Stage, now, run, text};
use super::types;
use crate::acting::{acting_as, store_of};

const ROSA: &str = "arn:aws:iam::111122223333:user/rosa";

const READS: [&str; 7] = [
    "charge_read",
    "dispute_read",
    "payout_read",
    "transfer_read",
    "event_read",
    "balance_transaction_source_read",
    "connected_account_read",
];

fn chg(digit: char) -> String {
    format!("chg_{}", digit.to_string().repeat(32))
}

fn scope_path(mode: &str, account: &str) -> String {
    format!("/admin/{mode}/{account}/webhook-secret")
}

impl Stage {
    /// A key of the merchant, made in the Dashboard.
    fn restricted(&self, mode: &str, permissions: &[&str]) -> String {
        let path = format!("{mode}/{}/restricted_keys", self.merchant);
        let made = self.sandbox.control("POST", &path, json!({"permissions": permissions})).unwrap();
        made["key"].as_str().unwrap().to_owned()
    }

    /// An operator's request to the function.
    async fn operate(&self, caller: Option<&str>, path: &str, body: &Value) -> (StatusCode, Value) {
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

    async fn hand_over(&self, key: &str, account: Option<&str>, change: &str) -> (StatusCode, Value) {
        let body = json!({"change": change, "key": key, "account": account});
        self.operate(Some(ROSA), "/admin/restricted-keys", &body).await
    }

    /// Connected with a key that may do these things.
    async fn with_key(&self, mode: &str, permissions: &[&str]) -> String {
        let key = self.restricted(mode, permissions);
        let (status, answer) = self.hand_over(&key, Some(&self.merchant), &chg('a')).await;
        assert_eq!((status, &answer["connected"]), (StatusCode::OK, &json!(true)), "{answer}");
        key
    }

    fn reader(&self) -> TokenReader {
        let clients = acting_as("DecideRole", &self.account, Retries::Off);
        let (store, seal) = (store_of(&clients), Seal::new(clients.kms, SEAL_KEY_ID));
        TokenReader::new(store, seal, AskQueue::new(clients.sqs, REFRESH_QUEUE_URL)).with_clock(now)
    }

    fn refresher(&self) -> Refresher {
        let clients = acting_as("RefreshRole", &self.account, Retries::Off);
        let (store, seal) = (store_of(&clients), Seal::new(clients.kms, SEAL_KEY_ID));
        let developers = axiru_aws::connect::developer::Developers::new(
            clients.secrets,
            DEVELOPER_SECRET_TEST,
            DEVELOPER_SECRET_LIVE,
        );
        let base = self.app.config.stripe.clone();
        Refresher::new(store, seal, developers, self.app.stripe.clone(), base).with_clock(now)
    }

    /// What Stripe has of the merchant, without its log of calls.
    fn at_stripe(&self) -> Value {
        self.sandbox.control("GET", "state", Value::Null).unwrap()["scopes"].clone()
    }

    /// A delivery to the webhook function, at the account's own address.
    async fn deliver(&self, mode: &str, account: &str, secret: &str, body: &Value) -> StatusCode {
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

    async fn add_secret(&self, mode: &str, secret: &str, change: &str) -> (StatusCode, Value) {
        let body = json!({"change": change, "secret": secret});
        self.operate(Some(ROSA), &scope_path(mode, &self.merchant), &body).await
    }
}

fn refund(livemode: bool, account: Option<&str>) -> Value {
    let mut event = json!({
        "id": "evt_1", "object": "event", "type": "refund.created", "created": Timestamp::now().secs(), "livemode": livemode,
        "request": {"id": null, "idempotency_key": null},
        "data": {"object": {
            "id": "re_1", "object": "refund", "amount": 100, "currency": "eur", "created": Timestamp::now().secs(),
            "status": "succeeded", "charge": "ch_1", "payment_intent": null, "reason": null, "failure_reason": null, "metadata": {},
        }},
    });
    if let Some(account) = account {
        event["account"] = account.into();
    }
    event
}

#[test]
fn a_key_is_looked_at_first_and_connects_only_the_account_that_is_meant() {
    run(async |stage| {
        let key = stage.restricted("live", &READS);
        let (before, rows) = (stage.at_stripe(), stage.account.items(STATE_TABLE).unwrap());
        let (status, answer) = stage.hand_over(&key, None, &chg('1')).await;
        assert_eq!((status, &answer["connected"]), (StatusCode::OK, &json!(false)), "{answer}");
        assert_eq!(answer["scope"], format!("live/{}", stage.merchant));
        assert_eq!(answer["permissions"]["granted"].as_array().unwrap().len(), READS.len());
        assert_eq!(answer["permissions"]["missing"], json!([]));
        assert_eq!(answer["may_enforce"], json!([]));
        let other = stage.account("Other");
        let (status, answer) = stage.hand_over(&key, Some(&other), &chg('2')).await;
        assert_eq!((status, &answer["code"]), (StatusCode::CONFLICT, &json!("other_account")));
        assert_eq!(stage.account.items(STATE_TABLE).unwrap(), rows, "nothing was written");
        let made = |state: &Value| {
            state.as_array().unwrap().iter().find(|one| one["account"] == stage.merchant.as_str()).cloned()
        };
        assert_eq!(made(&stage.at_stripe()), made(&before), "trying permissions makes nothing");

        let (status, answer) = stage.hand_over(&key, Some(&stage.merchant), &chg('3')).await;
        assert_eq!(
            (status, &answer["connected"], &answer["reconnected"]),
            (StatusCode::OK, &json!(true), &json!(false))
        );
        assert!(!answer.to_string().contains(&key));
        let entries = stage.entries(Mode::Live, &stage.merchant).await;
        assert_eq!(entries.len(), 5, "connected, and four plans");
        assert_eq!((entries[0].ty(), &entries[0].fields()["restricted_key"]), ("connection.connected", &json!(true)));
        assert_eq!(entries[0].fields()["permissions"], "read_only");
        assert!(entries[0].fields()["actor"].as_str().unwrap().starts_with("operator:op_"));
        // Asked again, whatever came of the first.
        let (_, again) = stage.hand_over(&key, Some(&stage.merchant), &chg('3')).await;
        assert_eq!(again["reconnected"], json!(false));
        assert_eq!(stage.entries(Mode::Live, &stage.merchant).await.len(), 5);
        // What is read is the key itself, and nobody asks for another one, however old it is.
        tokio::time::sleep(std::time::Duration::from_secs(400 * 86_400)).await;
        let scope = stage.scope(Mode::Live, &stage.merchant);
        let token = stage.reader().token(&scope).await.unwrap();
        assert_eq!(token.secret().expose(), key);
        assert_eq!(stage.refresher().due(Mode::Live).await.unwrap(), []);
        assert!(stage.account.queued(REFRESH_QUEUE_URL).is_empty());
        let dump = format!("{:?}", stage.account.items(STATE_TABLE).unwrap());
        assert!(!dump.contains(&key), "sealed");
    });
}

#[test]
fn what_is_no_restricted_key_is_refused_and_reaches_nobody() {
    run(async |stage| {
        let rows = stage.account.items(STATE_TABLE).unwrap();
        let unknown = format!("rk_live_{}", "0".repeat(24));
        let blind = stage.restricted("live", &["charge_read"]);
        for (key, code) in [
            ("sk_live_0123456789abcdefghijklmn", "request_refused"),
            ("pk_live_0123456789abcdefghijklmn", "request_refused"),
            ("rk_live_", "request_refused"),
            (unknown.as_str(), "key_refused"),
            (blind.as_str(), "account_unreadable"),
        ] {
            let (status, answer) = stage.hand_over(key, Some(&stage.merchant), &chg('1')).await;
            assert_eq!((status, &answer["code"]), (StatusCode::BAD_REQUEST, &json!(code)), "{key}");
            assert!(!answer.to_string().contains(key) || key.len() < 10, "{answer}");
        }
        let good = stage.restricted("live", &READS);
        let body = json!({"change": chg('1'), "key": good, "account": stage.merchant});
        for caller in [None, Some(""), Some("rosa")] {
            for path in ["/admin/restricted-keys", &scope_path("live", &stage.merchant), "/admin/nothing"] {
                let (status, answer) = stage.operate(caller, path, &body).await;
                assert_eq!((status, &answer["code"]), (StatusCode::FORBIDDEN, &json!("no_verified_caller")));
            }
        }
        for body in [
            json!({}),
            json!({"change": "chg_1", "key": good}),
            json!({"change": chg('1'), "key": good, "mode": "live"}),
        ] {
            let (status, answer) = stage.operate(Some(ROSA), "/admin/restricted-keys", &body).await;
            assert_eq!(status, StatusCode::BAD_REQUEST);
            assert!(!answer.to_string().contains(&good), "{answer}");
        }
        assert_eq!(stage.account.items(STATE_TABLE).unwrap(), rows);
    });
}

#[test]
fn what_is_missing_and_what_is_too_much_is_named() {
    run(async |stage| {
        let key = stage.restricted("test", &["connected_account_read", "charge_read", "charge_write", "customer_read"]);
        let (_, answer) = stage.hand_over(&key, None, &chg('1')).await;
        let names = |of: &str| -> Vec<String> {
            let list = answer["permissions"][of].as_array().unwrap();
            list.iter().map(|one| one["name"].as_str().or(one.as_str()).unwrap().to_owned()).collect()
        };
        assert_eq!(names("granted"), ["charge_read", "charge_write", "connected_account_read"]);
        let missing = ["dispute_read", "payout_read", "transfer_read", "event_read", "balance_transaction_source_read"];
        assert_eq!(names("missing"), missing);
        assert_eq!(names("too_much"), ["customer_read"]);
        assert_eq!(answer["may_enforce"], json!(["refunds"]));
    });
}

#[test]
fn plans_are_enforced_only_for_what_the_key_may_write() {
    run(async |stage| {
        stage.with_key("live", &[&READS[..], &["charge_write"]].concat()).await;
        let enforce = async |plan: &str, digit| {
            let path = format!("/admin/live/{}/plans/{plan}/mode", stage.merchant);
            let body = json!({"change": chg(digit), "policy_mode": "enforce", "why": "ready"});
            let event = json!({
                "version": "2.0", "routeKey": "POST /admin/{mode}/{account}/{route+}", "rawPath": path, "rawQueryString": "",
                "headers": {"content-type": "application/json"}, "body": body.to_string(), "isBase64Encoded": false,
                "requestContext": {"http": {"method": "POST", "path": path}, "authorizer": {"iam": {"userArn": ROSA}}},
            });
            let request = lambda_http::request::from_str(&event.to_string()).unwrap();
            let answer = axiru_fn_admin::handle(&stage.admin, request).await;
            serde_json::from_slice::<Value>(answer.body()).unwrap()
        };
        let payouts = enforce("payouts-starter", 'b').await;
        assert_eq!(payouts["code"], "permission_missing", "{payouts}");
        let said = payouts["detail"].as_str().unwrap();
        assert!(said.contains("payout_write") && said.contains("--restricted-key --account"), "{said}");
        let refunds = enforce("refunds-starter", 'c').await;
        assert_ne!(refunds["code"], "permission_missing", "{refunds}");
    });
}

#[test]
fn a_key_takes_the_place_of_the_app_and_the_app_of_the_key() {
    run(async |stage| {
        let link = stage.link(&["live"]).await;
        stage.connect(&link, Mode::Live, &stage.merchant).await;
        let first = stage.entries(Mode::Live, &stage.merchant).await.len();
        let key = stage.with_key("live", &READS).await;
        let entries = stage.entries(Mode::Live, &stage.merchant).await;
        assert_eq!(entries.len(), first + 1, "no plan is adopted again, no endpoint registered");
        assert_eq!(entries[first].fields()["reconnected"], true);
        let scope = stage.scope(Mode::Live, &stage.merchant);
        assert_eq!(stage.reader().token(&scope).await.unwrap().secret().expose(), key);
        let link = stage.link(&["live"]).await;
        stage.connect(&link, Mode::Live, &stage.merchant).await;
        let connection = stage.store().connection(&scope).await.unwrap().unwrap();
        assert_eq!(connection.credential.as_str(), "app");
        assert_ne!(stage.reader().token(&scope).await.unwrap().secret().expose(), key);
    });
}

#[test]
fn a_key_that_stripe_no_longer_takes_waits_for_a_person() {
    run(async |stage| {
        let key = stage.with_key("live", &READS).await;
        let scope = stage.scope(Mode::Live, &stage.merchant);
        let reader = stage.reader();
        let held = reader.token(&scope).await.unwrap();
        // One refusal that Stripe does not repeat ends nothing.
        assert!(matches!(reader.after_refusal(&scope, &held).await, Err(TokenError::Expired)));
        let asked = stage.account.queued(REFRESH_QUEUE_URL);
        let ask: Ask = serde_json::from_str(&asked[0]).unwrap();
        assert_eq!(stage.refresher().refresh(&ask).await.unwrap(), Refreshed::Fresh);
        assert!(reader.token(&scope).await.is_ok());

        let path = format!("live/{}/restricted_keys/end", stage.merchant);
        stage.sandbox.control("POST", &path, json!({"key": key})).unwrap();
        assert_eq!(stage.refresher().refresh(&ask).await.unwrap(), Refreshed::ReauthRequired);
        assert_eq!(stage.refresher().refresh(&ask).await.unwrap(), Refreshed::ReauthRequired);
        let entries = stage.entries(Mode::Live, &stage.merchant).await;
        let told: Vec<_> = entries.iter().filter(|entry| entry.ty() == "connection.reauth_required").collect();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].fields()["reason"], "key_refused");
        assert!(matches!(stage.reader().token(&scope).await, Err(TokenError::ReauthRequired)));
        // A fresh key, and it goes on. What was asked about the old one says nothing of it.
        let fresh = stage.restricted("live", &READS);
        let (status, _) = stage.hand_over(&fresh, Some(&stage.merchant), &chg('b')).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(stage.refresher().refresh(&ask).await.unwrap(), Refreshed::Fresh);
        assert_eq!(stage.reader().token(&scope).await.unwrap().secret().expose(), fresh);
    });
}

#[test]
fn an_accounts_own_endpoint_takes_what_its_own_secret_signed_of_its_own_account_and_mode() {
    run(async |stage| {
        stage.with_key("live", &READS).await;
        let one = "whsec_0123456789abcdef0123";
        assert_eq!(
            stage.deliver("live", &stage.merchant, one, &refund(true, None)).await,
            StatusCode::BAD_REQUEST,
            "no secret yet"
        );
        let (status, answer) = stage.add_secret("live", one, &chg('b')).await;
        assert_eq!((status, &answer["secrets"]), (StatusCode::OK, &json!(1)), "{answer}");
        assert_eq!(
            types(stage, Mode::Live, &stage.merchant).await.last().map(String::as_str),
            Some("connection.webhook_secret_added")
        );
        let ok = |event: Value| async move { stage.deliver("live", &stage.merchant, one, &event).await };
        assert_eq!(ok(refund(true, None)).await, StatusCode::OK);
        assert_eq!(ok(refund(true, Some(&stage.merchant))).await, StatusCode::OK);
        let queued = stage.account.queued(OBSERVATIONS_QUEUE_URL);
        assert!(queued.iter().all(|report| report.contains(&format!("live/{}", stage.merchant))), "{queued:?}");
        assert_eq!(queued.len(), 2);

        let other = stage.account("Other");
        for (mode, account, secret, event) in [
            ("live", stage.merchant.as_str(), one, refund(true, Some(&other))),
            ("live", &stage.merchant, one, refund(false, None)),
            ("live", &stage.merchant, "whsec_another_0123456789", refund(true, None)),
            // A secret signs for its own account and mode only.
            ("test", &stage.merchant, one, refund(false, None)),
            ("live", &other, one, refund(true, None)),
            ("live", "acct_nobody", one, refund(true, None)),
        ] {
            assert_eq!(stage.deliver(mode, account, secret, &event).await, StatusCode::BAD_REQUEST, "{mode} {account}");
        }
        assert_eq!(stage.deliver("prod", &stage.merchant, one, &refund(true, None)).await, StatusCode::NOT_FOUND);
        assert_eq!(stage.account.queued(OBSERVATIONS_QUEUE_URL).len(), 2, "nothing more");

        // Rolled: the new one and the one before; a third ends the first.
        for (n, digit) in [("two", 'c'), ("three", 'd')] {
            let (_, answer) = stage.add_secret("live", &format!("whsec_{n}_0123456789abcdef"), &chg(digit)).await;
            assert_eq!(answer["secrets"], 2);
        }
        assert_eq!(
            stage.deliver("live", &stage.merchant, "whsec_two_0123456789abcdef", &refund(true, None)).await,
            StatusCode::OK
        );
        assert_eq!(ok(refund(true, None)).await, StatusCode::BAD_REQUEST);
        for (account, secret, status) in [
            (stage.merchant.as_str(), "whsec_short", StatusCode::BAD_REQUEST),
            (&stage.merchant, "rk_live_0123456789abcdefghijkl", StatusCode::BAD_REQUEST),
            (&other, "whsec_0123456789abcdef0123", StatusCode::NOT_FOUND),
        ] {
            let body = json!({"change": chg('e'), "secret": secret});
            let (said, answer) = stage.operate(Some(ROSA), &scope_path("live", account), &body).await;
            assert!(said == status && !answer.to_string().contains(secret), "{answer}");
        }
    });
}

struct Handing {
    stage: Stage,
    key: String,
}

async fn set_up(account: InProcess, retries: Retries) -> Handing {
    let stage = Stage::new(account, retries);
    let key = stage.restricted("live", &READS);
    Handing { stage, key }
}

async fn hand_over(handing: &Handing) -> Result<(), String> {
    let Handing { stage, key } = handing;
    let (status, answer) = stage.hand_over(key, Some(&stage.merchant), &chg('1')).await;
    if status != StatusCode::OK {
        return Err(answer.to_string());
    }
    let (status, answer) = stage.add_secret("live", "whsec_0123456789abcdef0123", &chg('2')).await;
    if status == StatusCode::OK { Ok(()) } else { Err(answer.to_string()) }
}

async fn handed_over_once(handing: &Handing) -> Result<(), String> {
    let stage = &handing.stage;
    let types = types(stage, Mode::Live, &stage.merchant).await;
    let adopted = ["plan.adopted"; 4];
    let whole = [&["connection.connected"][..], &adopted, &["connection.webhook_secret_added"]].concat();
    if types != whole {
        return Err(format!("entries: {types:?}"));
    }
    let scope = stage.scope(Mode::Live, &stage.merchant);
    let secrets =
        stage.store().own_signing_secrets(&stage.app.seal, &scope).await.map_err(|error| error.to_string())?;
    let token = stage.reader().token(&scope).await.map_err(|error| error.to_string())?;
    if (secrets.len(), token.secret().expose()) == (1, handing.key.as_str()) {
        Ok(())
    } else {
        Err("not as handed over".into())
    }
}

#[test]
fn whatever_fails_while_a_key_and_a_secret_are_handed_over_they_count_once() {
    let report =
        Enumerator::new("connect: restricted key").second_faults(5).run(set_up, hand_over, hand_over, handed_over_once);
    report.unwrap_or_else(|violation| panic!("{violation}"));
}
