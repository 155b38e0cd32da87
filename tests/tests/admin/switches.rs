//! Stopping and starting again.

use aws_sdk_dynamodb::types::AttributeValue;
use axiru_aws::switches::Stopped;
use axiru_domain::Actor;
use axiru_in_process::{Retries, STATE_TABLE};
use serde_json::{Value, json};

use super::office::{JO, LIVE, Office, PER_JO, ROSA, chg, key_body, new_agent, next_day, run, token};

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

/// Jo may administer the scope too.
async fn with_jo(office: &Office, change: u32) {
    let jo = json!({"change": chg(change), "person": PER_JO, "emails": ["jo@example.com"], "principals": [JO]});
    office.done(ROSA, "persons", jo).await;
}

#[test]
fn one_stops_and_two_start() {
    run(async |office| {
        with_jo(office, 1).await;
        office.done(JO, "switch", turn(2, None, true)).await;
        let asked = office.done(ROSA, "switch", turn(3, None, false)).await;
        let until = "2026-10-31T13:00:00.000Z";
        assert_eq!(asked, json!({"changed": true, "of": "scope", "stopped": true, "second_person_until": until}));
        assert_eq!(office.done(ROSA, "switch", turn(3, None, false)).await, asked, "told again");
        // The same person is no second one.
        let again = office.done(ROSA, "switch", turn(4, None, false)).await;
        assert_eq!(again, json!({"changed": false, "of": "scope", "stopped": true, "second_person_until": until}));
        assert_eq!(stopped(office, LIVE, "ag_1").await, Some(Stopped::Scope));
        // A stop in between takes the wish back.
        assert_eq!(office.done(JO, "switch", turn(5, None, true)).await["changed"], true);
        assert_eq!(office.done(JO, "switch", turn(6, None, false)).await["second_person_until"], until);
        let started = office.done(ROSA, "switch", turn(7, None, false)).await;
        assert_eq!(started, json!({"changed": true, "of": "scope", "stopped": false}));
        assert_eq!(stopped(office, LIVE, "ag_1").await, None);
        let types = office.types(LIVE).await;
        let told: Vec<_> = types.iter().filter(|ty| ty.starts_with("switch.")).map(String::as_str).collect();
        let (changed, asked) = ("switch.changed", "switch.start_asked");
        assert_eq!(told, [changed, asked, changed, asked, changed]);
        // A stranger starts nothing.
        office.done(ROSA, "switch", turn(8, None, true)).await;
        let stranger = "arn:aws:iam::111122223333:user/mallory";
        let (status, code, _) = office.refused(stranger, "switch", turn(9, None, false)).await;
        assert_eq!((status, code.as_str()), (403, "caller_is_no_person"));
    });
}

#[test]
fn a_wish_to_start_passes_with_its_hour_and_with_its_person() {
    run(async |office| {
        with_jo(office, 1).await;
        office.done(ROSA, "switch", turn(2, None, true)).await;
        office.done(ROSA, "switch", turn(3, None, false)).await;
        let later = office.at(next_day);
        let second = later.done(JO, "switch", turn(4, None, false)).await;
        assert_eq!((&second["stopped"], second["second_person_until"].is_string()), (&json!(true), true), "{second}");
        // Who is gone is no first one either; with nobody else left, one is enough.
        later.done(ROSA, "persons/per_jojojojojojojojo/remove", json!({"change": chg(5)})).await;
        assert_eq!(later.done(ROSA, "switch", turn(6, None, false)).await["stopped"], false);
        assert_eq!(stopped(office, LIVE, "ag_1").await, None);
    });
}

#[test]
fn whoever_is_gone_by_then_is_no_first_person() {
    run(async |office| {
        with_jo(office, 1).await;
        const KIM: &str = "arn:aws:iam::111122223333:user/kim";
        let kim = json!({"change": chg(2), "person": "per_kimkimkimkimkimk", "principals": [KIM]});
        office.done(ROSA, "persons", kim).await;
        office.done(ROSA, "switch", turn(3, None, true)).await;
        office.done(JO, "switch", turn(4, None, false)).await;
        office.done(ROSA, "persons/per_jojojojojojojojo/remove", json!({"change": chg(5)})).await;
        assert_eq!(office.done(KIM, "switch", turn(6, None, false)).await["stopped"], true, "Kim is the first now");
        assert_eq!(office.done(ROSA, "switch", turn(7, None, false)).await["stopped"], false);
    });
}

#[test]
fn everything_is_stopped_by_one_switch_and_told_in_every_log() {
    run(async |office| {
        let everything = |change: u32, stopped: bool| json!({"change": chg(change), "everything": true, "stopped": stopped, "why": "a key leaked"});
        let post = async |scope: &str, change: u32, on: bool| {
            office.post(ROSA, scope, "switch", &everything(change, on)).await.1
        };
        assert_eq!(post(LIVE, 1, true).await, json!({"changed": true, "of": "deployment", "stopped": true}));
        for scope in [LIVE, "live/acct_2", "live/acct_never"] {
            assert_eq!(stopped(office, scope, "ag_1").await, Some(Stopped::Deployment), "{scope}");
        }
        assert_eq!(stopped(office, "test/acct_1", "ag_1").await, None);
        assert_eq!(post("live/acct_2", 1, true).await["changed"], true);
        assert_eq!(post("live/acct_2", 2, true).await["changed"], false);
        for scope in [LIVE, "live/acct_2"] {
            assert_eq!(office.get(scope, "status").await["stopped"][0]["of"], "deployment", "{scope}");
        }
        // A person of one account is none of another: they cannot start everything from there.
        let (status, refused) = office.post(ROSA, "live/acct_2", "switch", &everything(3, false)).await;
        assert_eq!((status.as_u16(), &refused["code"]), (403, &json!("caller_is_no_person")), "{refused}");
        // Somebody who may administer another account counts as the second.
        let jo = json!({"change": chg(4), "person": PER_JO, "principals": [JO]});
        assert_eq!(office.post(ROSA, "live/acct_2", "persons", &jo).await.0, 200);
        let asked = post(LIVE, 5, false).await;
        assert!(asked["second_person_until"].is_string(), "{asked}");
        let (_, started) = office.post(JO, "live/acct_2", "switch", &everything(6, false)).await;
        assert_eq!(started, json!({"changed": true, "of": "deployment", "stopped": false}));
        assert_eq!(stopped(office, LIVE, "ag_1").await, None);
        assert_eq!(post(LIVE, 7, false).await["changed"], true, "told here too");
        assert_eq!(post(LIVE, 8, false).await["changed"], false);
        for (scope, starts) in [(LIVE, [true, false]), ("live/acct_2", [true, false])] {
            let entries = office.entries(scope).await;
            let told = entries.iter().filter(|entry| entry.ty() == "switch.changed");
            let told: Vec<_> =
                told.map(|entry| (entry.fields()["of"].clone(), entry.fields()["stopped"].clone())).collect();
            assert_eq!(told, starts.map(|on| (json!("deployment"), json!(on))), "{scope}");
        }
        let both = json!({"change": chg(9), "everything": true, "actor": "agent:ag_1", "stopped": true, "why": "x"});
        assert_eq!(office.refused(ROSA, "switch", both).await.0, 400);
    });
}
