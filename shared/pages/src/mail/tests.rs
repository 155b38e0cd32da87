use axiru_domain::{Choice, Timestamp};

use super::*;
use crate::ending::Answered;
use crate::samples;
use crate::snapshot::{assert_stored, lines};

fn link() -> Url {
    Url::parse(&format!("https://axiru.example/approvals/{}", "Ab3-".repeat(16))).unwrap()
}

fn endings() -> Vec<(&'static str, Ending)> {
    let by = samples::HOSTILE.to_owned();
    vec![
        (
            "denied",
            Ending::Denied(Answered { by, choice: Choice::Deny, at: Timestamp::from_secs(1_793_491_199).unwrap() }),
        ),
        ("expired", Ending::Expired),
        ("not-begun", Ending::NotBegun),
        ("cancelled", Ending::Cancelled { why: samples::HOSTILE.to_owned() }),
        ("made", Ending::Made { object: Some("re_3PgafTB7WZ01zgkW".parse().unwrap()) }),
        ("refused", Ending::Refused { code: Some("charge_already_refunded".to_owned()) }),
        ("unknown", Ending::Unknown),
    ]
}

/// Every mail, and whether it has the link.
fn every_mail() -> Vec<(String, bool, Letter)> {
    let mut mails = Vec::new();
    for (name, sheet) in samples::sheets() {
        mails.push((format!("asked-{name}"), true, asked(&sheet, &link())));
        mails.push((format!("reminder-{name}"), true, reminder(&sheet, &link())));
        for (how, ending) in endings() {
            mails.push((format!("ended-{how}-{name}"), false, ended(&sheet, &ending)));
        }
    }
    let scope = "live/acct_1PgafTB7WZ01zgkW".parse().unwrap();
    let happened = ["a refund of 1,250.00 USD was blocked by large-refund".to_owned(), samples::HOSTILE.to_owned()];
    mails.push(("operators".to_owned(), false, operators(&scope, &happened)));
    mails.push(("operators-one".to_owned(), false, operators(&scope, &happened[..1])));
    mails
}

#[test]
fn the_mails_are_the_stored_ones() {
    for (name, _, mail) in every_mail() {
        let sample = name.rsplit('-').next().unwrap_or_default();
        // Of all combinations those that read differently.
        if name.starts_with("asked")
            || matches!(sample, "refund" | "operators" | "one")
            || name == "ended-denied-hostile"
        {
            assert_stored(&format!("mail/{name}.txt"), &format!("Subject: {}\n\n{}", mail.subject, mail.text));
        }
        if matches!(name.as_str(), "asked-refund" | "asked-hostile" | "ended-made-refund" | "operators") {
            assert_stored(&format!("mail/{name}.html"), &lines(&mail.html));
        }
    }
}

#[test]
fn no_header_can_be_injected_and_nothing_of_the_caller_is_in_a_subject() {
    for (name, _, mail) in every_mail() {
        let subject = &mail.subject;
        assert!(subject.starts_with("[LIVE] ") || subject.starts_with("[TEST] "), "{name}: {subject}");
        assert!(subject.bytes().all(|b| (0x20..0x7f).contains(&b)) && subject.len() < 100, "{name}: {subject}");
        for foreign in ["script", "evil", "Bcc", "canary", "boundary", "Rosa"] {
            assert!(!subject.contains(foreign), "{name}: {subject}");
        }
    }
    let sheet = samples::refund().unwrap();
    assert_eq!(asked(&sheet, &link()).subject, "[LIVE] Approve refund 1,250.00 USD - 3F7A 91C2");
    let hostile = samples::sheets().into_iter().find(|(name, _)| *name == "hostile").unwrap().1;
    assert_eq!(asked(&hostile, &link()).subject, asked(&sheet, &link()).subject, "whatever anybody wrote");
}

#[test]
fn there_is_one_link_or_none() {
    for (name, has_link, mail) in every_mail() {
        let expected = usize::from(has_link);
        for part in [&mail.text, &mail.html] {
            assert_eq!(part.matches("://").count(), expected, "{name}");
            assert_eq!(part.matches(link().as_str()).count(), expected, "{name}");
        }
        assert_eq!(mail.html.matches("<a ").count(), expected, "{name}");
        assert_eq!(mail.text.lines().filter(|line| *line == link().as_str()).count(), expected, "{name}");
        assert!(!mail.text.contains("evil.example") && !mail.text.contains("mailto:"), "{name}");
        for never in ["<img", "<script", "<link", "<iframe", "url(", "javascript:", "mailto:", "evil.example"] {
            assert!(!mail.html.contains(never), "{name}: {never}");
        }
    }
}

#[test]
fn only_our_own_words_begin_a_line_of_text() {
    const OURS: [&str; 5] = ["| ", "    ", "- ", "  ", "Attention: "];
    for (name, _, mail) in every_mail() {
        assert!(!mail.text.chars().any(|c| c.is_control() && c != '\n'), "{name}");
        for line in mail.text.lines() {
            assert!(line.chars().count() <= 76 || line == link().as_str(), "{name}: {line}");
            // Where a line holds what others wrote, our words come first.
            let foreign = ["canary", "Bcc", "--boundary", "Subject:", "evil"].iter().find_map(|word| line.find(word));
            if let Some(at) = foreign {
                let label = line.find(": ").is_some_and(|colon| colon < at);
                let ours = OURS.iter().any(|ours| line.starts_with(ours)) || line.starts_with("Denied by ");
                assert!(ours || label, "{name}: {line}");
            }
        }
    }
}

#[test]
fn page_and_mail_show_the_same_rows() {
    let flat = |text: &str| text.split_whitespace().map(|word| word.trim_start_matches('|')).collect::<String>();
    for (name, sheet) in samples::sheets() {
        let mail = asked(&sheet, &link());
        let view = View::of(&sheet);
        let (page, text) = (crate::sheet::html(&view).into_string(), flat(&mail.text));
        for row in view.sections.iter().flat_map(|section| &section.rows) {
            assert!(text.contains(&flat(row.label)), "{name}: {}", row.label);
            for value in &row.values {
                let escaped = maud::html! { (value.text) }.into_string();
                assert!(page.contains(&escaped) && mail.html.contains(&escaped), "{name}: {}", value.text);
                assert!(text.contains(&flat(&value.text)), "{name}: {}", value.text);
            }
        }
    }
}

#[test]
fn a_long_digest_ends() {
    let scope = "test/acct_1".parse().unwrap();
    let many: Vec<String> = (0..MAX_LINES + 7).map(|i| format!("event {i}")).collect();
    let mail = operators(&scope, &many);
    assert!(mail.text.contains("- and 7 more\n") && !mail.text.contains("event 200"));
    assert_eq!(mail.subject, "[TEST] Axiru: 207 things happened in acct_1");
}
