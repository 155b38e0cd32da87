//! Groups: who is in them, and what they do where a plan does not say.

use axiru_domain::PersonId;
use serde_json::{Value, json};

use super::office::{JO, LIVE, Office, PER_JO, PER_ROSA, ROSA, chg, run};

/// A member is added or taken out.
fn member(change: u32, person: &str, added: bool) -> Value {
    json!({"change": chg(change), "person": person, "added": added})
}

/// Jo, with this address.
async fn with_jo(office: &Office) {
    let jo = json!({"change": chg(0xa0), "person": PER_JO, "emails": ["jo.canary@example.com"], "principals": [JO]});
    office.done(ROSA, "persons", jo).await;
}

async fn members(office: &Office, group: &str) -> Vec<String> {
    let group = office.app.store.group(&LIVE.parse().unwrap(), group).await.unwrap();
    group.members.iter().map(ToString::to_string).collect()
}

#[test]
fn a_member_comes_and_goes_and_the_ledger_knows_ids_only() {
    run(async |office| {
        with_jo(office).await;
        let added = office.done(ROSA, "groups/finance/members", member(1, PER_JO, true)).await;
        assert_eq!((&added["changed"], &added["persons"]), (&json!(true), &json!([PER_JO])));
        assert_eq!(added, office.done(ROSA, "groups/finance/members", member(1, PER_JO, true)).await, "told again");
        assert_eq!(office.done(ROSA, "groups/finance/members", member(2, PER_JO, true)).await["changed"], false);
        let shown = office.get(LIVE, "groups").await;
        assert_eq!(
            shown["groups"],
            json!([{"group": "finance", "quorum": null, "expires_secs": null,
                "members": [{"person": PER_JO, "emails": ["jo.canary@example.com"], "mail": null}]}])
        );
        let persons = office.get(LIVE, "persons").await;
        let jo = persons["persons"].as_array().unwrap().iter().find(|person| person["person"] == PER_JO).unwrap();
        assert_eq!(jo["groups"], json!(["finance"]));
        assert_eq!(office.done(ROSA, "groups/finance/members", member(3, PER_JO, false)).await["persons"], json!([]));
        assert_eq!(office.done(ROSA, "groups/finance/members", member(4, PER_JO, false)).await["changed"], false);
        assert_eq!(members(office, "finance").await, Vec::<String>::new());
        assert_eq!(office.types(LIVE).await[2..], ["group.changed", "group.changed"].map(str::to_owned));
        let entries = office.entries(LIVE).await;
        assert_eq!(entries[2].fields()["persons"], json!([PER_JO]));
        assert_eq!(entries[3].fields()["persons"], json!([]));
        assert!(entries.iter().all(|entry| !String::from_utf8_lossy(entry.bytes()).contains("canary")));
    });
}

#[test]
fn who_cannot_be_asked_is_no_member() {
    run(async |office| {
        // Rosa has an AWS identity and no address.
        let (status, code, detail) = office.refused(ROSA, "groups/finance/members", member(1, PER_ROSA, true)).await;
        assert_eq!((status, code.as_str()), (409, "no_address"));
        assert!(detail.contains(&format!("axiru person alias {PER_ROSA} --scope {LIVE} --add-email")), "{detail}");
        let body = json!({"change": chg(2), "person": PER_JO, "principals": [JO], "groups": ["finance"]});
        assert_eq!(office.refused(ROSA, "persons", body).await.0, 400);
        assert_eq!(office.refused(ROSA, "groups/finance/members", member(3, PER_JO, true)).await.1, "no_such_person");
        // A group that nobody was ever in cannot be left, nor told what to do: it may be a slip of the pen.
        let (status, code, detail) = office.refused(ROSA, "groups/finanec/members", member(4, PER_ROSA, false)).await;
        assert_eq!((status, code.as_str()), (404, "no_such_group"));
        assert!(detail.contains("axiru approver list"), "{detail}");
        let body = json!({"change": chg(5), "quorum": 2});
        assert_eq!(office.refused(ROSA, "groups/finanec", body).await.1, "no_such_group");
        for name in ["Finance", "fin_ance", "f%20", &"f".repeat(65)] {
            let refused = office.refused(ROSA, &format!("groups/{name}/members"), member(6, PER_ROSA, true)).await;
            assert_eq!((refused.0, refused.1.as_str()), (400, "group"), "{name}");
        }
    });
}

#[test]
fn an_approver_keeps_an_address() {
    run(async |office| {
        with_jo(office).await;
        office.done(ROSA, "groups/finance/members", member(1, PER_JO, true)).await;
        let route = format!("persons/{PER_JO}/aliases");
        let alias =
            |change: u32, added: bool, email: &str| json!({"change": chg(change), "added": added, "email": email});
        let (status, code, detail) = office.refused(ROSA, &route, alias(2, false, "jo.canary@example.com")).await;
        assert_eq!((status, code.as_str()), (409, "last_address"));
        let told = format!("axiru approver remove {PER_JO} --group finance --scope {LIVE}");
        assert!(detail.contains(&told) && !detail.contains("canary"), "{detail}");
        // Another address makes the first one free to go; so does leaving.
        office.done(ROSA, &route, alias(3, true, "jo@example.com")).await;
        office.done(ROSA, &route, alias(4, false, "jo.canary@example.com")).await;
        office.done(ROSA, "groups/finance/members", member(5, PER_JO, false)).await;
        office.done(ROSA, &route, alias(6, false, "jo@example.com")).await;
    });
}

