//! Keys: made, replaced, revoked.

use axiru_aws::keys::{Key, KeyRefused};
use axiru_domain::{KeyToken, Mode, Timestamp};
use serde_json::json;

use super::office::{
    JO, LIVE, Office, PER_JO, PER_ROSA, ROSA, chg, key_body, new_agent, next_day, now, run, token, token_of,
};

/// What whoever is presented a key finds out about it.
async fn presented(office: &Office, token: &KeyToken, at: Timestamp) -> Result<(), KeyRefused> {
    let keys = office.app.store.keys(&LIVE.parse().unwrap()).await.unwrap();
    keys.iter().find(|key| key.id == *token.id()).ok_or(KeyRefused)?.accepts(token, at)
}

async fn key(office: &Office, token: &KeyToken) -> Key {
    let keys = office.app.store.keys(&LIVE.parse().unwrap()).await.unwrap();
    keys.into_iter().find(|key| key.id == *token.id()).unwrap()
}

#[test]
fn a_key_works_until_it_is_revoked_and_its_secret_is_nowhere() {
    run(async |office| {
        let body = key_body(1, &token(1), new_agent());
        let answer = office.done(ROSA, "keys", body.clone()).await;
        assert_eq!(answer, office.done(ROSA, "keys", body).await);
        assert_eq!(presented(office, &token(1), now()).await, Ok(()));
        assert_eq!(presented(office, &token(2), now()).await, Err(KeyRefused));
        let made = key(office, &token(1)).await;
        assert_eq!((made.operator.as_str(), made.issuer.as_str(), made.per_minute), (PER_ROSA, PER_ROSA, 60));
        let shown = office.get(LIVE, "keys").await;
        assert_eq!(shown["keys"][0]["label"], "canary label");
        assert!(!shown.to_string().contains(&token(1).sha256().to_string()), "a list shows no hash");
        let route = format!("keys/{}/revoke", token(1).id());
        assert_eq!(office.done(ROSA, &route, json!({"change": chg(2)})).await["changed"], true);
        assert_eq!(presented(office, &token(1), now()).await, Err(KeyRefused), "the very next reading refuses");
        assert_eq!(office.done(ROSA, &route, json!({"change": chg(3)})).await["changed"], false);
        assert_eq!(office.types(LIVE).await, ["person.added", "key.created", "key.revoked"]);
        let whole = token(1);
        let secret = &whole.expose()[22..];
        assert_eq!(office.account.dump().unwrap().find(secret), Vec::<&str>::new());
        for entry in office.entries(LIVE).await {
            let line = String::from_utf8_lossy(entry.bytes()).into_owned();
            assert!(!line.contains("canary") && !line.contains(&token(1).sha256().to_string()), "{line}");
        }
    });
}

#[test]
fn whoever_is_no_person_makes_no_key() {
    run(async |office| {
        let refused = office.refused(JO, "keys", key_body(1, &token(1), new_agent())).await;
        assert_eq!((refused.0, refused.1.as_str()), (403, "caller_is_no_person"));
        assert!(refused.2.contains("axiru person add") && refused.2.contains(LIVE), "{}", refused.2);
        // A remedy that works.
        office.done(JO, "persons", json!({"change": chg(2), "person": PER_JO, "me": true})).await;
        office.done(JO, "keys", key_body(1, &token(1), new_agent())).await;
        let made = key(office, &token(1)).await;
        assert_eq!((made.operator.as_str(), made.issuer.as_str()), (PER_ROSA, PER_JO));
        // An operator who is nobody.
        let body = key_body(3, &token(2), json!({"actor": "agent:ag_2", "operator": "per_nobodynobodynob1"}));
        assert_eq!(office.refused(ROSA, "keys", body).await.1, "no_such_person");
    });
}

#[test]
fn a_replaced_key_works_through_the_overlap_and_no_third_is_made() {
    run(async |office| {
        office.done(ROSA, "keys", key_body(1, &token(1), new_agent())).await;
        let successor = json!({"replaces": token(1).id(), "overlap_secs": 86_400});
        let answer = office.done(ROSA, "keys", key_body(2, &token(2), successor.clone())).await;
        assert_eq!(answer["actor"], "agent:ag_1");
        assert_eq!(answer["replaced_until"], now().plus_secs(86_400).to_string());
        for (number, at, works) in [(1, now(), true), (2, now(), true), (1, next_day(), false), (2, next_day(), true)] {
            assert_eq!(presented(office, &token(number), at).await.is_ok(), works, "{number} {at}");
        }
        let third = office.refused(ROSA, "keys", key_body(3, &token(3), successor)).await;
        assert_eq!((third.0, third.1.as_str()), (409, "two_live_keys"));
        let known = json!({"actor": "agent:ag_1"});
        assert_eq!(office.refused(ROSA, "keys", key_body(4, &token(3), known.clone())).await.1, "two_live_keys");
        office.done(ROSA, &format!("keys/{}/revoke", token(1).id()), json!({"change": chg(5)})).await;
        office.done(ROSA, "keys", key_body(6, &token(3), known)).await;
        let entries = office.entries(LIVE).await;
        assert_eq!(entries[2].fields()["replaces"], json!(token(1).id()));
        let revoked = json!({"replaces": token(1).id(), "overlap_secs": 0});
        assert_eq!(office.refused(ROSA, "keys", key_body(7, &token(4), revoked)).await.1, "key_not_live");
    });
}

