//! The second door: a restricted key in place of the app.

use axiru_domain::Mode;
use axiru_in_process::{Enumerator, InProcess, REFRESH_QUEUE_URL, Retries, STATE_TABLE};
use http::StatusCode;
use serde_json::{Value, json};

use super::door::{READS, ROSA, chg, scope_path};
use super::stage::{Stage, run};
use super::types;

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
        // What the key was found to have, Stripe then refuses: it does not count any more.
        let scope = stage.scope(Mode::Live, &stage.merchant);
        assert!(stage.admin.store.permission_refused(&scope, stage.admin.now).await.unwrap());
        let refunds = enforce("refunds-starter", 'd').await;
        assert_eq!(refunds["code"], "permission_missing", "{refunds}");
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
fn a_change_that_handed_over_one_key_hands_over_no_other() {
    run(async |stage| {
        let key = stage.with_key("live", &READS).await;
        let other = stage.restricted("live", &READS);
        let (status, answer) = stage.hand_over(&other, Some(&stage.merchant), &chg('a')).await;
        assert_eq!(status, StatusCode::CONFLICT, "{answer}");
        let scope = stage.scope(Mode::Live, &stage.merchant);
        assert_eq!(stage.reader().token(&scope).await.unwrap().secret().expose(), key);
    });
}

#[test]
fn a_permission_that_could_not_be_tried_connects_nothing() {
    run(async |stage| {
        let key = stage.restricted("live", &READS);
        let rows = stage.account.items(STATE_TABLE).unwrap();
        for path in ["/v1/account", "/v1/payouts", "/v1/payment_intents"] {
            let fault = json!({"path": path, "fault": "error_500", "times": 100});
            stage.sandbox.control("POST", "faults", fault).unwrap();
            let (status, answer) = stage.hand_over(&key, Some(&stage.merchant), &chg('1')).await;
            assert_eq!(
                (status, &answer["code"]),
                (StatusCode::SERVICE_UNAVAILABLE, &json!("stripe_unavailable")),
                "{path}"
            );
            stage.sandbox.control("POST", "faults/clear", json!({})).unwrap();
        }
        assert_eq!(stage.account.items(STATE_TABLE).unwrap(), rows);
        let (status, _) = stage.hand_over(&key, Some(&stage.merchant), &chg('1')).await;
        assert_eq!(status, StatusCode::OK);
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
    let report = Enumerator::new("connect: restricted key").second_faults(997).run(
        set_up,
        hand_over,
        hand_over,
        handed_over_once,
    );
    report.unwrap_or_else(|violation| panic!("{violation}"));
}
