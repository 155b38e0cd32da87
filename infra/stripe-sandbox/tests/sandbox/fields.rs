//! Every object the sandbox renders has exactly the fields and types of our own list.

use std::collections::BTreeMap;
use std::fs;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::bench::{Bench, MERCHANT, TEST_DEVELOPER, id};

#[derive(Deserialize)]
struct FieldList {
    object: String,
    fields: BTreeMap<String, String>,
}

/// `string or null, optional` -> the types, and whether the field may be missing.
fn rule(text: &str) -> (Vec<&str>, bool) {
    let (types, optional) = text.strip_suffix(", optional").map_or((text, false), |types| (types, true));
    (types.split(" or ").collect(), optional)
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

impl FieldList {
    fn load(name: &str) -> Self {
        // Read when it runs: a binary that another clone built must read this clone's files.
        let room = std::env::var("CARGO_MANIFEST_DIR").expect("cargo runs the tests");
        let path = format!("{room}/../../tests/fixtures/stripe-fields/{name}.json");
        serde_json::from_str(&fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))).unwrap()
    }

    fn compare(&self, object: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        self.members(object.as_object().unwrap(), "", &mut faults);
        faults
    }

    fn members(&self, members: &Map<String, Value>, prefix: &str, faults: &mut Vec<String>) {
        for (name, value) in members {
            self.value(value, &format!("{prefix}{name}"), faults);
        }
        let below = |path: &&String| path.strip_prefix(prefix).is_some_and(|rest| !rest.contains(['.', '[']));
        for path in self.fields.keys().filter(below) {
            if !rule(&self.fields[path]).1 && !members.contains_key(&path[prefix.len()..]) {
                faults.push(format!("{path} is missing"));
            }
        }
    }

    fn value(&self, value: &Value, path: &str, faults: &mut Vec<String>) {
        let Some(text) = self.fields.get(path) else {
            faults.push(format!("{path} is not in the list"));
            return;
        };
        let (types, _) = rule(text);
        match value {
            Value::Object(_) if types.contains(&"map") => {}
            _ if !types.contains(&type_of(value)) => faults.push(format!("{path} is {}, not {text}", type_of(value))),
            Value::Object(members) => self.members(members, &format!("{path}."), faults),
            Value::Array(items) => {
                for item in items {
                    match item {
                        Value::Object(members) => self.members(members, &format!("{path}[]."), faults),
                        other => self.value(other, &format!("{path}[]"), faults),
                    }
                }
            }
            _ => {}
        }
    }
}

/// A sandbox in which every object exists in several states.
fn furnished() -> Bench {
    let bench = Bench::new();
    let charge = bench.dashboard(
        "charges",
        json!({"amount": 5000, "receipt_email": "a@example.com", "customer": "cus_1", "shipping": {"name": "A"},
               "billing_details": {"name": "A"}, "card": {"last4": "0002"}, "metadata": {"k": "v"}}),
    );
    let charge = id(&charge);
    let failed = id(&bench.dashboard("refunds", json!({"charge": charge, "amount": 1})));
    bench.dashboard(&format!("refunds/{failed}/status"), json!({"status": "failed"}));
    let card = json!({"reference": "7"});
    bench.dashboard("refunds", json!({"charge": charge, "amount": 1, "status": "pending", "destination_card": card}));
    bench.dashboard(
        "refunds",
        json!({"charge": charge, "amount": 1, "status": "requires_action", "reason": "duplicate"}),
    );
    for body in [json!({"amount": 5}), json!({"amount": 5, "automatic": true, "trace_id": "t"})] {
        let payout = id(&bench.dashboard("payouts", body));
        bench.dashboard(&format!("payouts/{payout}/status"), json!({"status": "failed"}));
    }
    let seller = id(&bench.control("accounts", json!({"individual": {"first_name": "A"}}))["account"]);
    let transfer = id(&bench.dashboard("transfers", json!({"amount": 9, "destination": seller})));
    bench.dashboard(&format!("transfers/{transfer}/reversals"), json!({"amount": 4}));
    let disputed = bench.charge(70);
    let dispute = id(&bench.dashboard("disputes", json!({"charge": disputed, "evidence": {"customer_name": "A"}})));
    bench.dashboard(&format!("disputes/{dispute}/close"), json!({"status": "won"}));
    bench.dashboard("external_accounts", json!({"last4": "1111"}));
    bench
}

fn data(list: &Value) -> Vec<Value> {
    list["data"].as_array().unwrap().clone()
}

#[test]
fn objects_have_exactly_the_listed_fields() {
    let bench = furnished();
    let mut objects: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (name, path) in [
        ("balance_transaction", "balance_transactions"),
        ("charge", "charges"),
        ("dispute", "disputes"),
        ("event", "events"),
        ("payout", "payouts"),
        ("refund", "refunds"),
        ("transfer", "transfers"),
    ] {
        objects.insert(name, data(&bench.get(&format!("/v1/{path}?limit=100"))));
    }
    let reversals = objects["transfer"].iter().flat_map(|transfer| data(&transfer["reversals"])).collect();
    objects.insert("transfer_reversal", reversals);
    objects.insert("account", vec![bench.get("/v1/account")]);
    objects.insert("balance", vec![bench.get("/v1/balance")]);
    objects.insert("bank_account", data(&bench.get(&format!("/v1/accounts/{MERCHANT}/external_accounts"))));
    let form = "url=http://127.0.0.1:9/&enabled_events[]=*&connect=true";
    let (_, _, endpoint) = bench.raw(TEST_DEVELOPER, "POST", "/v1/webhook_endpoints", form, &[]);
    objects.insert("webhook_endpoint", vec![endpoint]);
    bench.dashboard("install", json!({}));
    let authorised = bench.get("/v1/events?type=account.application.authorized");
    objects.insert("application", vec![authorised["data"][0]["data"]["object"].clone()]);

    let mut faults = Vec::new();
    for (name, rendered) in &objects {
        assert!(!rendered.is_empty(), "no {name} was rendered");
        let list = FieldList::load(name);
        for object in rendered {
            assert_eq!(object["object"], Value::from(list.object.as_str()));
            faults.extend(list.compare(object).into_iter().map(|fault| format!("{name}: {fault}")));
        }
    }
    // Snapshots in events are the same objects.
    for event in &objects["event"] {
        let object = &event["data"]["object"];
        let list = FieldList::load(object["object"].as_str().unwrap());
        faults.extend(list.compare(object).into_iter().map(|fault| format!("{}: {fault}", event["type"])));
    }
    faults.sort();
    faults.dedup();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_comparison_can_fail() {
    let list = FieldList::load("transfer_reversal");
    let bench = furnished();
    let transfer = &bench.get("/v1/transfers")["data"][0];
    let good = &transfer["reversals"]["data"][0];
    assert!(list.compare(good).is_empty());
    let mut more = good.clone();
    more["livemode"] = json!(false);
    let mut less = good.clone();
    less.as_object_mut().unwrap().remove("currency");
    let mut other = good.clone();
    other["amount"] = json!("4");
    for bad in [more, less, other] {
        assert_eq!(list.compare(&bad).len(), 1, "{bad}");
    }
}
