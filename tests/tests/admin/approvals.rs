//! What waits for people: seen, ended, and the links called in. The requests are an agent's, asked of the real decide function.

use aws_sdk_dynamodb::types::AttributeValue;
use axiru_aws::mail::event::{Return, Returned};
use axiru_domain::{Lane, LogId};
use axiru_in_process::{Enumerator, InProcess, Retries, STATE_TABLE};
use axiru_ledger::entry::Entry;
use serde_json::{Value, json};

use super::office::{
    JO, LIVE, Office, PER_ANA, PER_JO, PER_ROSA, ROSA, chg, key_body, new_agent, next_day, now, run, token,
};
use crate::acting::{acting_as, store_of};

/// Allowed up to 100.00, held for two of finance above.
const POLICIES: &str = r#"
@id("allow") permit(principal, action == Axiru::Action::"refund", resource);
@id("hold-large") @require_approval("finance") @quorum("2")
forbid(principal, action == Axiru::Action::"refund", resource)
when { context.currency == "usd" && context.amount_minor > 10000 };
"#;

/// An enforced plan, its approvers, and an agent's key.
async fn governed(account: InProcess, retries: Retries) -> Office {
    let office = Office::with_rosa(account, retries).await;
    office.connect(axiru_domain::Mode::Live, "acct_1", "enforcing").await;
    office.with_ana().await;
    let jo = json!({"change": chg(0xa0), "person": PER_JO, "emails": ["jo@example.com"], "principals": [JO], "groups": ["finance"]});
    office.done(ROSA, "persons", jo).await;
    let head = json!({"v": 1, "name": "refunds", "description": "For tests.", "kinds": ["refund"], "limits": [
        {"id": "day", "per": "account", "kinds": ["refund"], "currency": "usd", "window": {"rolling": "24h"},
            "max_amount": 1_000_000, "on_exceed": "block"}]});
    office.done(ROSA, "plans", json!({"change": chg(0xa1), "plan": head.to_string(), "policies": POLICIES})).await;
    let enforce = json!({"change": chg(0xa2), "policy_mode": "enforce", "why": "ready"});
    office.done(ROSA, "plans/refunds/mode", enforce).await;
    office.done(ROSA, "keys", key_body(0xa3, &token(1), new_agent())).await;
    office
}

/// The agent asks: the decision's id and status.
async fn asked(office: &Office, key: &str, amount: i64) -> (String, String) {
    let app = axiru_fn_decide::App::new(store_of(&acting_as("DecideRole", &office.account, Retries::Off)), None, now);
    let body = json!({
        "intent": {"kind": "refund", "amount_cents": amount, "currency": "usd", "stripe_connection_id": "acct_1", "charge": format!("ch_{key}")},
        "idempotency_key": key,
    });
    let event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": "/api/v1/decisions", "rawQueryString": "", "body": body.to_string(),
        "headers": {"content-type": "application/json", "authorization": format!("Bearer {}", token(1).expose())},
        "isBase64Encoded": false, "requestContext": {"http": {"method": "POST", "path": "/api/v1/decisions"}},
    });
    let request = lambda_http::request::from_str(&event.to_string()).unwrap();
    let answer = axiru_fn_decide::handle(&app, &request).await;
    let body: Value = serde_json::from_slice(answer.body()).unwrap();
    let word = |name: &str| body[name].as_str().unwrap_or_else(|| panic!("{name}: {body}")).to_owned();
    (word("decision_id"), word("status"))
}

