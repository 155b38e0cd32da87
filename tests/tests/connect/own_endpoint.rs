//! The webhook endpoint that an account has of its own: what its signing secrets open, and what they do not.

use aws_sdk_dynamodb::types::AttributeValue;
use axiru_domain::{Mode, Timestamp};
use axiru_in_process::{OBSERVATIONS_QUEUE_URL, Retries, STATE_TABLE};
use http::StatusCode;
use serde_json::{Value, json};

use super::door::{READS, ROSA, chg, scope_path};
use super::stage::run;
use super::types;

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

#[test]
fn a_signing_secret_opens_in_its_own_accounts_row_only() {
    run(async |stage| {
        stage.with_key("live", &READS).await;
        let secret = "whsec_0123456789abcdef0123";
        stage.add_secret("live", secret, &chg('b')).await;
        let other = stage.account("Other");
        // Whoever can write rows, and puts the one account's secret into the place of the other's.
        let dynamodb = stage.account.dynamodb(Retries::Off);
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let read = dynamodb.get_item().table_name(STATE_TABLE).key("pk", text("live#endpoint"));
        let mut row = read.key("sk", text(&stage.merchant)).send().await.unwrap().item.unwrap();
        row.insert("sk".to_owned(), text(&other));
        dynamodb.put_item().table_name(STATE_TABLE).set_item(Some(row)).send().await.unwrap();
        let delivered = stage.deliver("live", &other, secret, &refund(true, None)).await;
        assert_eq!(delivered, StatusCode::SERVICE_UNAVAILABLE, "it does not open");
        assert!(stage.account.queued(OBSERVATIONS_QUEUE_URL).is_empty());
        assert_eq!(stage.deliver("live", &stage.merchant, secret, &refund(true, None)).await, StatusCode::OK);
    });
}
