//! `/stripe/install`: what the set-up link allows, and the way to Stripe's consent page.

use axiru_aws::connect::setup_link::LinkState;
use axiru_aws::connect::token::{Token, TokenPurpose};
use axiru_domain::Mode;
use axiru_pages::{Fields, Page};
use axiru_stripe::oauth::authorize_link;
use http::StatusCode;

use crate::answer::{Answer, form_targets};
use crate::app::App;
use crate::browser;
use crate::pages::{self, Trouble};

/// `GET`: explains; with a link it offers the modes that the link allows.
pub(crate) async fn show(app: &App, fields: &Fields) -> Answer {
    let Some(text) = fields.get("link") else {
        return Answer::page(StatusCode::OK, pages::install_without_link());
    };
    let Ok(link) = text.parse::<Token>() else {
        return Trouble::LinkUnknown.answer();
    };
    let hash = link.hash(TokenPurpose::SetupLink);
    let mut offers = Vec::new();
    for mode in Mode::ALL {
        match app.store.setup_link(mode, &hash, (app.now)()).await {
            Ok(state) => offers.push((mode, state)),
            Err(error) => {
                tracing::error!(mode = %mode, error = %error, "a set-up link could not be read");
                return Trouble::Unavailable.answer();
            }
        }
    }
    offers.retain(|(_, state)| *state != LinkState::Unknown);
    if offers.is_empty() {
        return Trouble::LinkUnknown.answer();
    }
    let open: Vec<Mode> =
        offers.iter().filter(|(_, state)| matches!(state, LinkState::Open(_))).map(|(mode, _)| *mode).collect();
    let status = if open.is_empty() { StatusCode::GONE } else { StatusCode::OK };
    let consent: Vec<_> = open.iter().map(|mode| app.config.authorize_page(*mode).clone()).collect();
    Answer::Page(Page::new(status, pages::install(&link, &offers)).leading_to(form_targets(&consent)))
}

/// `POST`: begins an install and leads to Stripe.
pub(crate) async fn begin(app: &App, fields: &Fields) -> Answer {
    let link = fields.get("link").and_then(|text| text.parse::<Token>().ok());
    let mode = fields.get("mode").and_then(|text| text.parse::<Mode>().ok());
    let (Some(link), Some(mode)) = (link, mode) else {
        return Trouble::LinkUnknown.answer();
    };
    let now = (app.now)();
    let hash = link.hash(TokenPurpose::SetupLink);
    match app.store.setup_link(mode, &hash, now).await {
        Ok(LinkState::Open(_)) => {}
        Ok(LinkState::Unknown) => return Trouble::LinkUnknown.answer(),
        Ok(LinkState::Expired) => return Trouble::LinkExpired.answer(),
        Ok(LinkState::Used) => return Trouble::LinkUsed.answer(),
        Err(error) => {
            tracing::error!(mode = %mode, error = %error, "a set-up link could not be read");
            return Trouble::Unavailable.answer();
        }
    }
    // Before anything is begun: without a filled secret the person would come back from Stripe for nothing.
    let developer = match app.developers.of(mode).await {
        Ok(developer) => developer,
        Err(error) => {
            tracing::error!(mode = %mode, error = %error, "no developer key");
            return Trouble::NotSetUp.answer();
        }
    };
    let started = match app.store.start_install(mode, &hash, now).await {
        Ok(started) => started,
        Err(error) => {
            tracing::error!(mode = %mode, error = %error, "an install could not be begun");
            return Trouble::Unavailable.answer();
        }
    };
    let Some(cookie) = browser::bind(&started.browser) else {
        return Trouble::Unavailable.answer();
    };
    let state = format!("{mode}.{}", started.state.expose());
    let link = authorize_link(app.config.authorize_page(mode), &developer.app, &app.config.callback(), &state);
    tracing::info!(mode = %mode, "an install was begun");
    Answer::Consent(Box::new(link), cookie)
}
