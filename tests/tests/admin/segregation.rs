//! Modes and accounts never mix: what is made in one scope is nothing in any other.

use serde_json::{Value, json};

use super::office::{Office, PER_JO, PER_ROSA, ROSA, chg, key_body, new_agent, push_body, run, token_of};

const SCOPES: [&str; 4] = ["live/acct_1", "live/acct_2", "test/acct_1", "test/acct_2"];

async fn code(office: &Office, scope: &str, route: &str, body: Value) -> String {
    let (status, answer) = office.post(ROSA, scope, route, &body).await;
    assert!(status.is_client_error(), "{scope} {route}: {status} {answer}");
    answer["code"].as_str().unwrap().to_owned()
}

#[test]
fn what_one_scope_has_no_other_has() {
    for home in SCOPES {
        run(async |office| {
            let mode = home.split_once('/').unwrap().0.parse().unwrap();
            let token = token_of(mode, 7);
            // Rosa is a person of one scope already; of this one she becomes one now, if she is not.
            let me = json!({"change": chg(1), "person": PER_ROSA, "me": true});
            let (status, _) = office.post(ROSA, home, "persons", &me).await;
            assert!(status.is_success() || home == super::office::LIVE);
            let jo = json!({"change": chg(2), "person": PER_JO, "emails": ["jo@example.com"]});
            for (route, body) in [
                ("persons", jo.clone()),
                ("groups/finance/members", json!({"change": chg(6), "person": PER_JO, "added": true})),
                ("keys", key_body(3, &token, new_agent())),
                ("plans", push_body(4, "refunds", "", "")),
                ("switch", json!({"change": chg(7), "stopped": true, "why": "x"})),
                ("review", json!({"change": chg(5), "connected": "acct_9", "under_review": true, "why": "x"})),
            ] {
                let (status, answer) = office.post(ROSA, home, route, &body).await;
                assert!(status.is_success(), "{home} {route}: {answer}");
            }
            for other in SCOPES.into_iter().filter(|other| *other != home) {
                let before = office.entries(other).await.len();
                let status = office.get(other, "status").await;
                assert_eq!((&status["plans"], &status["under_review"]), (&json!([]), &json!([])), "{home} in {other}");
                assert_eq!(office.get(other, "keys").await["keys"], json!([]), "{home} in {other}");
                assert!(!office.get(other, "persons").await.to_string().contains(PER_JO), "{home} in {other}");
                let agent = "agent:ag_1".parse().unwrap();
                let stopped = office.app.store.stopped(&other.parse().unwrap(), &agent).await.unwrap();
                assert_eq!(stopped, None, "{home} in {other}");
                assert_eq!(office.get(other, "groups").await["groups"], json!([]), "{home} in {other}");
                let change = |number: u32| json!({"change": chg(number)});
                for (route, body, expected) in [
                    (format!("keys/{}/revoke", token.id()), change(10), "no_such_key"),
                    (format!("persons/{PER_JO}/remove"), change(11), "no_such_person"),
                    ("groups/finance".into(), json!({"change": chg(15), "quorum": 2}), "no_such_group"),
                    (
                        "plans/refunds-starter/mode".into(),
                        json!({"change": chg(12), "policy_mode": "shadow", "why": "x"}),
                        "no_such_plan",
                    ),
                    (
                        "plans/refunds-starter/rollback".into(),
                        json!({"change": chg(13), "version": "0".repeat(64)}),
                        "no_such_plan",
                    ),
                ] {
                    assert_eq!(code(office, other, &route, body).await, expected, "{home} in {other}: {route}");
                }
                // Replacing the key, or making one, needs a person of that very scope.
                let successor = json!({"replaces": token.id(), "overlap_secs": 0});
                let replace = key_body(14, &token_of(other.split_once('/').unwrap().0.parse().unwrap(), 8), successor);
                let expected = if other == super::office::LIVE { "no_such_key" } else { "caller_is_no_person" };
                assert_eq!(code(office, other, "keys", replace).await, expected, "{home} in {other}");
                assert_eq!(office.entries(other).await.len(), before);
            }
        });
    }
}
