use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// Events as the documentation shows them, with a mail of ours in them.
const RECORDED: [&str; 6] = [
    include_str!("fixtures/bounce_permanent.json"),
    include_str!("fixtures/bounce_transient.json"),
    include_str!("fixtures/complaint.json"),
    include_str!("fixtures/reject.json"),
    include_str!("fixtures/delivery_delay.json"),
    include_str!("fixtures/foreign.json"),
];

fn returned(body: &str) -> Returned {
    match Event::parse(body) {
        Ok(Event::Returned(returned)) => *returned,
        Ok(_) => panic!("nothing came back"),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn recorded_events_are_read() {
    let [permanent, transient, complaint, reject, delay, foreign] = RECORDED;
    for (body, kind, report) in [
        (permanent, Return::BouncePermanent, "0102019a3c5d2a10-11111111-2222-4333-8444-555555555555-000000"),
        (transient, Return::BounceTransient, "0102019a3c5d2a11-11111111-2222-4333-8444-555555555555-000000"),
        (complaint, Return::Complaint, "0102019a3c5d2a12-11111111-2222-4333-8444-555555555555-000000"),
        (reject, Return::Reject, "reject-0102019a3c5d1f07-6a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d-000000"),
    ] {
        let returned = returned(body);
        assert_eq!((returned.kind, returned.report.as_str()), (kind, report));
        assert_eq!(returned.scope.to_string(), "live/acct_123");
        assert_eq!(returned.person.as_str(), "per_rosarosarosarosa");
        assert_eq!(returned.request.unwrap().as_str(), format!("dec_{}", "5".repeat(32)));
        assert_eq!(returned.addresses, ["rosa@shop.example"]);
    }
    assert!(Event::parse(delay) == Ok(Event::Delayed));
    assert!(Event::parse(foreign) == Ok(Event::Foreign), "a mail without our tags");
}

/// A recorded event with one member, given as a path, replaced or taken away.
fn spoilt(body: &str, path: &[&str], value: Option<Value>) -> String {
    let mut event: Value = serde_json::from_str(body).unwrap();
    let (last, before) = path.split_last().unwrap();
    let parent = before.iter().fold(&mut event, |value, name| &mut value[*name]);
    match value {
        Some(value) => parent[*last] = value,
        None => drop(parent.as_object_mut().unwrap().remove(*last)),
    }
    event.to_string()
}

#[test]
fn other_events_are_refused_or_nobodys() {
    let [permanent, ..] = RECORDED;
    let tags = ["detail", "mail", "tags"];
    let tag = |name: &str, value: Value| spoilt(permanent, &[tags[0], tags[1], tags[2], name], Some(value));
    for nobodys in [
        tag("mode", Value::from(vec!["prod"])),
        tag("account", Value::from(vec!["cus_1"])),
        tag("person", Value::from(vec!["rosa"])),
        tag("request", Value::from(vec!["re_1"])),
        tag("mode", Value::from(vec!["live", "test"])),
        tag("mode", Value::from(Vec::<String>::new())),
        spoilt(permanent, &tags, None),
        spoilt(permanent, &["detail-type"], Some("Email Opened".into())),
    ] {
        assert!(Event::parse(&nobodys) == Ok(Event::Foreign), "{nobodys}");
    }
    for refused in [
        String::new(),
        "{}".to_owned(),
        "null".to_owned(),
        spoilt(permanent, &["source"], Some("aws.s3".into())),
        spoilt(permanent, &["detail", "bounce"], None),
        spoilt(permanent, &["detail", "mail"], None),
        spoilt(permanent, &["detail", "bounce", "feedbackId"], Some("".into())),
        spoilt(permanent, &["detail", "bounce", "feedbackId"], Some("a b".into())),
        spoilt(permanent, &["detail", "bounce", "feedbackId"], Some("x".repeat(256).into())),
        spoilt(permanent, &["detail", "bounce", "bouncedRecipients"], Some("rosa@shop.example".into())),
        spoilt(permanent, &["detail", "mail", "tags", "mode"], Some("live".into())),
        format!("{permanent}{}", " ".repeat(MAX_BYTES)),
    ] {
        assert!(Event::parse(&refused).is_err(), "{}", refused.chars().take(200).collect::<String>());
    }
    let none = tag("request", Value::from(vec!["none"]));
    assert!(returned(&none).request.is_none());
    let undetermined = spoilt(permanent, &["detail", "bounce", "bounceType"], Some("Undetermined".into()));
    assert_eq!(returned(&undetermined).kind, Return::BounceTransient);
}

#[test]
fn what_is_refused_is_not_repeated() {
    let [permanent, ..] = RECORDED;
    let error = Event::parse(&spoilt(permanent, &["detail", "bounce"], None)).err().unwrap();
    assert!(!format!("{error} {error:?}").contains("rosa"));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = Event::parse(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn a_changed_byte_never_panics_and_never_makes_another_form(which in 0_usize..6, at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = RECORDED[which].as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(Event::Returned(returned)) = Event::parse(&String::from_utf8_lossy(&bytes)) {
            prop_assert!(is_word(&returned.report));
            prop_assert!(returned.addresses.len() <= MAX_ADDRESSES);
        }
    }

    #[test]
    fn a_cut_event_is_refused(which in 0_usize..6, at in any::<prop::sample::Index>()) {
        let body = RECORDED[which].trim_end();
        prop_assert!(Event::parse(&body[..at.index(body.len())]).is_err());
    }
}
