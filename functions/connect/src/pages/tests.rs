use axiru_aws::connect::setup_link::LinkState;
use axiru_aws::connect::token::Token;
use axiru_domain::{Mode, Timestamp};

use super::*;

fn confirmation(name: &str) -> Confirmation {
    Confirmation {
        mode: Mode::Live,
        account: "acct_1".parse().unwrap(),
        display_name: name.to_owned(),
        country: "DE".to_owned(),
        currency: "eur".to_owned(),
        state: Token::random().unwrap(),
    }
}

#[test]
fn the_gallery_has_every_page() {
    let pages = gallery();
    assert_eq!(pages.len(), 10 + Trouble::ALL.len());
    let names: std::collections::BTreeSet<_> = pages.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), pages.len());
}

#[test]
fn every_page_is_whole_and_loads_nothing() {
    for (name, page) in gallery() {
        assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">"), "{name}");
        for once in
            ["<h1", "<title>", "<main id=\"main\"", "href=\"#main\"", "name=\"viewport\"", "<style>", "<footer>"]
        {
            assert_eq!(page.matches(once).count(), 1, "{name}: {once}");
        }
        for never in [
            "<script",
            "<img",
            "<link",
            "<iframe",
            "http://",
            "https://",
            " style=",
            " onclick",
            "javascript:",
            "autofocus",
        ] {
            assert!(!page.contains(never), "{name}: {never}");
        }
        assert!(page.contains("nothing to choose") && page.contains("href=\"/privacy\""), "{name}: the cookie notice");
    }
}

#[test]
fn what_stripe_calls_an_account_is_only_ever_text() {
    let hostile: Vec<_> = gallery().into_iter().filter(|(_, page)| page.contains("canary")).collect();
    assert_eq!(hostile.len(), 3);
    for (name, page) in hostile {
        assert!(!page.contains("<script>") && !page.contains("\">&"), "{name}");
        assert!(page.contains("&lt;script&gt;"), "{name}");
    }
}

#[test]
fn without_an_open_link_there_is_no_button() {
    let link = Token::random().unwrap();
    assert!(!install_without_link().into_string().contains("<button"));
    let closed = [(Mode::Test, LinkState::Expired), (Mode::Live, LinkState::Used)];
    assert!(!install(&link, &closed).into_string().contains("<button"));
    assert!(!install(&link, &closed).into_string().contains(link.expose()));
}

#[test]
fn a_link_offers_exactly_its_open_modes() {
    let link = Token::random().unwrap();
    let until = Timestamp::from_secs(1_793_404_800).unwrap();
    let page = install(&link, &[(Mode::Test, LinkState::Open(until)), (Mode::Live, LinkState::Expired)]).into_string();
    assert_eq!(page.matches("<button").count(), 1);
    assert!(page.contains("Connect with Stripe in test mode") && !page.contains("value=\"live\""));
    assert!(page.contains("2026-10-31 00:00 UTC") || page.contains("2026-10-30"), "{page}");
}

#[test]
fn the_confirmation_names_the_account_and_shouts_the_mode() {
    let confirmation = confirmation("Rosa’s Shop");
    let page = confirm(&confirmation, None).into_string();
    assert!(page.contains("This is <bdi>Rosa’s Shop</bdi>, DE, in LIVE mode: confirm"));
    assert!(page.contains("name=\"account\" value=\"acct_1\""));
    assert!(page.contains(&format!("name=\"state\" value=\"live.{}\"", confirmation.state.expose())));
    assert!(!page.contains("role=\"alert\""));
}

#[test]
fn the_permissions_page_is_the_table() {
    let page = permissions().into_string();
    for row in &axiru_stripe::permissions::PERMISSIONS {
        assert!(page.contains(&format!("id=\"{}\"", row.name)));
        assert!(row.enforcement.is_none_or(|write| page.contains(write.name)));
    }
}

#[test]
fn no_trouble_is_said_with_a_status_of_success_but_a_refusal_of_ones_own() {
    for trouble in Trouble::ALL {
        assert_eq!(trouble.page().status().is_success(), trouble == Trouble::Declined, "{trouble:?}");
    }
}