#[test]
fn groups_given_when_a_person_is_added_are_the_same_groups_and_removal_leaves_all() {
    run(async |office| {
        let jo =
            json!({"change": chg(1), "person": PER_JO, "emails": ["jo@example.com"], "groups": ["finance", "legal"]});
        office.done(ROSA, "persons", jo.clone()).await;
        assert_eq!(office.types(LIVE).await, ["person.added", "person.added"]);
        for group in ["finance", "legal"] {
            assert_eq!(members(office, group).await, [PER_JO]);
        }
        office.done(ROSA, &format!("persons/{PER_JO}/remove"), json!({"change": chg(2)})).await;
        for group in ["finance", "legal"] {
            assert_eq!(members(office, group).await, Vec::<String>::new());
        }
        // Whoever comes back is in no group, and behind every link of before.
        let again = json!({"change": chg(3), "person": PER_JO, "emails": ["jo@example.com"]});
        office.done(ROSA, "persons", again).await;
        assert_eq!(members(office, "finance").await, Vec::<String>::new());
    });
}

#[test]
fn what_a_group_does_where_a_plan_does_not_say() {
    run(async |office| {
        with_jo(office).await;
        office.done(ROSA, "groups/finance/members", member(1, PER_JO, true)).await;
        let set = |change: u32, more: Value| {
            let mut body = json!({"change": chg(change)});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        let both = office.done(ROSA, "groups/finance", set(2, json!({"quorum": 2, "expires_secs": 28_800}))).await;
        assert_eq!((&both["quorum"], &both["expires_secs"]), (&json!(2), &json!(28_800)));
        assert_eq!(office.done(ROSA, "groups/finance", set(3, json!({"quorum": 2}))).await["changed"], false);
        // What is left out stays, null clears.
        let cleared = office.done(ROSA, "groups/finance", set(4, json!({"quorum": null}))).await;
        assert_eq!((&cleared["quorum"], &cleared["expires_secs"]), (&json!(null), &json!(28_800)));
        let entries = office.entries(LIVE).await;
        let last = entries.last().unwrap().fields();
        assert_eq!((&last["quorum"], &last["expires_secs"]), (&json!(null), &json!(28_800)));
        assert_eq!(last["persons"], json!([PER_JO]), "settings leave the members alone");
        for (i, bad) in [
            json!({}),
            json!({"quorum": 0}),
            json!({"quorum": 11}),
            json!({"quorum": -1}),
            json!({"quorum": 1.5}),
            json!({"quorum": "canary"}),
            json!({"expires_secs": 4}),
            json!({"expires_secs": 30 * 86_400 + 1}),
            json!({"quorum": 1, "canary": 1}),
        ]
        .into_iter()
        .enumerate()
        {
            let body = set(10 + u32::try_from(i).unwrap(), bad.clone());
            let (status, _, detail) = office.refused(ROSA, "groups/finance", body).await;
            assert!(status == 400 && !detail.contains("canary"), "{bad}: {detail}");
        }
        office.done(ROSA, "groups/finance", set(20, json!({"quorum": 10, "expires_secs": 5}))).await;
        office.done(ROSA, "groups/finance", set(21, json!({"expires_secs": 30 * 86_400}))).await;
    });
}

#[test]
fn a_group_has_fifty_members_and_a_scope_fifty_groups() {
    run(async |office| {
        let id = |number: u32| format!("per_{number:016}").parse::<PersonId>().unwrap();
        for number in 0..50 {
            let mut body = json!({"change": chg(100 + number), "person": id(number), "emails": [format!("a{number}@example.com")]});
            body["groups"] = json!(["finance", format!("team-{number}")]);
            let (status, answer) = office.post(ROSA, LIVE, "persons", &body).await;
            // The fiftieth would be the fifty-first group.
            assert_eq!(status.is_success(), number < 49, "{number}: {answer}");
        }
        let body = |change: u32, number: u32, group: &str| json!({"change": chg(change), "person": id(number), "emails": [format!("a{number}@example.com")], "groups": [group]});
        office.done(ROSA, "persons", body(200, 49, "finance")).await;
        assert_eq!(office.refused(ROSA, "persons", body(201, 50, "finance")).await.1, "group_full");
        assert_eq!(
            office.refused(ROSA, "groups/other/members", member(202, id(1).as_str(), true)).await.1,
            "too_many_groups"
        );
        assert_eq!(office.refused(ROSA, "groups/finance/members", member(203, PER_ROSA, true)).await.1, "no_address");
    });
}
