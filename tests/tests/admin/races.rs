//! Two acts at once, where one is overtaken between reading its rows and reading the tip: the ledger alone would not notice.

use std::time::Duration;

use axiru_in_process::{Fault, LEDGER_TABLE};
use http::StatusCode;
use serde_json::{Value, json};

use super::office::{JO, LIVE, Office, PER_JO, PER_ROSA, ROSA, chg, key_body, new_agent, now, push_body, run, token};

/// Does `slow`, and all of `quick` after `slow` has read its rows: the codes of both, or `ok`.
async fn overtaken(office: &Office, slow: (&str, Value), quick: (&str, Value)) -> (String, String) {
    let mut spent = false;
    office.account.faults().decide(move |call| {
        let tip = !spent && call.operation == "Query" && call.targets.iter().any(|target| target == LEDGER_TABLE);
        spent |= tip;
        tip.then_some(Fault::Delay(Duration::from_secs(1)))
    });
    let code = |(status, answer): (StatusCode, Value)| {
        if status.is_success() { "ok".to_owned() } else { answer["code"].as_str().unwrap().to_owned() }
    };
    let overtaking = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        office.post(ROSA, LIVE, quick.0, &quick.1).await
    };
    let (slow, quick) = tokio::join!(office.post(ROSA, LIVE, slow.0, &slow.1), overtaking);
    office.account.faults().clear();
    (code(slow), code(quick))
}

fn codes(slow: &str, quick: &str) -> (String, String) {
    (slow.to_owned(), quick.to_owned())
}

fn jo(change: u32) -> Value {
    json!({"change": chg(change), "person": PER_JO, "emails": ["jo@example.com"], "principals": [JO]})
}

#[test]
fn no_third_key_slips_in() {
    run(async |office| {
        office.done(ROSA, "keys", key_body(1, &token(1), new_agent())).await;
        let more = |number: u8| ("keys", key_body(u32::from(number), &token(number), json!({"actor": "agent:ag_1"})));
        assert_eq!(overtaken(office, more(2), more(3)).await, codes("two_live_keys", "ok"));
        let keys = office.app.store.keys(&LIVE.parse().unwrap()).await.unwrap();
        assert_eq!(keys.iter().filter(|key| key.is_live(now())).count(), 2);
    });
}

#[test]
fn no_alias_gets_two_persons() {
    run(async |office| {
        let other = json!({"change": chg(2), "person": "per_otherotherothero", "emails": ["JO@example.com"]});
        assert_eq!(overtaken(office, ("persons", jo(1)), ("persons", other)).await, codes("alias_taken", "ok"));
        let route = format!("persons/{PER_ROSA}/aliases");
        let alias =
            |change: u32| json!({"change": chg(change), "added": true, "email": format!("rosa{change}@example.com")});
        assert_eq!(overtaken(office, (&route, alias(3)), (&route, alias(4))).await, codes("ok", "ok"));
        let shown = office.get(LIVE, "persons").await.to_string();
        assert!(shown.contains("rosa3@") && shown.contains("rosa4@"), "neither is lost: {shown}");
    });
}

#[test]
fn no_key_is_left_without_who_answers_for_it() {
    run(async |office| {
        let agent = json!({"actor": "agent:ag_2", "operator": PER_JO});
        let remove = format!("persons/{PER_JO}/remove");
        office.done(ROSA, "persons", jo(1)).await;
        let key = |change: u32, number: u8| ("keys", key_body(change, &token(number), agent.clone()));
        let removed = |change: u32| (remove.as_str(), json!({"change": chg(change)}));
        assert_eq!(overtaken(office, removed(2), key(3, 1)).await, codes("person_operates_keys", "ok"));
        office.done(ROSA, &format!("keys/{}/revoke", token(1).id()), json!({"change": chg(4)})).await;
        let known = ("keys", key_body(5, &token(2), json!({"actor": "agent:ag_2"})));
        assert_eq!(overtaken(office, known, removed(6)).await, codes("no_such_person", "ok"));
    });
}

#[test]
fn no_member_is_left_who_cannot_be_asked() {
    run(async |office| {
        office.done(ROSA, "persons", jo(1)).await;
        let join = |change: u32, group: &str| {
            (format!("groups/{group}/members"), json!({"change": chg(change), "person": PER_JO, "added": true}))
        };
        let alias = format!("persons/{PER_JO}/aliases");
        let without = |change: u32| json!({"change": chg(change), "added": false, "email": "jo@example.com"});
        let (route, body) = join(2, "finance");
        assert_eq!(
            overtaken(office, (&alias, without(3)), (&route, body)).await,
            codes("last_address", "ok"),
            "the address was free to go when it was looked at"
        );
        // Who joins a group while they are removed is in none.
        let (remove, group) = (format!("persons/{PER_JO}/remove"), join(4, "legal"));
        assert_eq!(
            overtaken(office, (&remove, json!({"change": chg(5)})), (&group.0, group.1)).await,
            codes("ok", "ok")
        );
        office.done(ROSA, "persons", jo(6)).await;
        let group = join(7, "finance");
        assert_eq!(
            overtaken(office, (&group.0, group.1), (&remove, json!({"change": chg(8)}))).await,
            codes("no_such_person", "ok")
        );
        for group in office.app.store.groups(&LIVE.parse().unwrap()).await.unwrap() {
            assert!(group.members.is_empty(), "{group:?}");
        }
    });
}

#[test]
fn two_who_join_at_once_are_both_in() {
    run(async |office| {
        office.done(ROSA, "persons", jo(1)).await;
        let other = "per_otherotherothero";
        office.done(ROSA, "persons", json!({"change": chg(2), "person": other, "emails": ["x@example.com"]})).await;
        let join = |change: u32, person: &str| {
            ("groups/finance/members", json!({"change": chg(change), "person": person, "added": true}))
        };
        assert_eq!(overtaken(office, join(3, PER_JO), join(4, other)).await, codes("ok", "ok"));
        let group = office.app.store.group(&LIVE.parse().unwrap(), "finance").await.unwrap();
        assert_eq!(group.members.len(), 2);
    });
}

#[test]
fn no_push_undoes_another() {
    run(async |office| {
        office.with_ana().await;
        let (refunds, payouts) = (push_body(1, "refunds", "", ""), push_body(2, "payouts", "", ""));
        assert_eq!(overtaken(office, ("plans", refunds), ("plans", payouts)).await, codes("ok", "ok"));
        let other = push_body(3, "refunds", "20000", "19000");
        let transfers = push_body(4, "transfers", "", "");
        assert_eq!(overtaken(office, ("plans", other), ("plans", transfers)).await, codes("ok", "ok"));
        let heads = office.app.store.plan_heads(&LIVE.parse().unwrap()).await.unwrap();
        let names: Vec<&str> = heads.list().iter().map(|head| head.plan.as_str()).collect();
        assert_eq!(names, ["payouts-starter", "refunds-starter", "transfers-starter"]);
    });
}

#[test]
fn the_same_request_twice_at_once_is_one_act() {
    run(async |office| {
        assert_eq!(overtaken(office, ("persons", jo(1)), ("persons", jo(1))).await, codes("ok", "ok"));
        assert_eq!(office.types(LIVE).await, ["person.added", "person.added"]);
        let key = ("keys", key_body(2, &token(1), new_agent()));
        assert_eq!(overtaken(office, key.clone(), key).await, codes("ok", "ok"));
        assert_eq!(office.types(LIVE).await.len(), 3);
    });
}
