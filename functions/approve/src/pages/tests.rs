use std::collections::BTreeSet;
use std::path::Path;

use axiru_domain::{Choice, Sheet, Timestamp};
use axiru_pages::{Ending, Page, Standing, samples};
use http::StatusCode;

use super::gallery::every_page;
use super::*;

const LINK: &str = "Ab3-Ab3-Ab3-Ab3-Ab3-Ab3-Ab3-Ab3-Ab3-Ab3-Ab3-Ab3-Ab3-Ab3-Ab3-Ab3-";

fn refund() -> Sheet {
    samples::refund().unwrap()
}

fn at() -> Timestamp {
    Timestamp::from_secs(1_793_450_000).unwrap()
}

#[test]
fn every_state_has_its_status() {
    let (sheet, made) = (refund(), Ending::Made { object: None });
    let over = Standing::Ended(made.clone());
    let of = |page: Page| page.status().as_u16();
    for (state, status, expected) in [
        ("valid, pending", of(ask(&sheet, LINK)), 200),
        ("you voted", of(voted(&sheet, Choice::Deny, at(), &Standing::Pending)), 200),
        ("decided by others", of(decided(&sheet, &[], &over)), 200),
        ("link expired, request open", of(link_expired(LINK)), 410),
        ("new link", of(new_link_sent()), 200),
        ("request ended", of(ended(&sheet, &[], &made)), 410),
        ("recorded", of(recorded(&sheet, Choice::Approve, &Standing::Approved)), 200),
        ("the opposite vote", of(opposite(&sheet, Choice::Approve, at(), &over)), 409),
        ("request changed", of(Trouble::Changed.page()), 409),
        ("another digest", of(Trouble::DigestDiffers.page()), 409),
        ("bad MAC, unknown", of(Trouble::LinkUnknown.page()), 404),
        ("who asked", of(Trouble::SomeoneElse.page()), 403),
        ("not an approver", of(Trouble::NotAnApprover.page()), 403),
        ("unreadable", of(Trouble::Unreadable.page()), 400),
        ("not a form", of(Trouble::NotAForm.page()), 415),
        ("another site", of(Trouble::Elsewhere.page()), 403),
        ("wrong method", of(Trouble::WrongMethod.page()), 405),
        ("out of reach", of(Trouble::Unavailable.page()), 503),
    ] {
        assert_eq!(status, expected, "{state}");
    }
}

#[test]
fn the_gallery_has_every_page_once() {
    let pages = gallery();
    let names: BTreeSet<_> = pages.iter().map(|(name, _)| name).collect();
    assert_eq!((names.len(), pages.len()), (pages.len(), 2 + 8 + 32 + 4 + Trouble::ALL.len()));
    assert!(names.iter().all(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')));
}

#[test]
fn every_page_is_whole_leads_nowhere_and_loads_nothing() {
    for (name, page) in gallery() {
        assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">"), "{name}");
        for once in [
            "<h1",
            "<title>",
            "<main id=\"main\"",
            "href=\"#main\"",
            "name=\"viewport\"",
            "<style>",
            "<header>",
            "<footer>",
        ] {
            assert_eq!(page.matches(once).count(), 1, "{name}: {once}");
        }
        // The one anchor skips to the content.
        assert_eq!((page.matches("<a ").count(), page.matches("href=\"").count()), (1, 1), "{name}");
        for never in ["<script", "<img", "<link", "<iframe", "://", " style=", " onclick", "javascript:", "autofocus"] {
            assert!(!page.contains(never), "{name}: {never}");
        }
        assert!(page.contains("sets no cookie"), "{name}");
    }
}

#[test]
fn a_page_that_asks_has_one_form_and_two_ways_to_answer() {
    let page = ask(&refund(), LINK);
    let html = page.html();
    assert_eq!((html.matches("<form").count(), html.matches("<button").count()), (1, 2));
    for part in [
        "<form method=\"post\" action=\"/approvals/decide\"",
        &format!("<input type=\"hidden\" name=\"link\" value=\"{LINK}\">"),
        "<input type=\"hidden\" name=\"digest\" value=\"3f7a91c2\">",
        "<label for=\"reason\">",
        "name=\"reason\" rows=\"3\" maxlength=\"500\"",
        "name=\"decision\" value=\"approve\">Approve <span>Refund 1,250.00 USD</span></button>",
        "name=\"decision\" value=\"deny\">Deny <span>",
        "LIVE mode: real money",
        "<code><bdi>3F7A 91C2</bdi></code>",
    ] {
        assert!(html.contains(part), "{part}");
    }
    assert!(
        html.find("Request</dt>") < html.find("<form") && html.find("Text written by the caller") < html.find("<form")
    );
}