#[test]
fn one_key_for_two_accounts_has_an_entry_in_each_and_dies_in_both() {
    run(async |office| {
        let other = "live/acct_2";
        let me = json!({"change": chg(1), "person": PER_ROSA, "me": true});
        assert!(office.post(ROSA, other, "persons", &me).await.0.is_success());
        let body = key_body(2, &token(1), new_agent());
        for scope in [LIVE, other] {
            let (status, answer) = office.post(ROSA, scope, "keys", &body).await;
            assert!(status.is_success(), "{scope} {answer}");
            assert_eq!(office.types(scope).await.last().map(String::as_str), Some("key.created"));
        }
        assert_eq!(key(office, &token(1)).await.accounts.len(), 2);
        // Replaced at once in the first account, the old key is replaced in the second as well.
        let successor = json!({"replaces": token(1).id(), "overlap_secs": 0});
        let body = key_body(5, &token(2), successor.clone());
        for scope in [LIVE, other] {
            let (status, answer) = office.post(ROSA, scope, "keys", &body).await;
            assert!(status.is_success(), "{scope} {answer}");
        }
        assert_eq!(
            (key(office, &token(2)).await.accounts.len(), presented(office, &token(1), now()).await),
            (2, Err(KeyRefused))
        );
        assert_eq!(office.refused(ROSA, "keys", key_body(6, &token(3), successor)).await.1, "key_not_live");
        let route = format!("keys/{}/revoke", token(1).id());
        let answer = office.post(ROSA, other, &route, &json!({"change": chg(3)})).await.1;
        assert_eq!(answer["accounts"], json!(["acct_1", "acct_2"]));
        assert_eq!(presented(office, &token(1), now()).await, Err(KeyRefused));
        // The other ledger is told by an act of its own.
        assert_eq!(office.done(ROSA, &route, json!({"change": chg(3)})).await["changed"], true);
        assert_eq!(office.types(LIVE).await.last().map(String::as_str), Some("key.revoked"));
        assert_eq!(office.types(other).await.last().map(String::as_str), Some("key.revoked"));
    });
}

#[test]
fn a_key_is_not_extended_by_another_command_or_to_another_secret() {
    run(async |office| {
        let other = "live/acct_2";
        let me = json!({"change": chg(1), "person": PER_ROSA, "me": true});
        office.post(ROSA, other, "persons", &me).await;
        office.done(ROSA, "keys", key_body(2, &token(1), new_agent())).await;
        let mut stolen = key_body(2, &token(1), new_agent());
        stolen["secret_sha256"] = json!(token(9).sha256().to_string());
        for body in [stolen, key_body(3, &token(1), new_agent())] {
            let (status, answer) = office.post(ROSA, other, "keys", &body).await;
            assert_eq!((status.as_u16(), &answer["code"]), (409, &json!("key_exists")));
        }
        assert_eq!(key(office, &token(1)).await.accounts.len(), 1);
    });
}

#[test]
fn bad_keys_are_refused() {
    run(async |office| {
        office.done(ROSA, "keys", key_body(1, &token(1), new_agent())).await;
        let with = |name: &str, value: serde_json::Value| {
            let mut body = key_body(2, &token(2), json!({"actor": "agent:ag_2", "operator": PER_ROSA}));
            body[name] = value;
            body
        };
        for body in [
            with("valid_until", json!(now())),
            with("valid_until", json!(now().plus_secs(367 * 86_400))),
            with("valid_until", json!(null)),
            with("per_minute", json!(0)),
            with("per_minute", json!(6_001)),
            with("per_minute", json!(-1)),
            with("label", json!("two\nlines")),
            with("label", json!("x".repeat(101))),
            with("secret_sha256", json!("ab")),
            with("secret_sha256", json!(token(2).expose())),
            with("key", json!(token(2).expose())),
            with("actor", json!("external")),
            with("actor", json!("operator:op_1")),
            with("operator", json!("rosa")),
            with("replaces", json!(token(1).id())),
            with("overlap_secs", json!(5)),
            with("token", json!(token(2).expose())),
            key_body(2, &token(2), json!({"replaces": token(1).id(), "overlap_secs": 7 * 86_400 + 1})),
            key_body(2, &token(2), json!({"replaces": token(1).id()})),
        ] {
            let (status, code, detail) = office.refused(ROSA, "keys", body.clone()).await;
            assert_eq!(status, 400, "{code} {body}");
            assert!(!detail.contains(token(2).expose()), "{detail}");
        }
        for (who, code) in [
            (json!({"actor": "agent:ag_9"}), "no_such_actor"),
            (json!({"actor": "agent:ag_1", "operator": PER_ROSA}), "actor_exists"),
            (json!({"replaces": "nonenonenone", "overlap_secs": 0}), "no_such_key"),
        ] {
            assert_eq!(office.refused(ROSA, "keys", key_body(2, &token(2), who)).await.1, code);
        }
        for (key, status) in [("nonenonenone", 404), ("x", 400), (token(1).expose(), 400)] {
            let refused = office.refused(ROSA, &format!("keys/{key}/revoke"), json!({"change": chg(3)})).await;
            assert_eq!(refused.0, status, "{}", refused.2);
        }
    });
}

#[test]
fn a_key_of_one_mode_is_none_in_the_other() {
    run(async |office| {
        let me = json!({"change": chg(1), "person": PER_ROSA, "me": true});
        office.post(ROSA, "test/acct_1", "persons", &me).await;
        office.done(ROSA, "keys", key_body(2, &token(1), new_agent())).await;
        let route = format!("keys/{}/revoke", token(1).id());
        let (status, _) = office.post(ROSA, "test/acct_1", &route, &json!({"change": chg(3)})).await;
        assert_eq!(status.as_u16(), 404);
        // The same id may be in both modes; each row takes its own key only.
        let test = token_of(Mode::Test, 1);
        assert!(office.post(ROSA, "test/acct_1", "keys", &key_body(4, &test, new_agent())).await.0.is_success());
        assert_eq!(presented(office, &test, now()).await, Err(KeyRefused));
        assert_eq!(presented(office, &token(1), now()).await, Ok(()));
    });
}
