//! Every act, with every fault at every call to AWS: asked again with the same change id, it is done once.

use axiru_domain::Mode;
use axiru_in_process::{Enumerator, InProcess, Retries};
use serde_json::{Value, json};

use super::office::{JO, LIVE, Office, PER_ANA, PER_JO, PER_ROSA, ROSA, chg, key_body, new_agent, push_body, token};

/// One act: what is there before, the request, and the entries that must be there afterwards, in number and last type.
struct Story {
    name: &'static str,
    before: fn() -> Vec<(&'static str, Value)>,
    route: String,
    body: Value,
    last: &'static str,
}

/// Jo.
fn jo() -> Value {
    json!({"change": chg(1), "person": PER_JO, "emails": ["jo@example.com"], "principals": [JO]})
}

/// Jo, in two groups.
fn in_groups() -> Value {
    json!({"change": chg(1), "person": PER_JO, "emails": ["jo@example.com"], "groups": ["finance", "legal"]})
}

/// Somebody whom the starter plans can ask.
fn ana() -> Value {
    json!({"change": chg(9), "person": PER_ANA, "emails": ["ana@example.com"], "groups": ["finance"]})
}

fn stories() -> Vec<Story> {
    vec![
        Story { name: "person add", before: Vec::new, route: "persons".into(), body: jo(), last: "person.added" },
        Story {
            name: "person remove",
            before: || vec![("persons", jo())],
            route: format!("persons/{PER_JO}/remove"),
            body: json!({"change": chg(2)}),
            last: "person.removed",
        },
        Story {
            name: "person with groups add",
            before: Vec::new,
            route: "persons".into(),
            body: in_groups(),
            last: "person.added",
        },
        Story {
            name: "person with groups remove",
            before: || vec![("persons", in_groups())],
            route: format!("persons/{PER_JO}/remove"),
            body: json!({"change": chg(2)}),
            last: "person.removed",
        },
        Story {
            name: "approver add",
            before: || vec![("persons", jo())],
            route: "groups/finance/members".into(),
            body: json!({"change": chg(2), "person": PER_JO, "added": true}),
            last: "group.changed",
        },
        Story {
            name: "approver remove",
            before: || vec![("persons", in_groups())],
            route: "groups/finance/members".into(),
            body: json!({"change": chg(2), "person": PER_JO, "added": false}),
            last: "group.changed",
        },
        Story {
            name: "approver group",
            before: || vec![("persons", in_groups())],
            route: "groups/finance".into(),
            body: json!({"change": chg(2), "quorum": 2, "expires_secs": null}),
            last: "group.changed",
        },
        Story {
            name: "person alias",
            before: Vec::new,
            route: format!("persons/{PER_ROSA}/aliases"),
            body: json!({"change": chg(2), "added": true, "email": "rosa@example.com"}),
            last: "person.alias_changed",
        },
        Story {
            name: "key create",
            before: Vec::new,
            route: "keys".into(),
            body: key_body(2, &token(1), new_agent()),
            last: "key.created",
        },
        Story {
            name: "key rotate",
            before: || vec![("keys", key_body(1, &token(1), new_agent()))],
            route: "keys".into(),
            body: key_body(2, &token(2), json!({"replaces": token(1).id(), "overlap_secs": 60})),
            last: "key.created",
        },
        Story {
            name: "key revoke",
            before: || vec![("keys", key_body(1, &token(1), new_agent()))],
            route: format!("keys/{}/revoke", token(1).id()),
            body: json!({"change": chg(2)}),
            last: "key.revoked",
        },
        Story {
            name: "plan push",
            before: || vec![("persons", ana()), ("plans", push_body(1, "refunds", "20000", "19000"))],
            route: "plans".into(),
            body: push_body(2, "refunds", "", ""),
            last: "plan.pushed",
        },
        Story {
            name: "plan mode",
            before: || vec![("persons", ana()), ("plans", push_body(1, "refunds", "", ""))],
            route: "plans/refunds-starter/mode".into(),
            body: json!({"change": chg(2), "policy_mode": "enforce", "why": "ready"}),
            last: "plan.mode_changed",
        },
        Story {
            name: "account review",
            before: Vec::new,
            route: "review".into(),
            body: json!({"change": chg(2), "connected": "acct_9", "under_review": true, "why": "ready"}),
            last: "account.review_changed",
        },
        Story {
            name: "links of a person",
            before: || vec![("persons", jo())],
            route: "links/revoke".into(),
            body: json!({"change": chg(2), "person": PER_JO, "why": "laptop stolen"}),
            last: "links.revoked",
        },
        Story {
            name: "all links",
            before: Vec::new,
            route: "links/revoke".into(),
            body: json!({"change": chg(2), "all": true, "why": "mail server broken into"}),
            last: "links.revoked",
        },
        Story {
            name: "stop",
            before: Vec::new,
            route: "switch".into(),
            body: json!({"change": chg(2), "stopped": true, "why": "looking into it"}),
            last: "switch.changed",
        },
        Story {
            name: "disconnect",
            before: Vec::new,
            route: "disconnect".into(),
            body: json!({"change": chg(2), "why": "the trial is over"}),
            last: "connection.disconnected",
        },
        Story {
            name: "stop everything",
            before: Vec::new,
            route: "switch".into(),
            body: json!({"change": chg(2), "everything": true, "stopped": true, "why": "looking into it"}),
            last: "switch.changed",
        },
        Story {
            name: "ask for a start",
            before: || {
                vec![
                    ("persons", jo()),
                    ("switch", json!({"change": chg(3), "stopped": true, "why": "looking into it"})),
                ]
            },
            route: "switch".into(),
            body: json!({"change": chg(2), "stopped": false, "why": "repaired"}),
            last: "switch.start_asked",
        },
        Story {
            name: "start an actor",
            before: || {
                let stop = json!({"change": chg(3), "actor": "agent:ag_1", "stopped": true, "why": "looking into it"});
                vec![("keys", key_body(1, &token(1), new_agent())), ("switch", stop)]
            },
            route: "switch".into(),
            body: json!({"change": chg(2), "actor": "agent:ag_1", "stopped": false, "why": "repaired"}),
            last: "switch.changed",
        },
    ]
}

#[test]
fn whatever_fails_an_act_is_done_once() {
    for story in stories() {
        let Story { name, before, route, body, last } = &story;
        let set_up = async |account: InProcess, retries: Retries| {
            let office = Office::with_rosa(account, retries).await;
            office.connect(Mode::Live, "acct_1", "enforcing").await;
            for (route, body) in before() {
                office.done(ROSA, route, body).await;
            }
            office.account.clear_calls();
            office
        };
        let ask = async |office: &Office| {
            let (status, answer) = office.post(ROSA, LIVE, route, body).await;
            if status.is_success() && answer["changed"] == true { Ok(()) } else { Err(format!("{status}: {answer}")) }
        };
        let check = async |office: &Office| {
            let types = office.types(LIVE).await;
            let expected = 2 + before().len();
            if types.len() == expected && types.last().map(String::as_str) == Some(*last) {
                Ok(())
            } else {
                Err(format!("{types:?}"))
            }
        };
        let report = Enumerator::new(&format!("admin: {name}")).second_faults(11).run(set_up, ask, ask, check);
        report.unwrap_or_else(|violation| panic!("{violation}"));
    }
}

#[test]
fn whatever_fails_a_refused_permission_is_told_once() {
    let set_up = async |account: InProcess, retries: Retries| {
        let office = Office::with_rosa(account, retries).await;
        office.connect(Mode::Live, "acct_1", "enforcing").await;
        office
    };
    let refused = async |office: &Office| {
        office.app.store.permission_refused(&LIVE.parse().unwrap(), office.app.now).await.map(drop)
    };
    let check = async |office: &Office| {
        let types = office.types(LIVE).await;
        if types == ["person.added", "connection.permissions_changed"] { Ok(()) } else { Err(format!("{types:?}")) }
    };
    let report = Enumerator::new("admin: permission refused").second_faults(5).run(set_up, refused, refused, check);
    report.unwrap_or_else(|violation| panic!("{violation}"));
}
