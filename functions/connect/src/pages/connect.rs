//! The pages of a connect: the link, the confirmation, the end.

use axiru_aws::connect::setup_link::LinkState;
use axiru_aws::connect::token::Token;
use axiru_domain::{AccountId, Mode, Scope};
use maud::{Markup, html};

use super::layout::{class, document, meaning, shout};

/// The account that a person is asked to confirm. No `Debug`: it holds the state.
pub(crate) struct Confirmation {
    /// The mode.
    pub(crate) mode: Mode,
    /// The account.
    pub(crate) account: AccountId,
    /// What Stripe says that it is called.
    pub(crate) display_name: String,
    /// Its country.
    pub(crate) country: String,
    /// Its default currency.
    pub(crate) currency: String,
    /// The state, for the form.
    pub(crate) state: Token,
}

/// `/stripe/install` without a link.
pub(crate) fn install_without_link() -> Markup {
    document(
        "Connect a Stripe account",
        html! {
            h1 { "Connect a Stripe account" }
            p class="lead" { "To connect an account you need a set-up link." }
            p { "The person who runs this deployment makes one with the command " code { "axiru connect --mode test" }
                " and sends it to you. It works once for each mode it allows, and for a limited time. Without it nobody can connect an account here." }
            (expectations())
        },
    )
}

/// `/stripe/install` with a link that is known.
pub(crate) fn install(link: &Token, offers: &[(Mode, LinkState)]) -> Markup {
    document(
        "Connect a Stripe account",
        html! {
            h1 { "Connect a Stripe account" }
            p class="lead" { "You will choose the account at Stripe, and see it here once more before anything is connected." }
            @for (mode, state) in offers {
                p class={ "band " (class(*mode)) } { (meaning(*mode)) }
                div class={ "box " (class(*mode)) } {
                    @match state {
                        LinkState::Open(until) => {
                            p { "This link may be used until " time datetime=(until) { (minutes(&until.to_string())) } "." }
                            form method="post" action="/stripe/install" {
                                input type="hidden" name="link" value=(link.expose());
                                input type="hidden" name="mode" value=(mode);
                                button class=(class(*mode)) type="submit" { "Connect with Stripe in " (mode) " mode" }
                            }
                        }
                        LinkState::Used => p { "An account was connected with this link in " (mode) " mode. Ask for a new link to connect another." },
                        LinkState::Expired | LinkState::Unknown => p { "This link has expired in " (mode) " mode. Ask for a new one." },
                    }
                }
            }
            (expectations())
        },
    )
}

/// The page that shows which account it is, and asks.
pub(crate) fn confirm(account: &Confirmation, notice: Option<&str>) -> Markup {
    let mode = account.mode;
    document(
        "Confirm the account",
        html! {
            p class={ "band " (class(mode)) } { (meaning(mode)) }
            h1 { "This is " bdi { (account.display_name) } ", " (account.country) ", in " (shout(mode)) " mode: confirm" }
            @if let Some(notice) = notice {
                p class="note" role="alert" { (notice) }
            }
            dl {
                dt { "Account" } dd { code { (account.account) } }
                dt { "Name at Stripe" } dd { bdi { (account.display_name) } }
                dt { "Country" } dd { (account.country) }
                dt { "Default currency" } dd { (account.currency.to_uppercase()) }
                dt { "Mode" } dd { (shout(mode)) }
            }
            p { "Nothing is connected yet. When you confirm, Axiru begins to observe this account in shadow: it records, and touches nothing." }
            form method="post" action="/stripe/confirm" {
                input type="hidden" name="state" value={ (mode) "." (account.state.expose()) };
                input type="hidden" name="account" value=(account.account);
                button class=(class(mode)) type="submit" { "Confirm and connect in " (mode) " mode" }
            }
            h2 { "Is it another account than you meant?" }
            p { "Close this page. The access is not used and its record is deleted after a day; to take it back at once, uninstall the app in that account's Stripe Dashboard. \
                 Then open your set-up link again." }
        },
    )
}

/// The end of a connect.
pub(crate) fn connected(scope: &Scope, display_name: &str) -> Markup {
    let mode = scope.mode();
    document(
        "Connected",
        html! {
            p class={ "band " (class(mode)) } { (meaning(mode)) }
            h1 { bdi { (display_name) } " is connected in " (shout(mode)) " mode" }
            p class="lead" { "Every plan is in shadow: nothing is held, blocked or changed." }
            h2 { "What happens next" }
            ol {
                li { "From now on Stripe tells Axiru about refunds, disputes, payouts and transfers of " code { (scope.account()) } "." }
                li { "Each is held against the starter plans. What they would have said is recorded; the money moves as ever." }
                li { "After some days " code { "axiru shadow report" } " shows what would have been held or blocked, and by which rule." }
                li { "Only then may somebody decide to enforce a plan. That is a step of its own, and asks for permissions of its own." }
            }
            h2 { "To end it" }
            p { "Uninstall the app in the Stripe Dashboard of the account. Axiru then deletes its tokens and stops listening; the record stays." }
            p { "If your set-up link also allows the other mode, open it again to connect there." }
        },
    )
}

/// What a person may expect, beside every way in.
fn expectations() -> Markup {
    html! {
        h2 { "What Axiru may do then" }
        ul {
            li { "It reads. It cannot move money, and changes nothing in the account." }
            li { a class="way" href="/permissions" { "Each permission, what it is for, and what is never read" } }
            li { a class="way" href="/privacy" { "What is kept" } }
        }
    }
}

/// `2026-10-31T23:59:59.000Z` as people read it.
fn minutes(moment: &str) -> String {
    let date = moment.get(..10).unwrap_or_default();
    let time = moment.get(11..16).unwrap_or_default();
    format!("{date} {time} UTC")
}