/// A refund of 250.00 that is held, with Ana's approval of two.
async fn held(office: &Office, key: &str) -> String {
    let (id, status) = asked(office, key, 25_000).await;
    assert_eq!(status, "pending");
    let pk = format!("live#acct_1#request#{id}");
    let approval = attribute(office, &pk, "request", "approval").await.unwrap();
    let mut approval: Value = serde_json::from_str(approval.as_s().unwrap()).unwrap();
    approval["v"] = json!([{"p": PER_ANA, "c": "approve", "t": now().millis()}]);
    set(office, &pk, "request", "approval", text(&approval.to_string())).await;
    id
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

async fn set(office: &Office, pk: &str, sk: &str, name: &str, value: AttributeValue) {
    let client = office.account.dynamodb(Retries::On);
    let update = client.update_item().table_name(STATE_TABLE).key("pk", text(pk)).key("sk", text(sk));
    let update = update.update_expression("SET #n = :v").expression_attribute_names("#n", name);
    update.expression_attribute_values(":v", value).send().await.unwrap();
}

/// Mail to an address of a person came back for good.
async fn bounced(office: &Office, person: &str, address: &str) {
    let returned = Returned {
        scope: LIVE.parse().unwrap(),
        person: person.parse().unwrap(),
        request: None,
        kind: Return::BouncePermanent,
        report: "bounce-1".to_owned(),
        addresses: vec![address.to_owned()],
    };
    office.app.store.mail_returned(&returned, now).await.unwrap();
}

async fn attribute(office: &Office, pk: &str, sk: &str, name: &str) -> Option<AttributeValue> {
    let client = office.account.dynamodb(Retries::On);
    let get = client.get_item().table_name(STATE_TABLE).key("pk", text(pk)).key("sk", text(sk));
    get.send().await.unwrap().item?.remove(name)
}

async fn number(office: &Office, pk: &str, sk: &str, name: &str) -> Option<u64> {
    attribute(office, pk, sk, name).await.map(|value| value.as_n().unwrap().parse().unwrap())
}

/// The epoch in a request's approval.
async fn request_epoch(office: &Office, id: &str) -> u64 {
    let approval = attribute(office, &format!("live#acct_1#request#{id}"), "request", "approval").await.unwrap();
    let approval: Value = serde_json::from_str(approval.as_s().unwrap()).unwrap();
    approval["e"].as_u64().unwrap()
}

/// The entries about ended requests, of both lanes.
async fn cancelled(office: &Office) -> Vec<Entry> {
    let mut entries = Vec::new();
    for lane in ["0", "1"] {
        let log = LogId { scope: LIVE.parse().unwrap(), lane: lane.parse::<Lane>().unwrap() };
        entries.extend(office.app.store.entries(&log, 0, 1_000).await.unwrap());
    }
    entries.retain(|entry| entry.ty() == "approval.cancelled");
    entries
}

async fn held_amount(office: &Office) -> Value {
    office.get(LIVE, "limits").await["limits"][0]["held_amount"].clone()
}

fn why(change: u32) -> Value {
    json!({"change": chg(change), "why": "a canary told us"})
}

/// Runs a story on a governed office.
fn story(story: impl AsyncFn(&Office)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async { story(&governed(InProcess::new().unwrap(), Retries::Off).await).await });
}

#[test]
fn what_waits_is_listed_and_shown_with_every_answer() {
    story(async |office| {
        assert_eq!(office.get(LIVE, "approvals").await["approvals"], json!([]));
        let id = held(office, "one").await;
        asked(office, "small", 5_000).await;
        let list = office.get(LIVE, "approvals").await;
        assert_eq!((list["approvals"].as_array().unwrap().len(), &list["more"]), (1, &json!(false)));
        let line = &list["approvals"][0];
        assert_eq!(
            (&line["decision_id"], &line["amount_minor"], &line["currency"]),
            (&json!(id), &json!(25_000), &json!("usd"))
        );
        assert_eq!((&line["actor"], &line["operator"]), (&json!("agent:ag_1"), &json!(PER_ROSA)));
        assert_eq!(line["groups"], json!([{"group": "finance", "quorum": 2, "approved": 1, "able": 2}]));
        assert_eq!(line["until"], json!(next_day().plus_secs(-1).to_string()));
        // Whoever leaves counts no more, neither as one who may answer nor as one who did.
        let leaves = json!({"change": chg(1), "person": PER_ANA, "added": false});
        office.done(ROSA, "groups/finance/members", leaves).await;
        let one = office.get(LIVE, &format!("approvals/{id}")).await;
        assert_eq!(one["groups"], json!([{"group": "finance", "quorum": 2, "approved": 0, "able": 1}]));
        assert_eq!(one["votes"], json!([{"person": PER_ANA, "choice": "approve", "at": now().to_string()}]));
        let asked = json!([{"group": "finance", "person": PER_ANA, "still": false}, {"group": "finance", "person": PER_JO, "still": true}]);
        assert_eq!(
            (&one["asked"], &one["reasons"]),
            (&asked, &json!([{"reason": "refunds policy:hold-large", "says": null}]))
        );
        for (path, code) in [(format!("approvals/dec_{}", "0".repeat(32)), 404), ("approvals/canary".to_owned(), 400)] {
            let (status, answer) = office.ask(Some(ROSA), "GET", &format!("/admin/{LIVE}/{path}"), "").await;
            assert_eq!(status.as_u16(), code, "{answer}");
        }
        let (status, answer) = office.ask(Some(ROSA), "GET", &format!("/admin/live/acct_2/approvals/{id}"), "").await;
        assert_eq!((status.as_u16(), &answer["code"]), (404, &json!("no_such_request")), "another account's");
    });
}

