//! `/privacy`: what is kept, and the cookie.

use maud::{Markup, html};

use super::layout::document;

/// `/privacy`.
pub(crate) fn privacy() -> Markup {
    document(
        "Privacy and cookies",
        html! {
            h1 { "Privacy and cookies" }
            p class="lead" { "This deployment runs in the AWS account of the company that uses it. Nobody else receives anything." }
            h2 { "What is kept about a connected account" }
            ul {
                li { "Its Stripe id, display name, country and default currency." }
                li { "The access that Stripe gave, encrypted with a key that is bound to that account and mode." }
                li { "Of each refund, dispute, payout and transfer: ids, amount, currency, status, reason and times." }
            }
            h2 { "What never is" }
            ul {
                li { "Card numbers or their last digits, bank details, account holders." }
                li { "Names, e-mail addresses, addresses and messages of your customers; evidence of disputes." }
                li { "Descriptions and metadata: they may hold anything." }
            }
            p { "They are dropped when an event arrives, before anything is stored." }
            h2 { "The record" }
            p { "What Axiru observes and decides is written into a record that is only ever added to. It holds Stripe's ids, amounts and words from closed lists, \
                 and no personal data, so that nothing in it has to be forgotten. Who operates Axiru stands in it under a pseudonym; the name behind it is kept apart and can be erased." }
            h2 { "Ending it" }
            p { "Uninstall the app in the Stripe Dashboard: the access is deleted and no further event is accepted. The record stays with the company that runs this deployment." }
            h2 { "Cookies" }
            p { "One: " code { "__Host-axiru-state" } ". It is set when you press a button to connect an account, ties that one visit to your browser so that nobody else can \
                 finish it, and ends after ten minutes. It is strictly necessary for that, holds a random number and is read by nobody else." }
            p { "There are no other cookies, no analytics, no fingerprinting and no third parties. Nothing non-essential exists, so there is nothing to agree to." }
        },
    )
}
