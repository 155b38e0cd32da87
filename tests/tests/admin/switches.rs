//! Stopping and starting again.

use aws_sdk_dynamodb::types::AttributeValue;
use axiru_aws::switches::Stopped;
use axiru_domain::Actor;
use axiru_in_process::{Retries, STATE_TABLE};
use serde_json::{Value, json};

use super::office::{LIVE, Office, ROSA, chg, key_body, new_agent, run, token};

fn turn(change: u32, actor: Option<&str>, stopped: bool) -> Value {
    json!({"change": chg(change), "actor": actor, "stopped": stopped, "why": "a canary told us"})
}

fn agent(id: &str) -> Actor {
    Actor::Agent(id.to_owned())
}

async fn stopped(office: &Office, scope: &str, actor: &str) -> Option<Stopped> {
    office.app.store.stopped(&scope.parse().unwrap(), &agent(actor)).await.unwrap()
}

#[test]
fn a_scope_and_an_actor_are_stopped_apart() {
    run(async |office| {
        office.done(ROSA, "keys", key_body(1, &token(1), new_agent())).await;
        assert_eq!(stopped(office, LIVE, "ag_1").await, None);
        let first = office.done(ROSA, "switch", turn(2, Some("agent:ag_1"), true)).await;
        assert_eq!(first, json!({"changed": true, "of": "agent:ag_1", "stopped": true}));
        assert_eq!(office.done(ROSA, "switch", turn(2, Some("agent:ag_1"), true)).await, first, "told again");
        assert_eq!(office.done(ROSA, "switch", turn(3, Some("agent:ag_1"), true)).await["changed"], false);
        assert_eq!(stopped(office, LIVE, "ag_1").await, Some(Stopped::Actor(agent("ag_1"))));
        assert_eq!(stopped(office, LIVE, "ag_2").await, None);
        office.done(ROSA, "switch", turn(4, None, true)).await;
        assert_eq!(stopped(office, LIVE, "ag_1").await, Some(Stopped::Scope), "the wider one is told");
        assert_eq!(stopped(office, LIVE, "ag_2").await, Some(Stopped::Scope));
        assert_eq!(stopped(office, "live/acct_2", "ag_2").await, None);
        assert_eq!(stopped(office, "test/acct_1", "ag_2").await, None);
        // Starting the scope does not start the actor.
        office.done(ROSA, "switch", turn(5, None, false)).await;
        assert_eq!(stopped(office, LIVE, "ag_1").await, Some(Stopped::Actor(agent("ag_1"))));
        office.done(ROSA, "switch", turn(6, Some("agent:ag_1"), false)).await;
        assert_eq!(stopped(office, LIVE, "ag_1").await, None);
        let entries = office.entries(LIVE).await;
        let told: Vec<_> =
            entries[2..].iter().map(|entry| (&entry.fields()["of"], &entry.fields()["stopped"])).collect();
        let (actor, scope) = (json!("agent:ag_1"), json!("scope"));
        let (on, off) = (json!(true), json!(false));
        assert_eq!(told, [(&actor, &on), (&scope, &on), (&scope, &off), (&actor, &off)]);
        assert!(entries.iter().all(|entry| !String::from_utf8_lossy(entry.bytes()).contains("canary")));
        assert_eq!(office.account.dump().unwrap().find("a canary told us").len(), 4, "the words stand beside");
    });
}

#[test]
fn what_would_stop_nobody_is_refused() {
    run(async |office| {
        let (status, code, detail) = office.refused(ROSA, "switch", turn(1, Some("agent:ag_1"), true)).await;
        assert_eq!((status, code.as_str()), (404, "no_such_actor"));
        assert!(detail.contains("axiru key list") && detail.contains("without `--actor`"), "{detail}");
        office.done(ROSA, "keys", key_body(2, &token(1), new_agent())).await;
        // One whose only key is revoked may have requests that wait.
        office.done(ROSA, &format!("keys/{}/revoke", token(1).id()), json!({"change": chg(3)})).await;
        office.done(ROSA, "switch", turn(4, Some("agent:ag_1"), true)).await;
        for bad in [
            json!({"change": chg(5), "stopped": true}),
            json!({"change": chg(5), "stopped": true, "why": " "}),
            json!({"change": chg(5), "stopped": "canary", "why": "x"}),
            json!({"change": chg(5), "stopped": true, "why": "x", "actor": "canary"}),
            json!({"change": chg(5), "why": "x"}),
        ] {
            let (status, _, detail) = office.refused(ROSA, "switch", bad.clone()).await;
            assert!(status == 400 && !detail.contains("canary"), "{bad}: {detail}");
        }
    });
}

#[test]
fn a_switch_that_cannot_be_read_lets_nobody_on() {
    run(async |office| {
        let s = |text: &str| AttributeValue::S(text.to_owned());
        let client = office.account.dynamodb(Retries::On);
        let put = client.put_item().table_name(STATE_TABLE).item("pk", s("live#switches")).item("sk", s("acct_1"));
        put.item("stopped", s("false")).item("version", AttributeValue::N("1".to_owned())).send().await.unwrap();
        assert!(office.app.store.stopped(&LIVE.parse().unwrap(), &agent("ag_1")).await.is_err());
        office.account.faults().decide(|_| Some(axiru_in_process::Fault::Fail));
        assert!(office.app.store.stopped(&"live/acct_2".parse().unwrap(), &agent("ag_1")).await.is_err());
    });
}