#[test]
fn an_operator_ends_what_waits_and_what_it_held_is_free() {
    story(async |office| {
        let id = held(office, "one").await;
        assert_eq!(held_amount(office).await, 25_000);
        let route = format!("approvals/{id}/cancel");
        assert_eq!(office.refused(ROSA, &route, json!({"change": chg(1), "why": " "})).await.0, 400);
        let done = office.done(ROSA, &route, why(2)).await;
        assert_eq!(done, json!({"changed": true, "decision_id": id, "before": "pending"}));
        assert_eq!(office.done(ROSA, &route, why(2)).await, done, "told again");
        assert_eq!(office.done(ROSA, &route, why(3)).await["changed"], false);
        assert_eq!(held_amount(office).await, 0);
        let entries = cancelled(office).await;
        assert_eq!(entries.len(), 1);
        let fields = entries[0].fields();
        assert_eq!(
            (&fields["request"], &fields["before"], &fields["reason"]),
            (&json!(id), &json!("pending"), &json!("operator"))
        );
        assert!(fields["actor"].as_str().unwrap().starts_with("operator:op_"));
        let lane = attribute(office, &format!("live#acct_1#request#{id}"), "request", "lane").await.unwrap();
        assert_eq!(*lane.as_s().unwrap(), entries[0].log().lane.to_string(), "in the request's own lane");
        assert!(!String::from_utf8_lossy(entries[0].bytes()).contains("canary"));
        assert_eq!(office.account.dump().unwrap().find("a canary told us").len(), 1, "the words stand beside");
        assert_eq!(office.get(LIVE, "approvals").await["approvals"], json!([]));
        assert_eq!(office.get(LIVE, &format!("approvals/{id}")).await["failure"], "operator");
        assert_eq!(asked(office, "one", 25_000).await, (id, "cancelled".to_owned()), "the same call is told");
        // What people have approved and what has not begun is ended too; what needs nobody is not.
        let two = held(office, "two").await;
        set(office, &format!("live#acct_1#request#{two}"), "request", "status", text("approved")).await;
        assert_eq!(office.done(ROSA, &format!("approvals/{two}/cancel"), why(4)).await["before"], "approved");
        let (small, _) = asked(office, "small", 5_000).await;
        let (status, code, detail) = office.refused(ROSA, &format!("approvals/{small}/cancel"), why(5)).await;
        assert_eq!((status, code.as_str()), (409, "not_waiting"));
        assert!(detail.contains("is allowed"), "{detail}");
        let nothing = format!("approvals/dec_{}/cancel", "0".repeat(32));
        assert_eq!(office.refused(ROSA, &nothing, why(6)).await.1, "no_such_request");
        let (status, answer) = office.post(ROSA, "live/acct_2", &format!("approvals/{small}/cancel"), &why(7)).await;
        assert_eq!((status.as_u16(), &answer["code"]), (404, &json!("no_such_request")));
    });
}

#[test]
fn whatever_fails_a_request_is_ended_once() {
    let set_up = async |account: InProcess, retries: Retries| {
        let office = governed(account, retries).await;
        let id = held(&office, "one").await;
        office.account.clear_calls();
        (office, id)
    };
    let cancel = async |(office, id): &(Office, String)| {
        let (status, answer) = office.post(ROSA, LIVE, &format!("approvals/{id}/cancel"), &why(1)).await;
        if status.is_success() && answer["changed"] == true { Ok(()) } else { Err(format!("{status}: {answer}")) }
    };
    let check = async |(office, _): &(Office, String)| {
        let (entries, held) = (cancelled(office).await.len(), held_amount(office).await);
        if entries == 1 && held == 0 { Ok(()) } else { Err(format!("{entries} entries, {held} held")) }
    };
    let report = Enumerator::new("admin: approval cancel").second_faults(11).run(set_up, cancel, cancel, check);
    report.unwrap_or_else(|violation| panic!("{violation}"));
}