#[test]
fn no_other_page_can_answer_and_only_those_that_must_hold_the_link() {
    for (name, page) in every_page() {
        let asks = name.starts_with("ask-");
        assert_eq!(page.html().contains("/approvals/decide"), asks, "{name}");
        assert_eq!(page.html().contains("/approvals/resend"), name == "link-expired", "{name}");
        assert_eq!(page.html().contains("name=\"link\""), asks || name == "link-expired", "{name}");
        assert_eq!(page.html().contains("<form"), asks || name == "link-expired", "{name}");
    }
}

#[test]
fn pages_for_strangers_show_nothing_of_a_request() {
    let silent = |name: &str| name.starts_with("trouble-") || name.contains("link");
    let pages: Vec<_> = every_page().into_iter().filter(|(name, _)| silent(name)).collect();
    assert_eq!(pages.len(), Trouble::ALL.len() + 2);
    for (name, page) in pages {
        for fact in ["USD", "1,250", "3F7A", "acct_", "ch_", "Rosa", "shop.example", "dec_", "LIVE", "TEST"] {
            assert!(!page.html().contains(fact), "{name}: {fact}");
        }
    }
}

#[test]
fn nothing_was_recorded_is_said_wherever_it_is_so() {
    for trouble in Trouble::ALL {
        let said = trouble.page().html().contains("Nothing was recorded");
        assert_eq!(said, trouble != Trouble::LinkUnknown, "{trouble:?}");
        assert!(!trouble.page().status().is_success());
    }
    let opposite = opposite(&refund(), Choice::Approve, at(), &Standing::Pending);
    assert!(opposite.html().contains("Your first answer stands. What you said now was not recorded."));
    assert!(opposite.html().contains("You approved this, 2026-10-31 12:33 UTC."));
}

#[test]
fn who_decided_and_when_is_told() {
    let (_, page) = every_page().into_iter().find(|(name, _)| name == "decided-made-refund").unwrap();
    for part in [
        "<h1>Made</h1>",
        "Approved by jo@shop.example, 2026-10-31 01:00 UTC",
        "Approved by rosa@shop.example, 2026-10-31 01:01 UTC",
        "It was approved and made: re_3PgafTB7WZ01zgkW at Stripe.",
    ] {
        assert!(page.html().contains(part), "{part}");
    }
    assert_eq!(page.status(), StatusCode::OK);
}

#[test]
fn a_denial_is_told_once() {
    let (_, page) = every_page().into_iter().find(|(name, _)| name == "ended-denied-refund").unwrap();
    assert_eq!(page.html().matches("Denied by rosa@shop.example").count(), 1);
    assert_eq!(page.html().matches("Approved by jo@shop.example").count(), 1);
}

#[test]
fn what_others_wrote_is_only_ever_text() {
    let hostile: Vec<_> = gallery().into_iter().filter(|(name, _)| name.ends_with("-hostile")).collect();
    assert_eq!(hostile.len(), 4);
    for (name, page) in hostile {
        assert!(page.contains("&quot;&gt;&lt;script&gt;") && !page.contains("<script"), "{name}");
        assert!(!page.contains("evil.example") && !page.contains('\u{202e}') && !page.contains('\u{200b}'), "{name}");
    }
}

#[test]
fn the_pages_are_the_stored_ones() {
    let room = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests");
    let folder = Path::new(&room).join("snapshots");
    let write = std::env::var_os("AXIRU_SNAPSHOTS").is_some_and(|word| word == "write");
    for (name, page) in every_page() {
        // What stands around it is the same on every page.
        let (_, main) = page.html().split_once("<main").expect("a main part");
        let (main, _) = main.split_once("<footer").expect("a footer");
        let text = format!("{}\n\n<main{}\n", page.status(), main.replace("><", ">\n<"));
        let file = folder.join(format!("{name}.html"));
        if write {
            std::fs::create_dir_all(&folder).expect("the folder can be made");
            std::fs::write(&file, &text).expect("the file can be written");
        }
        let known = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            known == text,
            "{name} is not as stored; if that is meant, run once with AXIRU_SNAPSHOTS=write\n{text}"
        );
    }
}
