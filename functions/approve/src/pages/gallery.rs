//! Every page in every state, for the checks that open them in a browser.

use axiru_domain::{Choice, Sheet};
use axiru_pages::{Answered, Ending, Page, Standing, samples};

use super::{Trouble, ask, decided, ended, link_expired, new_link_sent, opposite, recorded, voted};

/// A link of zeros: opens nothing.
const LINK: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Every page in every state: its name, which can be a file's, and its document.
#[must_use]
pub fn gallery() -> Vec<(String, String)> {
    every_page().into_iter().map(|(name, page)| (format!("approve-{name}"), page.html().to_owned())).collect()
}

/// Every page in every state.
pub(super) fn every_page() -> Vec<(String, Page)> {
    let mut pages =
        vec![("link-expired".to_owned(), link_expired(LINK)), ("new-link-sent".to_owned(), new_link_sent())];
    for (sample, sheet) in samples::sheets() {
        pages.push((format!("ask-{sample}"), ask(&sheet, LINK)));
        // Of the other samples those that read differently.
        let shown = |name: &str| match sample {
            "refund" => true,
            "payout" => name == "recorded-released",
            "hostile" => matches!(name, "voted-pending" | "ended-denied" | "decided-approved"),
            _ => false,
        };
        let outcomes = outcomes(&sheet).into_iter().filter(|(name, _)| shown(name));
        pages.extend(outcomes.map(|(name, page)| (format!("{name}-{sample}"), page)));
    }
    let troubles = Trouble::ALL.into_iter();
    pages.extend(troubles.map(|trouble| (format!("trouble-{trouble:?}").to_lowercase(), trouble.page())));
    pages
}

/// The pages that tell how a request stands.
fn outcomes(sheet: &Sheet) -> Vec<(String, Page)> {
    let at = sheet.asked_at.plus_secs(3_600);
    // In the hostile sample the operator's name is: whatever answers as a name.
    let answer = |choice| Answered { by: sheet.operator.clone(), choice, at: at.plus_secs(90) };
    let first = Answered { by: "jo@shop.example".to_owned(), choice: Choice::Approve, at };
    let answers = |choice| [first.clone(), answer(choice)];
    let endings = [
        ("denied", Ending::Denied(answer(Choice::Deny))),
        ("expired", Ending::Expired),
        ("not-begun", Ending::NotBegun),
        ("cancelled", Ending::Cancelled { why: "The payment was refunded by other means meanwhile.".to_owned() }),
        ("made", Ending::Made { object: "re_3PgafTB7WZ01zgkW".parse().ok() }),
        ("refused", Ending::Refused { code: Some("charge_already_refunded".to_owned()) }),
        ("unknown", Ending::Unknown),
    ];
    let standings =
        [("pending", Standing::Pending), ("approved", Standing::Approved), ("released", Standing::Released)];
    let mut pages = Vec::new();
    for (name, standing) in &standings {
        pages.push((format!("recorded-{name}"), recorded(sheet, Choice::Approve, standing)));
        pages.push((format!("voted-{name}"), voted(sheet, Choice::Approve, at, standing)));
        pages.push((format!("opposite-{name}"), opposite(sheet, Choice::Approve, at, standing)));
    }
    for (name, ending) in endings {
        let denied = matches!(ending, Ending::Denied(_));
        let choice = if denied { Choice::Deny } else { Choice::Approve };
        let standing = Standing::Ended(ending.clone());
        pages.push((format!("ended-{name}"), ended(sheet, &answers(choice), &ending)));
        pages.push((format!("decided-{name}"), decided(sheet, &answers(choice), &standing)));
        pages.push((format!("voted-{name}"), voted(sheet, choice, at, &standing)));
        if denied {
            pages.push(("recorded-denied".to_owned(), recorded(sheet, Choice::Deny, &standing)));
        }
    }
    pages.push(("decided-approved".to_owned(), decided(sheet, &answers(Choice::Approve), &Standing::Approved)));
    pages
}
