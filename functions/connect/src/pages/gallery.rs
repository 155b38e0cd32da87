//! Every page in every state, for the checks that open them in a browser.

use axiru_aws::connect::setup_link::LinkState;
use axiru_aws::connect::token::Token;
use axiru_domain::{Mode, Timestamp};

use super::{Confirmation, Trouble, confirm, connected, home, install, install_without_link, permissions, privacy};

/// What somebody might call an account to break a page.
const HOSTILE: &str = "\"><script>alert(1)</script>&'canary";

/// A token of zeros: opens nothing.
const TOKEN: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Every page in every state: its name, which can be a file's, and its document.
#[must_use]
pub fn gallery() -> Vec<(String, String)> {
    let mut pages = vec![
        ("home", home()),
        ("permissions", permissions()),
        ("privacy", privacy()),
        ("install-without-link", install_without_link()),
    ];
    // The samples are well-formed, and a test counts the pages.
    pages.extend(connecting().unwrap_or_default());
    let named = pages.into_iter().map(|(name, page)| (format!("connect-{name}"), page.into_string()));
    let troubles = Trouble::ALL.into_iter().map(|trouble| {
        let name = format!("connect-trouble-{trouble:?}").to_lowercase();
        (name, trouble.page().html().to_owned())
    });
    named.chain(troubles).collect()
}

fn connecting() -> Option<Vec<(&'static str, maud::Markup)>> {
    let until = Timestamp::from_secs(1_793_404_800).ok()?;
    let link: Token = TOKEN.parse().ok()?;
    let offers = [(Mode::Test, LinkState::Open(until)), (Mode::Live, LinkState::Used)];
    let confirmation = |name: &str| {
        Some(Confirmation {
            mode: Mode::Live,
            account: "acct_1PgafTB7WZ01zgkW".parse().ok()?,
            display_name: name.to_owned(),
            country: "DE".to_owned(),
            currency: "eur".to_owned(),
            state: TOKEN.parse().ok()?,
        })
    };
    let scope = "test/acct_1PgafTB7WZ01zgkW".parse().ok()?;
    Some(vec![
        ("install", install(&link, &offers)),
        ("confirm", confirm(&confirmation("Rosa’s Shop")?, None)),
        ("confirm-hostile", confirm(&confirmation(HOSTILE)?, None)),
        ("confirm-again", confirm(&confirmation(HOSTILE)?, Some("Not yet."))),
        ("connected", connected(&scope, "Rosa’s Shop")),
        ("connected-hostile", connected(&scope, HOSTILE)),
    ])
}
