//! Persons and what they are known by.

use serde_json::json;

use super::office::{JO, LIVE, PER_JO, PER_ROSA, ROSA, chg, key_body, new_agent, run, token};

#[test]
fn a_person_is_added_once_listed_and_erased() {
    run(async |office| {
        let body = json!({
            "change": chg(1), "person": PER_JO, "emails": ["Jo.Canary@Example.com"], "principals": [JO], "groups": ["finance"],
        });
        let answer = office.done(ROSA, "persons", body.clone()).await;
        assert_eq!(answer, office.done(ROSA, "persons", body.clone()).await, "asked again, told again");
        assert_eq!(office.types(LIVE).await, ["person.added", "person.added"]);
        let shown = office.get(LIVE, "persons").await;
        let jo = shown["persons"].as_array().unwrap().iter().find(|person| person["person"] == PER_JO).unwrap();
        assert_eq!((&jo["emails"], &jo["groups"]), (&json!(["jo.canary@example.com"]), &json!(["finance"])));
        let entries = office.entries(LIVE).await;
        let fields = entries[1].fields();
        assert_eq!((&fields["addresses"], &fields["groups"]), (&json!(1), &json!(["finance"])));
        assert!(fields["principals"][0].as_str().unwrap().starts_with("op_"), "an ARN is no word for an entry");
        assert!(!office.account.dump().unwrap().find("jo.canary").is_empty(), "the search works");
        office.done(ROSA, &format!("persons/{PER_JO}/remove"), json!({"change": chg(2)})).await;
        assert_eq!(office.types(LIVE).await.last().map(String::as_str), Some("person.removed"));
        let dump = office.account.dump().unwrap();
        assert_eq!(dump.find("jo.canary"), Vec::<&str>::new());
        assert_eq!(dump.find("assumed-role/ops/jo"), Vec::<&str>::new(), "Jo never called: nothing else knows the ARN");
        // What was erased is free again.
        let again = json!({"change": chg(3), "person": PER_JO, "emails": ["jo.canary@example.com"]});
        office.done(ROSA, "persons", again).await;
    });
}

#[test]
fn an_alias_belongs_to_one_person() {
    run(async |office| {
        let person =
            |change: u32, id: &str, email: &str| json!({"change": chg(change), "person": id, "emails": [email]});
        office.done(ROSA, "persons", person(1, PER_JO, "jo@example.com")).await;
        let other = "per_otherotherothero";
        for (i, same) in ["jo@example.com", "JO@EXAMPLE.COM", "Jo@Example.com"].into_iter().enumerate() {
            let refused = office.refused(ROSA, "persons", person(10 + u32::try_from(i).unwrap(), other, same)).await;
            assert_eq!((refused.0, refused.1.as_str()), (409, "alias_taken"));
            assert!(refused.2.contains(PER_JO) && !refused.2.to_lowercase().contains("example.com"), "{}", refused.2);
        }
        // Two sessions that differ in case are one alias: no second person hides behind a capital letter.
        let capital = ROSA.replace("rosa", "Rosa");
        let body = json!({"change": chg(20), "person": other, "principals": [capital]});
        assert_eq!(office.refused(ROSA, "persons", body).await.1, "alias_taken");
        // And what differs in case only is nobody who may make keys.
        let key = key_body(21, &token(1), new_agent());
        assert_eq!(office.refused(&capital, "keys", key).await.1, "caller_is_no_person");
        office.done(ROSA, "persons", person(30, other, "jo+pay@example.com")).await;
    });
}

#[test]
fn aliases_come_and_go_and_one_stays() {
    run(async |office| {
        let route = format!("persons/{PER_ROSA}/aliases");
        let change =
            |number: u32, added: bool, email: &str| json!({"change": chg(number), "added": added, "email": email});
        assert_eq!(office.done(ROSA, &route, change(1, true, "rosa@example.com")).await["changed"], true);
        assert_eq!(office.done(ROSA, &route, change(2, true, "ROSA@example.com")).await["changed"], false);
        assert_eq!(office.done(ROSA, &route, change(3, false, "rosa@example.com")).await["changed"], true);
        assert_eq!(office.done(ROSA, &route, change(4, false, "rosa@example.com")).await["changed"], false);
        assert_eq!(office.types(LIVE).await, ["person.added", "person.alias_changed", "person.alias_changed"]);
        let entries = office.entries(LIVE).await;
        assert_eq!((&entries[1].fields()["alias"], &entries[1].fields()["addresses"]), (&json!("address"), &json!(1)));
        let last = json!({"change": chg(5), "added": false, "principal": ROSA});
        assert_eq!(office.refused(ROSA, &route, last).await.1, "last_alias");
        let nobody = "persons/per_nobodynobodynob1/aliases";
        assert_eq!(office.refused(ROSA, nobody, change(6, true, "x@example.com")).await.1, "no_such_person");
    });
}

#[test]
fn who_answers_for_a_live_key_stays() {
    run(async |office| {
        office.done(ROSA, "keys", key_body(1, &token(1), new_agent())).await;
        let remove = format!("persons/{PER_ROSA}/remove");
        let refused = office.refused(ROSA, &remove, json!({"change": chg(2)})).await;
        assert_eq!((refused.0, refused.1.as_str()), (409, "person_operates_keys"));
        assert!(refused.2.contains(token(1).id().as_str()), "{}", refused.2);
        office.done(ROSA, &format!("keys/{}/revoke", token(1).id()), json!({"change": chg(3)})).await;
        office.done(ROSA, &remove, json!({"change": chg(4)})).await;
    });
}

#[test]
fn bad_persons_are_refused_and_nothing_they_said_is_repeated() {
    run(async |office| {
        let many: Vec<String> = (0..11).map(|i| format!("a{i}@example.com")).collect();
        for (i, body) in [
            json!({"person": PER_JO}),
            json!({"person": "canary", "emails": ["jo@example.com"]}),
            json!({"person": PER_JO, "emails": ["canary"]}),
            json!({"person": PER_JO, "emails": ["canary@b\u{fc}cher.example"]}),
            json!({"person": PER_JO, "emails": ["c\u{430}nary@example.com"]}),
            json!({"person": PER_JO, "emails": many}),
            json!({"person": PER_JO, "emails": "canary@example.com"}),
            json!({"person": PER_JO, "principals": ["arn:aws:iam::111122223333:role/canary"]}),
            json!({"person": PER_JO, "principals": ["canary"]}),
            json!({"person": PER_JO, "emails": ["jo@example.com"], "groups": ["Canary Group"]}),
            json!({"person": PER_JO, "emails": ["jo@example.com"], "canary": true}),
            json!({"person": PER_JO, "emails": ["jo@example.com"], "change": "canary"}),
        ]
        .into_iter()
        .enumerate()
        {
            let mut body = body;
            let change = body.get("change").cloned().unwrap_or_else(|| json!(chg(100 + u32::try_from(i).unwrap())));
            body["change"] = change;
            let (status, code, detail) = office.refused(ROSA, "persons", body.clone()).await;
            assert_eq!(status, 400, "{code} {body}");
            assert!(!detail.to_lowercase().contains("canary"), "{detail}");
        }
        let twice = json!({"change": chg(1), "person": PER_ROSA, "emails": ["rosa@example.com"]});
        assert_eq!(office.refused(ROSA, "persons", twice).await.1, "person_exists");
    });
}
