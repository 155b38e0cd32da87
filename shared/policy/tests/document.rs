//! The plan document: one plan, one sequence of bytes, one hash.
// Helpers outside the test functions are test code too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use axiru_policy::{Cases, Plan};
use common::{plan, refunds};
use proptest::prelude::*;

const POLICIES: &str = "@id(\"a\")\npermit(principal, action == Axiru::Action::\"refund\", resource);\n";

#[test]
fn the_document_is_written_once_and_for_all() {
    let plan = refunds(POLICIES).unwrap();
    let expected = r#"{"description":"d","kinds":["refund"],"name":"p","policies":"@id(\"a\")\npermit(principal, action == Axiru::Action::\"refund\", resource);\n","v":1}"#;
    assert_eq!(std::str::from_utf8(plan.document()), Ok(expected));
    assert_eq!(plan.sha256(), "7bb6b923dbe859064a7e61d83ea65aab540e1a32485f3b030347b9ef74173d0d");
    let again = Plan::from_document(plan.document()).unwrap();
    assert_eq!((again.sha256(), again.document()), (plan.sha256(), plan.document()));
    assert_eq!((again.name(), again.description(), again.rules().len()), ("p", "d", 1));
}

#[test]
fn order_and_line_endings_make_no_other_version() {
    let windows = refunds(&POLICIES.replace('\n', "\r\n")).unwrap();
    assert_eq!(windows.sha256(), refunds(POLICIES).unwrap().sha256());
    let text = "@id(\"a\") permit(principal, action in Axiru::Action::\"disputes\", resource);";
    let one = plan(r#"["dispute_submit","dispute_accept"]"#, text).unwrap();
    assert_eq!(one.sha256(), plan(r#"["dispute_accept","dispute_submit"]"#, text).unwrap().sha256());
    assert_ne!(refunds(&POLICIES.replace("\"a\"", "\"b\"")).unwrap().sha256(), windows.sha256());
}

/// A refund plan with these limits.
fn limited(limits: &str) -> Plan {
    let head = format!(r#"{{"v":1,"name":"p","description":"d","kinds":["refund","payout"],"limits":{limits}}}"#);
    let policies =
        "@id(\"ok\") permit(principal, action in [Axiru::Action::\"refund\", Axiru::Action::\"payout\"], resource);";
    Plan::parse(&head, policies).unwrap()
}

#[test]
fn limits_are_part_of_the_document_where_there_are_any() {
    let a = r#"{"id":"a","per":"account","kinds":["payout","refund"],"currency":"usd","window":{"zone":"UTC","calendar":"day"},"max_amount":5,"max_count":null,"on_exceed":"block"}"#;
    let b = r#"{"on_exceed":"require_approval","approvers":"f","quorum":2,"expires":"4h","reason":"why","id":"b","per":"actor","kinds":["refund"],"currency":"usd","window":{"rolling":"24h"},"max_count":1}"#;
    let plan = limited(&format!("[{b},{a}]"));
    let text = std::str::from_utf8(plan.document()).unwrap();
    let limits = r#""limits":[{"currency":"usd","id":"a","kinds":["refund","payout"],"max_amount":5,"on_exceed":"block","per":"account","window":{"calendar":"day","zone":"UTC"}},{"approvers":"f","currency":"usd","expires":"4h","id":"b","kinds":["refund"],"max_count":1,"on_exceed":"require_approval","per":"actor","quorum":2,"reason":"why","window":{"rolling":"24h"}}],"#;
    assert!(text.contains(limits), "{text}");
    // The order in which limits and kinds stand makes no other version; a cap does.
    let swapped = a.replace("[\"payout\",\"refund\"]", "[\"refund\",\"payout\"]");
    assert_eq!(limited(&format!("[{swapped},{b}]")).sha256(), plan.sha256());
    assert_ne!(limited(&format!("[{},{b}]", a.replace(":5,", ":6,"))).sha256(), plan.sha256());
    let again = Plan::from_document(plan.document()).unwrap();
    assert_eq!((again.sha256(), again.limits()), (plan.sha256(), plan.limits()));
    let hold = again.limits()[1].hold.clone().unwrap();
    assert_eq!((hold.policy.as_str(), hold.group.as_str(), hold.quorum, hold.expires_secs), ("b", "f", 2, 14_400));
    assert_eq!(again.limits()[0].series.to_string(), "refund+payout|usd|day@UTC");
    // None is the same bytes as before there were any.
    assert_eq!(limited("[]").document(), limited("[]").document());
    assert!(!std::str::from_utf8(limited("[]").document()).unwrap().contains("limits"));
    // Stored documents are read as strictly.
    for (bad, what) in [
        (text.replace("\"max_amount\":5,", "\"max_amount\":0,"), "`max_amount` is 0"),
        (text.replace("\"max_amount\":5,", "\"max_amount\":5,\"max_count\":null,"), "canonical"),
        (text.replace("[\"refund\",\"payout\"],\"max", "[\"payout\",\"refund\"],\"max"), "canonical"),
        (text.replace("\"id\":\"a\"", "\"id\":\"c\""), "canonical"),
    ] {
        let error = Plan::from_document(bad.as_bytes()).unwrap_err();
        assert!(error.to_string().contains(what), "{bad}: {error}");
    }
}

#[test]
fn other_bytes_are_refused() {
    let bytes = refunds(POLICIES).unwrap().document().to_vec();
    let text = String::from_utf8(bytes.clone()).unwrap();
    for (bad, what) in [
        (format!("{text}\n"), "canonical"),
        (text.replacen(':', ": ", 1), "canonical"),
        (text.replace("\"v\":1", "\"v\":2"), "`v` is 2"),
        (text.replace("\"v\":1", "\"v\":1,\"x\":1"), "unknown field `x`"),
        (text.replace("\"v\":1", "\"limits\":[],\"v\":1"), "canonical"),
        (text.replace("[\"refund\"]", "[\"payout\"]"), "the plan does not cover"),
        (text.replace("permit(", "permitt("), "invalid policy effect"),
        (String::new(), "EOF"),
    ] {
        let error = Plan::from_document(bad.as_bytes()).unwrap_err();
        assert!(error.to_string().contains(what), "{bad}: {error}");
    }
    let mut not_text = bytes;
    not_text[3] = 0xff;
    assert!(Plan::from_document(&not_text).unwrap_err().to_string().contains("not UTF-8"));
    let swapped = plan(
        r#"["dispute_accept","dispute_submit"]"#,
        "@id(\"a\") permit(principal, action in Axiru::Action::\"disputes\", resource);",
    )
    .unwrap();
    let text = String::from_utf8(swapped.document().to_vec()).unwrap();
    let text = text.replace("\"dispute_accept\",\"dispute_submit\"", "\"dispute_submit\",\"dispute_accept\"");
    assert!(Plan::from_document(text.as_bytes()).unwrap_err().to_string().contains("canonical"));
}

#[test]
fn broken_cases_are_refused() {
    let case = |fields: &str| format!("{{\"v\":1,\"cases\":[\n{{\"name\":\"c\",{fields},\"reasons\":[]}}]}}");
    for (text, what) in [
        (String::new(), "EOF"),
        ("{\"v\":1,\"cases\":[]}".to_owned(), "there is no case"),
        (
            case(
                "\"kind\":\"refund\",\"actor\":\"external\",\"amount_minor\":1.5,\"currency\":\"usd\",\"expect\":\"allow\"",
            ),
            "invalid type",
        ),
        (
            case(
                "\"kind\":\"refund\",\"actor\":\"robot\",\"amount_minor\":1,\"currency\":\"usd\",\"expect\":\"allow\"",
            ),
            "`robot` is not an actor",
        ),
        (
            case(
                "\"kind\":\"refund\",\"actor\":\"axiru\",\"amount_minor\":1,\"currency\":\"usd\",\"expect\":\"allow\"",
            ),
            "does not move money",
        ),
        (
            case(
                "\"kind\":\"refund\",\"actor\":\"external\",\"amount_minor\":1,\"currency\":\"USD\",\"expect\":\"allow\"",
            ),
            "`USD` is not a currency",
        ),
        (
            case(
                "\"kind\":\"refund\",\"actor\":\"external\",\"amount_minor\":1,\"currency\":\"usd\",\"expect\":\"hold\"",
            ),
            "unknown variant `hold`",
        ),
        (
            case(
                "\"kind\":\"refund\",\"actor\":\"external\",\"amount_minor\":1,\"currency\":\"usd\",\"facts\":{\"method\":\"x\"},\"expect\":\"allow\"",
            ),
            "has no fact `method`",
        ),
        (
            case(
                "\"kind\":\"refund\",\"actor\":\"external\",\"amount_minor\":1,\"currency\":\"usd\",\"facts\":{\"reason\":1},\"expect\":\"allow\"",
            ),
            "is not of its type",
        ),
        (
            case(
                "\"kind\":\"refund\",\"actor\":\"external\",\"amount_minor\":1,\"currency\":\"usd\",\"fact\":{},\"expect\":\"allow\"",
            ),
            "unknown field `fact`",
        ),
    ] {
        let error = Cases::parse(&text).unwrap_err().to_string();
        assert!(error.contains(what), "{text}: {error}");
    }
}

proptest! {
    #[test]
    fn arbitrary_and_mutated_input_never_panics(
        noise in ".{0,200}",
        pieces in prop::collection::vec(prop::sample::select(vec!["@id(\"a\")", "permit", "forbid", "(", ")", "principal", ",", "action", "==", "Axiru::Action::\"refund\"", "resource", "when", "{", "}", "context", ".", "has", "reason", "\"", ";", "-9223372036854775808", "!", "&&", "é", "//", "\n"]), 0..40),
        at in 0..140_usize, byte: u8,
    ) {
        let _ = refunds(&noise);
        let _ = refunds(&pieces.concat());
        let _ = refunds(&pieces.join(" "));
        let _ = Plan::parse(&noise, POLICIES);
        let _ = Cases::parse(&noise);
        let mut bytes = refunds(POLICIES).unwrap().document().to_vec();
        if let Some(slot) = bytes.get_mut(at) {
            *slot = byte;
        }
        if let Ok(plan) = Plan::from_document(&bytes) {
            prop_assert_eq!(plan.document(), bytes);
        }
    }
}
