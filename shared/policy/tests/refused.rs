//! Every message of the strict validation, with its place: a person who breaks a plan must see what to do.
// Helpers outside the test functions are test code too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use axiru_policy::{Plan, PlanError, Problem};
use common::plan;

const REFUND: &str = "action == Axiru::Action::\"refund\"";

fn problems(result: Result<Plan, PlanError>) -> Vec<Problem> {
    result.map(|plan| panic!("{plan:?} was accepted")).unwrap_or_else(|error| error.problems().to_vec())
}

/// Expects one problem of a refund plan at `line:column` that begins so and advises so.
#[track_caller]
fn refused(policies: &str, place: (usize, usize), message: &str, advice: &str) {
    let found = problems(plan(r#"["refund"]"#, policies));
    let hit = found.iter().find(|p| p.message.contains(message));
    let Some(hit) = hit else { panic!("`{message}` is not among {found:#?}") };
    assert_eq!((hit.line, hit.column), place, "{hit}");
    assert!(hit.advice.contains(advice), "{hit}");
}

fn when(condition: &str) -> String {
    format!("@id(\"x\")\npermit(principal, {REFUND}, resource)\nwhen {{ {condition} }};")
}

#[test]
fn syntax() {
    refused(&format!("@id(\"a\")\npermit(principal, {REFUND}, resource)"), (2, 63), "unexpected end of input", "");
    refused(
        &format!(
            "@id(\"a\")\npermit(principal, {REFUND}, resource)\n@id(\"b\")\npermit(principal, {REFUND}, resource);"
        ),
        (3, 1),
        "unexpected token `@`",
        "ends without `;`",
    );
    refused(
        &format!("@id(\"a\")\nallow(principal, {REFUND}, resource);"),
        (2, 1),
        "invalid policy effect: allow",
        "effect must be either `permit` or `forbid`",
    );
    refused(
        &format!("@id(\"a\") @id(\"b\")\npermit(principal, {REFUND}, resource);"),
        (1, 10),
        "duplicate annotation: @id",
        "",
    );
    refused(
        "@id(\"a\")\npermit(principal == ?principal, action, resource);",
        (2, 21),
        "template",
        "templates are not used in plans",
    );
    refused("hello", (1, 6), "unexpected end of input", "");
    refused("@id(\"a)\npermit(principal, action, resource);", (1, 5), "`\"` cannot stand here", "does not close");
    for (condition, place, message, advice) in [
        ("context.amount_minor > 200.00", (3, 35), "unexpected token `00`", "200.00 usd is `20000`"),
        ("context.amount_minor > 20_000", (3, 33), "unexpected token `_000`", "digits only"),
        ("true and false", (3, 13), "unexpected token `and`", "write `&&`"),
        ("true & false", (3, 13), "`&` cannot stand here", "write `&&`"),
        ("true | false", (3, 13), "`|` cannot stand here", "write `||`"),
        ("not (true)", (3, 8), "", "write `!`"),
        ("true # why", (3, 13), "`#` cannot stand here", "a comment begins with `//`"),
        ("context.currency = \"usd\"", (3, 8), "'=' is not a valid operator", "'=='"),
        ("context.currency == 'usd'", (3, 28), "`'` cannot stand here", "straight double quotes"),
        ("context.currency == \u{201c}usd\u{201d}", (3, 28), "cannot stand here", "straight double quotes"),
    ] {
        refused(&when(condition), place, message, advice);
    }
    refused(
        &format!("@id(\"a\")\n@require_approval(finance)\nforbid(principal, {REFUND}, resource);"),
        (2, 19),
        "expected string literal",
        "double quotes: `@quorum",
    );
}

#[test]
fn annotations_and_ids() {
    refused(&format!("permit(principal, {REFUND}, resource);"), (1, 1), "the policy has no id", "write `@id(");
    refused(
        &format!(
            "@id(\"a\")\npermit(principal, {REFUND}, resource);\n\n@id(\"a\")\nforbid(principal, {REFUND}, resource);"
        ),
        (4, 1),
        "the id is used by an earlier policy",
        "an id of its own",
    );
    refused(
        &format!("@id(\"a\")\n@approve(\"finance\")\nforbid(principal, {REFUND}, resource);"),
        (1, 1),
        "the annotation `@approve` is not known",
        "use @id, @reason",
    );
    refused(
        &format!("@id(\"a\")\n@require_approval(\"finance\")\npermit(principal, {REFUND}, resource);"),
        (2, 1),
        "`@require_approval` on a permit",
        "make it a `forbid`",
    );
    refused(
        &format!(
            "@id(\"a\")\n@require_approval(\"finance\")\n@quorum(\"two\")\nforbid(principal, {REFUND}, resource);"
        ),
        (3, 1),
        "`two` is not a quorum",
        "1 to 10",
    );
}

#[test]
fn action_scopes() {
    refused(
        "@id(\"a\")\npermit(principal, action, resource);",
        (2, 19),
        "`action` stands for every kind",
        "narrow it to `action == Axiru::Action::\"refund\"`",
    );
    refused(
        "@id(\"a\")\npermit(principal, action == Axiru::Action::\"payout\", resource);",
        (2, 19),
        "the policy speaks of `payout`",
        "add the kind to `kinds`",
    );
    refused(
        "@id(\"a\")\npermit(principal, action in [Axiru::Action::\"refund\", Axiru::Action::\"transfers\"], resource);",
        (2, 19),
        "`transfer`, `transfer_reversal`",
        "",
    );
    for (bad, advice) in [
        ("action == Action::\"refund\"", "write `action == Axiru::Action::\"refund\"`"),
        ("action == Axiru::Action::\"refunds\"", "a family takes `in`: write `action in Axiru::Action::\"refunds\"`"),
        ("action in Axiru::Action::\"Refund\"", "with one of refund, payout"),
    ] {
        refused(&format!("@id(\"a\")\npermit(principal, {bad}, resource);"), (2, 19), "is not an action", advice);
    }
    let found = problems(plan(
        r#"["transfer","transfer_reversal"]"#,
        "@id(\"a\") permit(principal, action == Axiru::Action::\"transfer\", resource);",
    ));
    assert!(found[0].message.contains("covers `transfer_reversal` but no policy speaks of it"), "{found:?}");
}

#[test]
fn types() {
    refused(
        &when("context.reason == \"x\""),
        (3, 8),
        "unable to guarantee safety of access to optional attribute `reason`",
        "context has reason",
    );
    refused(
        &when("context has reasons && context.reasons == \"x\""),
        (3, 16),
        "`reasons` is no fact of refund",
        "did you mean `reason`?",
    );
    refused(&when("!(context has automatic)"), (3, 18), "`automatic` is no fact of refund", "axiru plan schema");
    refused(
        &when("context.amount > 2 && context.currency == \"usd\""),
        (3, 8),
        "`amount` is no fact of refund",
        "did you mean `amount_minor`?",
    );
    refused(&when("context has reason && false"), (1, 1), "impossible", "it can never be satisfied");
    refused(&when("context.amount_minor > \"200\""), (3, 31), "unexpected type", "");
    refused(&when("principal is Axiru::Robot"), (3, 21), "unrecognized entity type `Axiru::Robot`", "");
    refused(&when("principal == Axiru::External::\"me\""), (3, 21), "me", "");
    refused(&when("context.amount_minor == context.currency"), (3, 8), "", "");
    refused(
        &when("decimal(\"1.0\") == decimal(\"1.0\")"),
        (3, 8),
        "the function `decimal` is not used in plans",
        "directly",
    );
    refused(&when("context has reason && ip(\"127.0.0.1\").isLoopback()"), (3, 46), "the function `isLoopback`", "");
}

#[test]
fn what_types_cannot_see() {
    refused(&when("context.currency == \"USD\""), (3, 28), "`USD` is not a currency", "lower-case");
    refused(&when("context.amount_minor < 20000"), (3, 31), "no currency is named", "context.currency == \"usd\"");
    refused(&when("resource.mode == \"Live\""), (3, 25), "`Live` is not a mode", "`test` or `live`");
    refused(
        &when("context.currency == \"usd\" && context.amount_minor < 9007199254740992"),
        (3, 60),
        "beyond 2^53 - 1",
        "smaller",
    );
    refused(&when("context == context"), (3, 8), "`context` is used as a whole", "");
    refused(&when("context has reason && context.reason == \"a\u{202e}b\""), (3, 50), "U+202E", "remove it");
    refused(&when("context.currency == \"usd\" \u{0}"), (3, 34), "U+0000", "remove it");
}

#[test]
fn sizes() {
    refused("", (1, 1), "there is no policy", "permit(principal, action, resource);");
    refused("// nothing\n", (1, 1), "there is no policy", "");
    refused(&"// x\n".repeat(20_000), (1, 1), "100000 bytes long", "split the plan");
    refused(
        &format!("@id(\"a\") permit(principal, {REFUND}, resource);\n").repeat(201),
        (1, 1),
        "201 policies",
        "split the plan",
    );
    refused(&when(&format!("true{}", " && true".repeat(600))), (1, 1), "at most 4096", "split it");
    refused(&when(&format!("context.amount_minor{} > 0", "+1".repeat(1_900))), (1, 1), "at most 1000", "split it");
    refused(&when(&format!("context{} > 0", ".a".repeat(1_900))), (1, 1), "at most 1000", "split it");
    refused(&when(&format!("{}true{}", "(".repeat(40), ")".repeat(40))), (1, 1), "nested 41 deep", "");
}

#[test]
fn the_deepest_policies_that_are_let_through_fit_a_small_stack() {
    for condition in [
        format!("true{}", " && true".repeat(320)),
        format!("{}true{}", "if true then ".repeat(170), " else true".repeat(170)),
        format!("{}true", "!!!!(".repeat(27)) + &")".repeat(27),
        format!("context.amount_minor{} > 0", "+1".repeat(480)),
    ] {
        let text = when(&condition);
        assert!(text.len() <= 4_096, "{}", text.len());
        let parse = move || plan(r#"["refund"]"#, &text).is_ok();
        // Half of what a thread has by default.
        let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(parse).unwrap();
        assert!(thread.join().unwrap(), "{condition:.40}");
    }
}

#[test]
fn every_problem_is_told_at_once_in_order() {
    let text =
        format!("permit(principal, {REFUND}, resource);\n{}\n@id(\"y\") permit(", when("context.currency == \"EURO\""));
    let found = problems(plan(r#"["refund"]"#, &text));
    let lines: Vec<_> = found.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [1, 4, 5], "{found:#?}");
}

#[test]
fn plan_json() {
    let policies = format!("@id(\"a\") permit(principal, {REFUND}, resource);");
    for (json, place, message, advice) in [
        ("", (1, 1), "EOF", "not valid JSON"),
        ("{", (1, 1), "EOF", "not valid JSON"),
        ("[1,\"p\",\"d\",[\"refund\"]]", (1, 1), "a list where", "begin with `{`"),
        ("{\n \"v\": 1,\n \"name\" \"x\"}", (3, 9), "expected `:`", "missing comma, quote"),
        (r#"{"v":2,"name":"p","description":"d","kinds":["refund"]}"#, (1, 2), "`v` is 2", "write `\"v\": 1`"),
        (r#"{"v":1,"name":"My plan","description":"d","kinds":["refund"]}"#, (1, 8), "`name` is not", "lower-case"),
        (
            r#"{"v":1,"name":"p","description":" ","kinds":["refund"]}"#,
            (1, 19),
            "`description` has 1",
            "500 characters",
        ),
        (r#"{"v":1,"name":"p","description":"d","kinds":[]}"#, (1, 37), "`kinds` is empty", "name what it covers"),
        (r#"{"v":1,"name":"p","description":"d","kinds":["refund","refund"]}"#, (1, 37), "`refund` twice", "once"),
        (
            r#"{"v":1,"name":"p","description":"d","kinds":["refunds"]}"#,
            (1, 54),
            "unknown variant `refunds`",
            "not families",
        ),
        (r#"{"v":1,"name":"p","description":"d"}"#, (1, 36), "missing field `kinds`", "exactly the fields"),
        (
            r#"{"v":1,"name":"p","name":"q","description":"d","kinds":["refund"]}"#,
            (1, 24),
            "duplicate field `name`",
            "",
        ),
        (
            r#"{"v":1,"owner":"x","name":"p","description":"d","kinds":["refund"]}"#,
            (1, 14),
            "unknown field `owner`",
            "exactly the fields",
        ),
        (r#"{"v":1.5,"name":"p","description":"d","kinds":["refund"]}"#, (1, 8), "invalid type: floating point", ""),
        (r#"{"v":1,"name":"p","description":"d","kinds":["refund"]} x"#, (1, 57), "trailing characters", ""),
    ] {
        let found = problems(Plan::parse(json, &policies));
        let hit = found.iter().find(|p| p.file == "plan.json" && p.message.contains(message));
        let Some(hit) = hit else { panic!("{json}: `{message}` is not among {found:?}") };
        assert_eq!((hit.line, hit.column), place, "{json}: {hit}");
        assert!(hit.advice.contains(advice), "{json}: {hit}");
    }
}

/// Expects one problem of a refund plan with this limit, told at this word of the second line, which begins so and advises so.
#[track_caller]
fn limit_refused(limit: &str, at: &str, message: &str, advice: &str) {
    let policies = format!("@id(\"a\") permit(principal, {REFUND}, resource);");
    let json = format!(
        "{{\"v\":1,\"name\":\"p\",\"description\":\"limits\",\"kinds\":[\"refund\"],\"limits\":[\n{limit}\n]}}"
    );
    let found = problems(Plan::parse(&json, &policies));
    let hit = found.iter().find(|p| p.message.contains(message));
    let Some(hit) = hit else { panic!("`{message}` is not among {found:#?}") };
    let column = limit.find(at).map(|offset| limit[..offset].chars().count() + 1);
    assert_eq!((hit.file, hit.line, Some(hit.column)), ("plan.json", 2, column), "{hit}");
    assert!(hit.advice.contains(advice), "{hit}");
}

/// A sound limit with these fields replaced or, where the value is empty, left out.
fn limit(changes: &[(&str, &str)]) -> String {
    let mut fields = vec![
        ("id", "\"day\""),
        ("per", "\"actor\""),
        ("kinds", "[\"refund\"]"),
        ("currency", "\"usd\""),
        ("window", "{\"calendar\":\"day\",\"zone\":\"Europe/Berlin\"}"),
        ("max_amount", "5000"),
        ("on_exceed", "\"block\""),
    ];
    for (name, value) in changes {
        match fields.iter_mut().find(|(known, _)| known == name) {
            Some(field) => field.1 = value,
            None => fields.push((name, value)),
        }
    }
    let fields: Vec<_> =
        fields.iter().filter(|(_, v)| !v.is_empty()).map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", fields.join(","))
}

#[test]
fn limits_one_by_one() {
    let asks = ("on_exceed", "\"require_approval\"");
    for (changes, at, message, advice) in [
        (vec![("id", "\"Day 1\"")], "\"id\"", "limit `Day 1`: `Day 1` is not an id", "lower-case letters"),
        (vec![("id", "\"a\"")], "\"a\"", "limit `a`: the id is used by a policy", "an id of its own"),
        (vec![("kinds", "[]")], "\"kinds\"", "`kinds` is empty", "`\"kinds\": [\"refund\"]`"),
        (vec![("kinds", "[\"refund\",\"refund\"]")], "\"kinds\"", "names `refund` twice", "once"),
        (vec![("kinds", "[\"payout\"]")], "\"kinds\"", "the plan does not cover `payout`", "take it out of the limit"),
        (vec![("per", "\"destination\"")], "\"per\"", "a refund has no destination to count by", "per account"),
        (vec![("max_amount", "")], "\"id\"", "nothing is limited", "\"max_count\": 10"),
        (vec![("max_amount", "0")], "\"max_amount\"", "`max_amount` is 0", "write a `forbid`"),
        (vec![("max_amount", "-1")], "\"max_amount\"", "`max_amount` is -1", "2^53 - 1"),
        (vec![("max_amount", "9007199254740992")], "\"max_amount\"", "`max_amount` is 9007199254740992", "2^53 - 1"),
        (vec![("max_count", "0")], "\"max_count\"", "`max_count` is 0", "write a `forbid`"),
        (vec![("window", "{}")], "\"window\"", "either by the calendar or rolling", "\"rolling\": \"24h\""),
        (vec![("window", "{\"calendar\":\"day\"}")], "\"window\"", "none is named", "\"zone\": \"Europe/Berlin\""),
        (
            vec![("window", "{\"calendar\":\"hour\",\"zone\":\"UTC\"}")],
            "\"calendar\"",
            "`hour` is not a unit",
            "`week` or `month`",
        ),
        (
            vec![("window", "{\"calendar\":\"day\",\"zone\":\"Mars/Base\"}")],
            "\"zone\"",
            "`Mars/Base` is not a time zone",
            "IANA",
        ),
        (
            vec![("window", "{\"calendar\":\"day\",\"zone\":\"europe/berlin\"}")],
            "\"zone\"",
            "`Europe/Berlin` is",
            "write `Europe/Berlin`",
        ),
        (
            vec![("window", "{\"calendar\":\"day\",\"zone\":\"CET+1\"}")],
            "\"zone\"",
            "`CET+1` is not a time zone",
            "IANA",
        ),
        (vec![("window", "{\"rolling\":\"32d\"}")], "\"rolling\"", "`32d` is not the length", "5 minutes to 31 days"),
        (vec![("window", "{\"rolling\":\"4m\"}")], "\"rolling\"", "`4m` is not the length", "5 minutes to 31 days"),
        (vec![("window", "{\"rolling\":\"day\"}")], "\"rolling\"", "`day` is not the length", "`24h`"),
        (vec![("window", "{\"rolling\":\"24h\",\"zone\":\"UTC\"}")], "\"zone\"", "no time zone", "remove it"),
        (vec![("window", "{\"rolling\":\"24h\",\"calendar\":\"day\"}")], "\"window\"", "either by the calendar", ""),
        (vec![asks], "\"on_exceed\"", "names nobody", "\"approvers\": \"finance\""),
        (vec![asks, ("approvers", "\"Jo Doe\"")], "\"approvers\"", "`Jo Doe` is not a group", "lower-case"),
        (vec![asks, ("approvers", "\"f\""), ("quorum", "0")], "\"quorum\"", "`0` is not a quorum", "1 to 10"),
        (vec![asks, ("approvers", "\"f\""), ("quorum", "11")], "\"quorum\"", "`11` is not a quorum", "1 to 10"),
        (vec![asks, ("approvers", "\"f\""), ("expires", "\"31d\"")], "\"expires\"", "`31d` is not a time", "30 days"),
        (vec![("approvers", "\"f\"")], "\"approvers\"", "`approvers` on a limit that blocks", "require_approval"),
        (vec![("quorum", "2")], "\"quorum\"", "`quorum` on a limit that blocks", "remove it"),
        (vec![("expires", "\"24h\"")], "\"expires\"", "`expires` on a limit that blocks", "remove it"),
        (vec![("reason", "\" \"")], "\"reason\"", "the reason is empty", "one sentence"),
        (vec![("reason", "\"a\u{202e}b\"")], "\"reason\"", "U+202E", "remove it"),
    ] {
        limit_refused(&limit(&changes), at, message, advice);
    }
}

#[test]
fn limits_that_cannot_be_read() {
    let policies = format!("@id(\"a\") permit(principal, {REFUND}, resource);");
    for (changes, message, advice) in [
        (vec![("currency", "\"USD\"")], "`USD` is not a currency", ""),
        (vec![("currency", "")], "missing field `currency`", "a limit has the fields id, per"),
        (vec![("window", "")], "missing field `window`", "a limit has the fields id, per"),
        (vec![("per", "\"agent\"")], "unknown variant `agent`, expected one of `account`", ""),
        (vec![("on_exceed", "\"hold\"")], "unknown variant `hold`, expected `block` or `require_approval`", ""),
        (vec![("kinds", "[\"refunds\"]")], "unknown variant `refunds`", "not families"),
        (vec![("max_amount", "1.5")], "invalid type: floating point", ""),
        (vec![("max", "5")], "unknown field `max`", "a limit has the fields id, per"),
        (vec![("window", "{\"rolling\":\"24h\",\"tz\":\"UTC\"}")], "unknown field `tz`", "a limit has the fields"),
    ] {
        let json = format!(
            "{{\"v\":1,\"name\":\"p\",\"description\":\"d\",\"kinds\":[\"refund\"],\"limits\":[{}]}}",
            limit(&changes)
        );
        let found = problems(Plan::parse(&json, &policies));
        assert!(found[0].message.contains(message) && found[0].advice.contains(advice), "{found:?}");
    }
}

#[test]
fn limits_together() {
    let of = |limits: &[String]| {
        let json = format!(
            "{{\"v\":1,\"name\":\"p\",\"description\":\"d\",\"kinds\":[\"refund\"],\"limits\":[\n{}]}}",
            limits.join(",\n")
        );
        Plan::parse(&json, &format!("@id(\"a\") permit(principal, {REFUND}, resource);"))
    };
    let found = problems(of(&[limit(&[]), limit(&[("id", "\"other\"")]), limit(&[("max_amount", "7")])]));
    assert_eq!((found.len(), found[0].line, found[0].column), (1, 4, 2), "{found:?}");
    assert!(found[0].message.contains("limit `day`: the id is used by an earlier limit"), "{found:?}");
    // Every problem of every limit is told at once.
    let found = problems(of(&[limit(&[("id", "\"A\""), ("max_amount", "0")]), limit(&[("per", "\"destination\"")])]));
    assert_eq!(found.iter().map(|p| p.line).collect::<Vec<_>>(), [2, 2, 3], "{found:#?}");
    let many = |n: usize, currency: &dyn Fn(usize) -> &'static str| -> Vec<_> {
        let one = |i: usize| {
            let (id, window) = (format!("\"l{i}\""), format!("{{\"rolling\":\"{}m\"}}", 5 + i));
            limit(&[("id", &id), ("window", &window), ("currency", &format!("\"{}\"", currency(i)))])
        };
        (0..n).map(one).collect()
    };
    assert!(of(&many(20, &|_| "usd")).is_ok());
    let found = problems(of(&many(23, &|_| "usd")));
    assert_eq!((found.len(), found[0].line), (1, 22), "{found:?}");
    assert!(found[0].message.contains("a refund in usd would be counted in more than 20 windows"), "{found:?}");
    // Windows in two currencies never meet, and limits with one series are one window.
    assert!(of(&many(40, &|i| if i < 20 { "usd" } else { "eur" })).is_ok());
    let same: Vec<_> =
        (0..30).map(|i| limit(&[("id", &format!("\"l{i}\"")), ("max_amount", &format!("{}", i + 1))])).collect();
    assert!(of(&same).is_ok());
    let found = problems(of(&many(101, &|i| if i % 2 == 0 { "usd" } else { "eur" })));
    assert!(found[0].message.contains("101 limits, at most 100"), "{found:?}");
}
