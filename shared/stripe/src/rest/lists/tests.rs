use serde_json::json;

use super::*;
use crate::base::ApiBase;
use crate::report::News;
use crate::secret::Secret;
use crate::transport::tests::Script;

fn scope() -> Scope {
    "test/acct_1".parse().unwrap()
}

async fn page<T: Listed>(answer: Value, after: Option<&StripeId>) -> Result<Page<T>, StripeError> {
    let script = Script::answering(200, answer.to_string());
    let (base, key): (ApiBase, Secret) = ("https://api.stripe.com".parse().unwrap(), Secret::new("sk_test_x").unwrap());
    let scope = scope();
    let filters = [("created[gte]", "5".to_owned())];
    let asking = Asking { scope: &scope, path: "/v1/list", filters: &filters, limit: 100, after };
    let page = Rest::new(&script, &base, &key).page(&asking).await;
    let asked = script.asked.lock().unwrap()[0].uri().to_string();
    let behind = after.map(|after| format!("&starting_after={after}")).unwrap_or_default();
    assert_eq!(asked, format!("https://api.stripe.com/v1/list?limit=100&created%5Bgte%5D=5{behind}"));
    page
}

fn refund(id: &str) -> Value {
    json!({"id": id, "object": "refund", "amount": 5, "currency": "usd", "created": 7, "status": "succeeded",
        "metadata": {"name": "canary"}, "destination_details": {"card": {"reference": "canary"}}})
}

#[tokio::test]
async fn a_page_is_read_and_names_where_the_next_begins() {
    let answer = json!({"object": "list", "has_more": true, "data": [refund("re_2"), refund("re_1")]});
    let read: Page<ListedObject> = page(answer, Some(&"re_3".parse().unwrap())).await.unwrap();
    assert_eq!(read.items.len(), 2);
    assert_eq!(read.next.as_ref().map(StripeId::as_str), Some("re_1"));
    assert!(!format!("{read:?}").contains("canary"));
    let last: Page<ListedObject> = page(json!({"has_more": false, "data": []}), None).await.unwrap();
    assert_eq!(last, Page { items: Vec::new(), next: None });
}

#[tokio::test]
async fn a_list_that_would_never_end_is_refused() {
    let answer = json!({"has_more": true, "data": [refund("re_1")]});
    let again = page::<ListedObject>(answer, Some(&"re_1".parse().unwrap())).await;
    assert!(matches!(again, Err(StripeError::Answer { at: "data", .. })), "{again:?}");
    let empty = page::<ListedObject>(json!({"has_more": true, "data": []}), None).await;
    assert!(matches!(empty, Err(StripeError::Answer { at: "has_more", .. })), "{empty:?}");
}

#[tokio::test]
async fn what_is_not_the_lists_is_refused() {
    let with = |name: &str, value: Value| {
        let mut object = refund("re_1");
        object[name] = value;
        json!({"has_more": false, "data": [object]})
    };
    for (name, value) in [
        ("livemode", json!(true)),
        ("id", json!(null)),
        ("id", json!("re_1/../x")),
        ("amount", json!(null)),
        ("amount", json!(9_007_199_254_740_992_i64)),
        ("amount", json!(1.5)),
        ("currency", json!("USDX")),
        ("created", json!(-1)),
    ] {
        let read = page::<ListedObject>(with(name, value.clone()), None).await;
        assert!(matches!(read, Err(StripeError::Answer { .. })), "{name} {value}: {read:?}");
    }
    assert!(page::<ListedObject>(with("livemode", json!(false)), None).await.is_ok());
    let free = page::<ListedObject>(with("status", json!("Free Text")), None).await.unwrap();
    assert_eq!(free.items[0].status, None);
}

#[tokio::test]
async fn transfers_disputes_and_balance_lines_are_told_apart() {
    let mut transfer = refund("tr_1");
    transfer["reversals"] = json!({"has_more": true, "data": [refund("trr_1")]});
    let read: Page<ListedTransfer> = page(json!({"has_more": false, "data": [transfer]}), None).await.unwrap();
    assert_eq!((read.items[0].reversals.len(), read.items[0].more_reversals), (1, true));
    assert!(page::<ListedTransfer>(json!({"has_more": false, "data": [refund("tr_1")]}), None).await.is_err());

    let mut dispute = refund("du_1");
    dispute["evidence"] = json!({"customer_name": "canary"});
    dispute["evidence_details"] = json!({"submission_count": 2});
    let read: Page<ListedDispute> = page(json!({"has_more": false, "data": [dispute]}), None).await.unwrap();
    assert_eq!(read.items[0].submission_count, Some(2));
    assert!(!format!("{read:?}").contains("canary"));

    let line = json!({"id": "txn_1", "amount": -5, "currency": "usd", "created": 7, "type": "refund", "source": "re_1", "status": "available"});
    let read: Page<BalanceLine> = page(json!({"has_more": false, "data": [line]}), None).await.unwrap();
    let line = &read.items[0];
    assert_eq!((line.amount_minor, line.source.as_ref().map(StripeId::as_str)), (-5, Some("re_1")));
}

#[tokio::test]
async fn an_event_that_cannot_be_read_does_not_hold_up_the_others() {
    let event = |id: &str, object: Value, livemode: bool| {
        json!({"id": id, "object": "event", "type": "refund.created", "livemode": livemode, "created": 7,
            "request": {"id": "req_1", "idempotency_key": null}, "data": {"object": object}})
    };
    let mut named = event("evt_4", refund("re_4"), false);
    named["account"] = json!("acct_2");
    let data = [
        event("evt_1", refund("re_1"), false),
        event("evt_2", json!({"id": "re_2"}), false),
        event("evt_3", refund("re_3"), true),
        named,
    ];
    let read: Page<ListedEvent> = page(json!({"has_more": false, "data": data}), None).await.unwrap();
    let told: Vec<&Result<Projected, EventError>> = read.items.iter().map(|event| &event.projected).collect();
    // The list names no account: the event is its owner's, and marked.
    let Ok(Projected::Report(report)) = told[0] else { panic!("{told:?}") };
    assert!(report.recovered && report.scope == scope() && matches!(report.news[..], [News::Movement(_)]));
    assert_eq!(serde_json::to_value(report).unwrap()["recovered"], true);
    assert!(matches!(told[1], Err(EventError::Field(_))), "{told:?}");
    // Test and live, and two accounts, never mix.
    assert_eq!((told[2], told[3]), (&Err(EventError::Foreign), &Err(EventError::Foreign)));
}

#[tokio::test]
async fn one_object_is_there_or_not() {
    let (base, key): (ApiBase, Secret) = ("https://api.stripe.com".parse().unwrap(), Secret::new("sk_test_x").unwrap());
    for (status, body, there) in [
        (200, refund("re_1").to_string(), true),
        (404, r#"{"error":{"type":"invalid_request_error","code":"resource_missing"}}"#.to_owned(), false),
        (404, String::new(), false),
    ] {
        let script = Script::answering(status, body);
        let one = Rest::new(&script, &base, &key).one::<ListedObject>(&scope(), "/v1/refunds/re_1").await.unwrap();
        assert_eq!(one.is_some(), there);
    }
    let script = Script::answering(403, "");
    let one = Rest::new(&script, &base, &key).one::<ListedObject>(&scope(), "/v1/refunds/re_1").await;
    assert_eq!(one, Err(StripeError::Forbidden));
}
