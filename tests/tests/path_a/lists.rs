//! Reading decisions back.

use serde_json::{Value, json};

use super::ground::{Ground, at_secs, refund};

fn ids(page: &Value) -> Vec<String> {
    page["data"].as_array().unwrap().iter().map(|d| d["decision_id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn newest_first_by_pages_with_filters() {
    let ground = Ground::simple().await;
    let mut made = Vec::new();
    for i in 0..25_i64 {
        at_secs(i);
        let amount = if i % 5 == 0 {
            20_000 + i
        } else if i % 7 == 0 {
            200_000 + i
        } else {
            100 + i
        };
        made.push(ground.ask(&refund(&format!("k{i}"), amount, "ch_1")).await);
    }
    let newest: Vec<String> = made.iter().rev().map(|answer| answer.text_of("decision_id")).collect();
    let mut read = Vec::new();
    let mut path = "/api/v1/decisions?limit=7".to_owned();
    loop {
        let page = ground.get(&path).await;
        assert_eq!(page.status, 200, "{}", page.text);
        read.extend(ids(&page.body));
        match page.body["next_cursor"].as_str() {
            Some(cursor) => path = format!("/api/v1/decisions?limit=7&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(read, newest);
    for (filter, expected) in [
        ("outcome=allowed", 17),
        ("outcome=pending_approval", 5),
        ("outcome=denied", 3),
        ("status=pending", 5),
        ("status=settled", 0),
        ("kind=refund", 25),
        ("kind=payout", 0),
        ("outcome=allowed&status=denied", 0),
        ("created_from=2026-10-31T12:00:20.000Z", 5),
        ("created_before=2026-10-31T12:00:05.000Z", 5),
        ("created_from=2026-10-31T12:00:05.000Z&created_before=2026-10-31T12:00:06.000Z", 1),
        ("account=acct_1", 25),
    ] {
        let page = ground.get(&format!("/api/v1/decisions?limit=100&{filter}")).await;
        assert_eq!((page.status, ids(&page.body).len()), (200, expected), "{filter}: {}", page.text);
    }
    // One decision reads as it was answered, but for `cached`.
    let mut one = ground.get(&format!("/api/v1/decisions/{}", newest[0])).await.body;
    one["cached"] = json!(false);
    assert_eq!(one, made[24].body);
}

#[tokio::test(start_paused = true)]
async fn wrong_parameters_are_named() {
    let ground = Ground::simple().await;
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("cursor=xyz", "cursor"),
        ("cursor=", "cursor"),
        ("kind=refunds", "kind"),
        ("outcome=allow", "outcome"),
        ("status=open", "status"),
        ("created_from=yesterday", "created_from"),
        ("account=live", "account"),
        ("page=2", "query"),
    ] {
        let answer = ground.get(&format!("/api/v1/decisions?{query}")).await;
        assert_eq!((answer.status, answer.text_of("field").as_str()), (400, field), "{query}: {}", answer.text);
    }
    let foreign = ground.get("/api/v1/decisions?account=acct_2").await;
    assert_eq!(foreign.status, 403);
}

#[tokio::test(start_paused = true)]
async fn the_description_is_served_and_names_every_route() {
    let ground = Ground::simple().await;
    let answer = ground.call("GET", "/api/v1/openapi.json", &[], "").await;
    assert_eq!(answer.status, 200);
    assert!(answer.body["openapi"].as_str().unwrap().starts_with("3.1"), "{}", answer.body["openapi"]);
    let paths: Vec<_> = answer.body["paths"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(paths, ["/api/v1/decisions", "/api/v1/decisions/{id}", "/api/v1/openapi.json"]);
    // Every member of an answer is described, and every described one is answered.
    let decided = ground.ask(&refund("k", 100, "ch_1")).await;
    let described = &answer.body["components"]["schemas"]["DecisionAnswer"]["properties"];
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<std::collections::BTreeSet<_>>();
    assert_eq!(names(described), names(&decided.body));
}

#[tokio::test(start_paused = true)]
async fn the_description_says_what_each_kind_takes() {
    let ground = Ground::simple().await;
    let described = ground.call("GET", "/api/v1/openapi.json", &[], "").await.body;
    let schemas = &described["components"]["schemas"];
    for (kind, word, objects, currencies_by_100) in [
        ("RefundIntent", "refund", vec!["charge", "payment_intent", "reason"], vec!["isk", "ugx"]),
        ("PayoutIntent", "payout", vec!["destination", "method"], vec!["huf", "isk", "twd", "ugx"]),
        ("TransferIntent", "transfer", vec!["destination", "source_transaction"], vec!["isk", "ugx"]),
        ("TransferReversalIntent", "transfer_reversal", vec!["transfer"], vec!["isk", "ugx"]),
        ("DisputeAcceptIntent", "dispute_accept", vec!["dispute"], vec!["isk", "ugx"]),
        ("DisputeSubmitIntent", "dispute_submit", vec!["dispute"], vec!["isk", "ugx"]),
    ] {
        let body = &schemas[kind]["allOf"][0];
        assert_eq!(
            (&body["properties"]["kind"]["enum"], &body["additionalProperties"]),
            (&json!([word]), &json!(false))
        );
        let mut names: Vec<_> = body["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        names.retain(|name| !["kind", "amount_cents", "currency", "stripe_connection_id", "metadata"].contains(name));
        assert_eq!(names, objects, "{kind}");
        let amounts = schemas[kind]["allOf"][1]["anyOf"].as_array().unwrap();
        let by_100 = amounts.iter().find(|group| group["properties"]["amount_cents"]["multipleOf"] == 100).unwrap();
        assert_eq!(by_100["properties"]["currency"]["enum"], json!(currencies_by_100), "{kind}");
        assert_eq!(schemas[kind]["allOf"].as_array().unwrap().len(), if word == "refund" { 3 } else { 2 });
    }
    // What is always answered is required, null or not; what a caller may leave out of the query is never null.
    let answered = ground.ask(&refund("k", 100, "ch_1")).await.body;
    let required = schemas["DecisionAnswer"]["required"].as_array().unwrap();
    assert!(answered.as_object().unwrap().keys().all(|name| required.contains(&json!(name))));
    for parameter in described["paths"]["/api/v1/decisions"]["get"]["parameters"].as_array().unwrap() {
        assert!(!parameter["schema"].to_string().contains("null"), "{parameter}");
    }
}
