//! Who may ask, and what is no request.

use http::StatusCode;
use serde_json::json;

use super::office::{JO, LIVE, PER_JO, ROSA, chg, run};

/// Every route of a scope.
const ROUTES: [(&str, &str); 24] = [
    ("GET", "status"),
    ("GET", "limits"),
    ("GET", "persons"),
    ("GET", "groups"),
    ("GET", "approvals"),
    ("GET", "approvals/dec_0123456789abcdef0123456789abcdef"),
    ("GET", "keys"),
    ("GET", "plans"),
    ("GET", "plans/refunds-starter"),
    ("POST", "persons"),
    ("POST", "persons/per_jojojojojojojojo/remove"),
    ("POST", "persons/per_jojojojojojojojo/aliases"),
    ("POST", "groups/finance"),
    ("POST", "groups/finance/members"),
    ("POST", "keys"),
    ("POST", "keys/0123456789ab/revoke"),
    ("POST", "plans"),
    ("POST", "plans/refunds-starter/mode"),
    ("POST", "plans/refunds-starter/rollback"),
    ("POST", "review"),
    ("POST", "switch"),
    ("POST", "disconnect"),
    ("POST", "approvals/dec_0123456789abcdef0123456789abcdef/cancel"),
    ("POST", "links/revoke"),
];

#[test]
fn without_a_verified_caller_every_route_is_one_refusal() {
    run(async |office| {
        let before = office.account.items(axiru_in_process::STATE_TABLE).unwrap().len();
        for (method, route) in ROUTES.into_iter().chain([("GET", "nothing")]) {
            for caller in [None, Some(""), Some("rosa")] {
                let path = format!("/admin/{LIVE}/{route}");
                let (status, answer) = office.ask(caller, method, &path, "{}").await;
                assert_eq!((status, &answer["code"]), (StatusCode::FORBIDDEN, &json!("no_verified_caller")));
            }
        }
        assert_eq!(office.account.items(axiru_in_process::STATE_TABLE).unwrap().len(), before);
    });
}

#[test]
fn what_is_no_request_is_refused_and_writes_nothing() {
    run(async |office| {
        let entries = office.entries(LIVE).await.len();
        let long = format!("{{\"change\":\"{}\"}}", "x".repeat(600_000));
        for (method, route) in ROUTES {
            for body in [
                "",
                "{}",
                "[]",
                "null",
                "\"canary\"",
                "{\"change\":\"canary\"}",
                "{\"canary\":1}",
                "{\"change\":",
                &long,
            ] {
                let (status, answer) = office.ask(Some(ROSA), method, &format!("/admin/{LIVE}/{route}"), body).await;
                if method == "POST" {
                    assert_eq!(status, StatusCode::BAD_REQUEST, "{route} {answer}");
                    assert!(!answer["detail"].as_str().unwrap().contains("canary"), "{answer}");
                }
            }
            let (status, _) = office.ask(Some(ROSA), method, &format!("/admin/{LIVE}/{route}?canary=1"), "{}").await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{method} {route} takes no such parameter");
            let (status, _) = office.ask(Some(ROSA), "DELETE", &format!("/admin/{LIVE}/{route}"), "").await;
            assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
        }
        assert_eq!(office.entries(LIVE).await.len(), entries);
    });
}

#[test]
fn there_are_no_other_routes_and_no_other_scopes() {
    run(async |office| {
        for path in [
            "/admin",
            "/admin/",
            "/admin/live",
            "/admin/live/acct_1",
            "/admin/live/acct_1/",
            "/admin/live/acct_1/nothing",
            "/admin/live/acct_1/plans/refunds-starter/mode",
            "/admin/LIVE/acct_1/status",
            "/admin/prod/acct_1/status",
            "/admin/live/cus_1/status",
            "/admin/live//status",
            "/admin/live/acct_1%23/status",
            "/admin/live/acct_1/../acct_2/status",
            "/other/live/acct_1/status",
        ] {
            let (status, answer) = office.ask(Some(ROSA), "GET", path, "").await;
            assert_eq!((status, &answer["code"]), (StatusCode::NOT_FOUND, &json!("no_such_route")), "{path}");
        }
        for (method, route) in ROUTES.into_iter().filter(|(method, _)| *method == "GET") {
            let (status, answer) = office.ask(Some(ROSA), method, &format!("/admin/live/acct_9/{route}"), "").await;
            assert_eq!((status, &answer["code"]), (StatusCode::NOT_FOUND, &json!("not_connected")), "{route}");
        }
        let body = json!({"change": chg(1), "person": PER_JO, "me": true});
        let (status, answer) = office.post(ROSA, "live/acct_9", "persons", &body).await;
        assert_eq!((status, &answer["code"]), (StatusCode::NOT_FOUND, &json!("not_connected")));
        assert!(office.entries("live/acct_9").await.is_empty());
    });
}

#[test]
fn a_change_id_is_one_request() {
    run(async |office| {
        let body = json!({"change": chg(1), "person": PER_JO, "emails": ["jo@example.com"]});
        office.done(ROSA, "persons", body).await;
        let other = json!({"change": chg(1), "person": "per_otherotherothero", "emails": ["x@example.com"]});
        assert_eq!(office.refused(ROSA, "persons", other).await.1, "change_reused");
        let other_route = json!({"change": chg(1)});
        assert_eq!(office.refused(JO, &format!("persons/{PER_JO}/remove"), other_route).await.1, "change_reused");
    });
}

#[test]
fn the_status_tells_every_scope_and_no_token() {
    run(async |office| {
        let (status, all) = office.ask(Some(ROSA), "GET", "/admin/status", "").await;
        assert_eq!(status, StatusCode::OK);
        let scopes: Vec<&str> =
            all["scopes"].as_array().unwrap().iter().filter_map(|scope| scope["scope"].as_str()).collect();
        assert_eq!(scopes, ["test/acct_1", "test/acct_2", "live/acct_1", "live/acct_2"]);
        let one = office.get(LIVE, "status").await;
        assert_eq!((&one["state"], &one["permissions"]), (&json!("active"), &json!("read_only")));
        assert_eq!(one["lanes"][0]["newest"]["type"], "person.added");
        assert_eq!((&one["lanes"][1]["entries"], &one["lanes"][1]["newest"]), (&json!(0), &json!(null)));
    });
}
