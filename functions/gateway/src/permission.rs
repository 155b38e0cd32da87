//! Permissions that the app lacks at Stripe: what to do about it, in the place of Stripe's own words, which show part of the app's token.

use axiru_domain::{Family, Scope};
use axiru_stripe::gateway::Reads;
use axiru_stripe::permissions::write_permission;
use bytes::Bytes;
use http::{Response, StatusCode};

use crate::app::App;
use crate::error::Refusal;

const CODE: &str = "axiru_permission_missing";

/// Whether Stripe says so.
pub(crate) fn is_missing(answer: &Response<Bytes>) -> bool {
    answer.status() == StatusCode::FORBIDDEN
}

/// The refusal of a write of that family, where Stripe says so. The connection counts as one that may not do this from now on.
pub(crate) async fn written(app: &App, scope: &Scope, family: Family, answer: &Response<Bytes>) -> Option<Refusal> {
    if !is_missing(answer) {
        return None;
    }
    if let Err(error) = app.store.permission_refused(scope, app.now).await {
        // The refusal stands without it.
        tracing::error!(scope = %scope, error = %error, "a missing permission could not be noted");
    }
    Some(missing(write_permission(family)))
}

/// The refusal of a read, where Stripe says so.
pub(crate) fn read(reads: &Reads, answer: &Response<Bytes>) -> Option<Refusal> {
    is_missing(answer).then(|| missing(of_read(reads.route().path)))
}

/// The permission of what is read. Refunds are covered by charges (Stripe docs, "Permissions reference").
fn of_read(path: &str) -> &'static str {
    match path.split('/').nth(2).unwrap_or_default() {
        "payouts" => "payout_read",
        "transfers" => "transfer_read",
        "disputes" => "dispute_read",
        _ => "charge_read",
    }
}

/// The app lacks that permission.
pub(crate) fn missing(name: &str) -> Refusal {
    Refusal::new(
        StatusCode::FORBIDDEN,
        CODE,
        format!(
            "Axiru's app lacks the permission `{name}` at Stripe. An operator uploads the manifest that has it, deploys with \
             StripeAppPermissions=enforcing, and connects the account again with `axiru connect`."
        ),
    )
}

/// The app never has the permission for what leads around the decision.
pub(crate) fn never_asked_for() -> Refusal {
    Refusal::new(
        StatusCode::FORBIDDEN,
        CODE,
        "Axiru's app has no permission at Stripe for this call and asks for none. Make it with your own Stripe client.",
    )
}

#[cfg(test)]
mod tests {
    use axiru_stripe::gateway::{Does, ROUTES};
    use axiru_stripe::permissions::PERMISSIONS;

    use super::*;

    #[test]
    fn every_read_needs_a_permission_that_the_app_asks_for() {
        for route in ROUTES.iter().filter(|route| matches!(route.does, Does::Read)) {
            let name = of_read(route.path);
            assert!(PERMISSIONS.iter().any(|permission| permission.name == name), "{}: {name}", route.name);
            let family = name.trim_end_matches("_read");
            let of_charges = family == "charge" && route.path.starts_with("/v1/refunds");
            assert!(route.path.contains(family) || of_charges, "{}: {name}", route.path);
        }
    }
}
