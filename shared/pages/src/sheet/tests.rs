use axiru_domain::{Currency, Kind, Money};

use super::*;
use crate::samples;

fn texts(view: &View) -> Vec<&str> {
    let rows = view.sections.iter().flat_map(|section| &section.rows);
    rows.flat_map(|row| &row.values).map(|value| value.text.as_str()).collect()
}

fn row<'a>(view: &'a View, label: &str) -> Vec<&'a str> {
    let mut rows = view.sections.iter().flat_map(|section| &section.rows);
    let row = rows.find(|row| row.label == label).unwrap_or_else(|| panic!("{label}"));
    row.values.iter().map(|value| value.text.as_str()).collect()
}

fn sample(name: &str) -> Sheet {
    let mut all = samples::sheets().into_iter();
    all.find(|(sample, _)| *sample == name).map(|(_, sheet)| sheet).unwrap_or_else(|| panic!("{name}"))
}

#[test]
fn every_sample_is_there_and_says_all_that_an_approver_must_know() {
    assert_eq!(samples::sheets().len(), 8);
    for (name, sheet) in samples::sheets() {
        let view = View::of(&sheet);
        let labels: Vec<_> = view.sections.iter().flat_map(|section| &section.rows).map(|row| row.label).collect();
        // The order of facts in the design: money, who, why, how it stands.
        let order = ["Stripe account", "Asked by", "Rules that ask", "Limits", "Approvals", "Open until"];
        let at: Vec<_> = order.iter().map(|label| labels.iter().position(|found| found == label)).collect();
        assert!(at.iter().all(Option::is_some) && at.is_sorted(), "{name}: {labels:?}");
        assert!(view.sections.iter().flat_map(|section| &section.rows).all(|row| !row.values.is_empty()), "{name}");
        assert_eq!(view.caller.is_some(), !matches!(name, "payout" | "bare"), "{name}");
    }
}

#[test]
fn verb_and_amount_of_every_kind() {
    let mut sheet = sample("refund");
    for (kind, headline) in [
        (Kind::Refund, "Refund 1,250.00 USD"),
        (Kind::Payout, "Pay out 1,250.00 USD"),
        (Kind::Transfer, "Transfer 1,250.00 USD"),
        (Kind::TransferReversal, "Take back a transfer of 1,250.00 USD"),
        (Kind::DisputeAccept, "Accept a dispute over 1,250.00 USD"),
        (Kind::DisputeSubmit, "Send evidence in a dispute over 1,250.00 USD"),
    ] {
        sheet.kind = kind;
        assert_eq!(View::of(&sheet).headline, headline);
    }
}

#[test]
fn every_currency_has_its_own_decimals_in_every_amount() {
    for currency in Currency::moved() {
        let mut sheet = sample("refund");
        sheet.money = Money::new(1_230, currency).unwrap();
        let original = sheet.original.as_mut().unwrap();
        original.money = Money::new(4_560, currency).unwrap();
        (original.refunded_minor, original.remaining_minor) = (10, 4_550);
        sheet.limits[0].amount = Some((1_000, 2_230, 9_990));
        let code = currency.as_str().to_ascii_uppercase();
        let (asked, left, limit) = match currency.exponent() {
            0 => ("1,230", "3,320", "1,000"),
            3 => ("1.230", "3.320", "1.000"),
            _ => ("12.30", "33.20", "10.00"),
        };
        let view = View::of(&sheet);
        assert_eq!(view.headline, format!("Refund {asked} {code}"));
        assert_eq!(row(&view, "Left after this"), [format!("{left} {code}")]);
        assert!(row(&view, "Limits")[0].contains(&format!(": {limit} {code} before,")), "{:?}", row(&view, "Limits"));
    }
}

#[test]
fn what_is_wrong_is_said_in_words() {
    let view = View::of(&sample("refund-second-vote"));
    for (label, words) in [
        ("Left after this", "Attention: this is more than may still go back."),
        ("Disputed", "Attention: yes. The customer's bank may take the money back as well."),
        ("Alike in 24 hours", "Attention: 2 more with the same caller, object and amount. Is this one a repetition?"),
        ("What nobody could tell", "Attention: if this were known, a rule might forbid it altogether."),
        ("Approvals", "finance: 1 of 2 approved, 1 more needed"),
        ("Approvals", "management: 1 of 1 approved, enough"),
    ] {
        assert!(row(&view, label).contains(&words), "{label}: {:?}", row(&view, label));
    }
    assert!(row(&view, "Limits")[0].starts_with("Attention: this goes beyond agent-per-day"));
    let mut other = sample("refund");
    other.money = Money::new(1, "eur".parse().unwrap()).unwrap();
    assert!(row(&View::of(&other), "Left after this")[0].starts_with("Attention: the currencies differ"));
    let bare = View::of(&sample("bare"));
    assert!(row(&bare, "Original payment")[0].starts_with("Attention: nobody could tell."));
    assert_eq!((row(&bare, "Customer"), row(&bare, "Alike in 24 hours")), (vec!["not known"], vec!["not known"]));
}

#[test]
fn an_ordinary_request_calls_for_no_attention() {
    for name in ["refund", "payout", "transfer", "reversal", "dispute"] {
        let view = View::of(&sample(name));
        assert!(!texts(&view).iter().any(|text| text.contains("Attention")), "{name}: {:?}", texts(&view));
    }
}

#[test]
fn no_row_is_empty() {
    let mut sheet = sample("refund");
    (sheet.asking, sheet.groups, sheet.limits) = (Vec::new(), Vec::new(), Vec::new());
    let view = View::of(&sheet);
    for (label, words) in [("Rules that ask", "none"), ("Approvals", "none"), ("Limits", "none applies")] {
        assert_eq!(row(&view, label), [words]);
    }
}

#[test]
fn foreign_text_stays_a_line_and_the_digest_stays_digits() {
    let view = View::of(&sample("hostile"));
    for text in texts(&view) {
        assert!(!text.chars().any(char::is_control) && !text.contains("://") && !text.contains('\u{202e}'), "{text}");
    }
    assert!(row(&view, "Stripe account").iter().any(|text| text.contains("alphabets")));
    assert_eq!(View::of(&sample("refund")).digest, "3F7A 91C2");
    assert_eq!((grouped(""), grouped("3f7a91c2\r\nBcc: x").as_str()), (String::new(), "3F7A 91C2"));
    let page = html(&view).into_string();
    assert!(!page.contains("<script") && !page.contains("<a ") && page.contains("&lt;script&gt;"));
}

#[test]
fn every_line_of_a_view_is_on_the_page() {
    for (name, sheet) in samples::sheets() {
        let view = View::of(&sheet);
        let page = html(&view).into_string();
        for text in texts(&view) {
            assert!(page.contains(&maud::html! { (text) }.into_string()), "{name}: {text}");
        }
        assert_eq!(page.contains(CALLER), view.caller.is_some());
        assert!(page.contains(crate::band::meaning(view.mode)) && page.contains(&view.headline));
    }
}

#[test]
fn times_are_never_later_than_they_are() {
    assert_eq!(utc(Timestamp::from_millis(1_793_491_199_999).unwrap()), "2026-10-31 23:59 UTC");
}