#[test]
fn links_are_called_in_at_every_width() {
    story(async |office| {
        let id = held(office, "one").await;
        let body = |change: u32, more: Value| {
            let mut body = why(change);
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        // Of a request.
        let first = office.done(ROSA, "links/revoke", body(1, json!({"request": id}))).await;
        assert_eq!((&first["changed"], &first["request"]), (&json!(true), &json!(id)));
        assert_eq!(office.done(ROSA, "links/revoke", body(1, json!({"request": id}))).await, first, "told again");
        assert_eq!(request_epoch(office, &id).await, 1);
        office.done(ROSA, "links/revoke", body(2, json!({"request": id}))).await;
        assert_eq!(request_epoch(office, &id).await, 2);
        // Of a person, who keeps it whatever else of them changes.
        let epoch = async || number(office, "live#acct_1#persons", PER_JO, "link_epoch").await.unwrap();
        let before = epoch().await;
        office.done(ROSA, "links/revoke", body(3, json!({"person": PER_JO}))).await;
        assert_eq!(epoch().await, before + 1);
        bounced(office, PER_JO, "jo@example.com").await;
        let alias = json!({"change": chg(4), "added": true, "email": "jo@example.org"});
        office.done(ROSA, &format!("persons/{PER_JO}/aliases"), alias).await;
        assert_eq!(epoch().await, before + 1, "an alias wakes no link");
        let groups = office.get(LIVE, "groups").await["groups"].clone();
        let jo = groups[0]["members"].as_array().unwrap().iter().find(|member| member["person"] == PER_JO).unwrap();
        assert_eq!(jo["mail"], "bounced", "nor does it hide that mail comes back");
        // Of the scope.
        let scope = LIVE.parse().unwrap();
        for epoch in 1..=2 {
            office.done(ROSA, "links/revoke", body(4 + epoch, json!({"all": true}))).await;
            assert_eq!(office.app.store.scope_link_epoch(&scope).await.unwrap(), u64::from(epoch));
        }
        assert_eq!(office.app.store.scope_link_epoch(&"live/acct_2".parse().unwrap()).await.unwrap(), 0);
        // One link, of this account only.
        let (own, other) = ("0".repeat(32), "1".repeat(32));
        set(office, &format!("live#link#{own}"), "link", "account", text("acct_1")).await;
        set(office, &format!("live#link#{other}"), "link", "account", text("acct_2")).await;
        assert_eq!(office.done(ROSA, "links/revoke", body(7, json!({"link": own}))).await["changed"], true);
        assert_eq!(office.done(ROSA, "links/revoke", body(8, json!({"link": own}))).await["changed"], false);
        let revoked = attribute(office, &format!("live#link#{own}"), "link", "revoked").await;
        assert_eq!(revoked, Some(AttributeValue::Bool(true)));
        for strange in [other.clone(), "2".repeat(32)] {
            assert_eq!(office.refused(ROSA, "links/revoke", body(9, json!({"link": strange}))).await.1, "no_such_link");
        }
        assert_eq!(attribute(office, &format!("live#link#{other}"), "link", "revoked").await, None);
        let revoked: Vec<Entry> =
            office.entries(LIVE).await.into_iter().filter(|entry| entry.ty() == "links.revoked").collect();
        let told = |at: usize, name: &str| revoked[at].fields()[name].clone();
        assert_eq!(revoked.len(), 6);
        assert_eq!((told(0, "request"), told(0, "person"), told(0, "link")), (json!(id), json!(null), json!(null)));
        assert_eq!((told(2, "person"), told(5, "link")), (json!(PER_JO), json!(own)));
        assert!(revoked.iter().all(|entry| !String::from_utf8_lossy(entry.bytes()).contains("canary")));
    });
}

#[test]
fn links_that_are_nobodys_are_refused_and_a_whole_link_is_not_repeated() {
    story(async |office| {
        let (small, _) = asked(office, "small", 5_000).await;
        let whole = "canaryAB".repeat(8);
        for (i, (more, status, code)) in [
            (json!({}), 400, "request_refused"),
            (json!({"all": false}), 400, "request_refused"),
            (json!({"all": true, "person": PER_JO}), 400, "request_refused"),
            (json!({"link": whole}), 400, "request_refused"),
            (json!({"request": "canary"}), 400, "request_refused"),
            (json!({"person": "canary"}), 400, "request_refused"),
            (json!({"person": "per_nobodynobodynob1"}), 404, "no_such_person"),
            (json!({"request": format!("dec_{}", "0".repeat(32))}), 404, "no_such_request"),
            (json!({"request": small}), 409, "not_waiting"),
        ]
        .into_iter()
        .enumerate()
        {
            let mut body = json!({"change": chg(10 + u32::try_from(i).unwrap()), "why": "x"});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let (is, word, detail) = office.refused(ROSA, "links/revoke", body).await;
            assert_eq!((is, word.as_str()), (status, code), "{more}: {detail}");
            assert!(!detail.contains("canary"), "{detail}");
        }
        let without = json!({"change": chg(1), "why": "", "all": true});
        assert_eq!(office.refused(ROSA, "links/revoke", without).await.0, 400);
    });
}

#[test]
fn who_comes_back_begins_behind_every_link_of_before() {
    run(async |office| {
        let jo = |change: u32| json!({"change": chg(change), "person": PER_JO, "emails": ["jo@example.com"]});
        office.done(ROSA, "persons", jo(1)).await;
        let epoch = async || number(office, "live#acct_1#persons", PER_JO, "link_epoch").await.unwrap();
        assert_eq!(epoch().await, u64::try_from(now().secs()).unwrap(), "the moment at which they came");
        office.done(ROSA, "links/revoke", json!({"change": chg(2), "person": PER_JO, "why": "x"})).await;
        assert_eq!(epoch().await, u64::try_from(now().secs()).unwrap() + 1);
    });
}

#[test]
fn the_status_tells_who_approves_what_waits_and_what_is_stopped() {
    story(async |office| {
        let quiet = office.get(LIVE, "status").await;
        assert_eq!((&quiet["warnings"], &quiet["stopped"], &quiet["mail"]), (&json!([]), &json!([]), &json!(true)));
        assert_eq!(quiet["groups"], json!([{"group": "finance", "members": 2, "quorum": null}]));
        assert_eq!(quiet["waiting"], json!({"count": 0, "more": false, "oldest": null, "ends_first": null}));
        held(office, "one").await;
        held(office, "two").await;
        let leaves = json!({"change": chg(1), "person": PER_ANA, "added": false});
        office.done(ROSA, "groups/finance/members", leaves).await;
        office.done(ROSA, "switch", json!({"change": chg(2), "stopped": true, "why": "x"})).await;
        let agent = json!({"change": chg(3), "actor": "agent:ag_1", "stopped": true, "why": "x"});
        office.done(ROSA, "switch", agent).await;
        let status = office.get(LIVE, "status").await;
        assert_eq!((&status["waiting"]["count"], &status["waiting"]["oldest"]), (&json!(2), &json!(now().to_string())));
        assert_eq!(status["waiting"]["ends_first"], json!(next_day().plus_secs(-1).to_string()));
        let since = now().to_string();
        assert_eq!(status["stopped"], json!([{"of": "scope", "since": since}, {"of": "agent:ag_1", "since": since}]));
        let warnings = status["warnings"].as_array().unwrap();
        assert_eq!(warnings.len(), 1, "{status}");
        let text = warnings[0]["text"].as_str().unwrap();
        assert!(
            text.contains("refunds") && text.contains("`hold-large` asks for 2 of `finance`, which has 1 member"),
            "{text}"
        );
        assert!(warnings[0]["advice"].as_str().unwrap().contains("axiru approver add <person> --group finance"));
        assert_eq!(office.get("live/acct_2", "status").await["stopped"], json!([]));
    });
}
