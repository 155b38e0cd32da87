//! `/stripe/callback`: back from Stripe. The state is claimed first, so that whatever comes with it is looked at once only.

use axiru_aws::connect::install::{Claimed, InstallError};
use axiru_aws::connect::token::Token;
use axiru_aws::error::Retry;
use axiru_domain::{Mode, Timestamp};
use axiru_pages::{Fields, Page};
use axiru_stripe::error::StripeError;
use axiru_stripe::oauth::{self, Code, Grant, OAuthError};
use axiru_stripe::rest::{Profile, Rest};
use http::StatusCode;

use crate::answer::Answer;
use crate::app::App;
use crate::browser;
use crate::pages::{self, Confirmation, Trouble};

/// OAuth's `state` as we wrote it: the mode, a dot, a token.
pub(crate) fn state_of(fields: &Fields) -> Option<(Mode, Token)> {
    let (mode, token) = fields.get("state")?.split_once('.')?;
    Some((mode.parse().ok()?, token.parse().ok()?))
}

/// `GET`: claims the state, exchanges the code and asks the person to confirm.
pub(crate) async fn receive(app: &App, fields: &Fields, binding: Option<&Token>) -> Answer {
    let Some((mode, state)) = state_of(fields) else {
        tracing::warn!("a callback came without a state of ours");
        return Trouble::StateUnknown.answer();
    };
    let claimed = match app.store.claim_install(mode, &state, binding, (app.now)()).await {
        Ok(claimed) => claimed,
        Err(error) => return refused(mode, &error),
    };
    match grant(app, fields, mode).await {
        Ok(Granted { grant, profile, asked_at }) => {
            match app.store.hold_grant(&app.seal, &claimed, &grant, &profile, asked_at, (app.now)()).await {
                Ok(()) => {
                    tracing::info!(scope = %format_args!("{mode}/{}", grant.account), "an install waits for confirmation");
                    let confirmation = Confirmation {
                        mode,
                        account: grant.account,
                        display_name: profile.display_name,
                        country: profile.country,
                        currency: profile.default_currency,
                        state,
                    };
                    // Ten minutes more, for this step.
                    let cookie = binding.and_then(browser::bind);
                    Answer::Page(Page::new(StatusCode::OK, pages::confirm(&confirmation, None)).with_cookie(cookie))
                }
                Err(error) => refused(mode, &error),
            }
        }
        Err(failure) => {
            end(app, mode, &claimed).await;
            failure.answer(mode)
        }
    }
}

/// Ends an install that led to nothing. Its state is claimed and cannot be used again either way.
async fn end(app: &App, mode: Mode, claimed: &Claimed) {
    if let Err(error) = app.store.refuse_install(claimed, (app.now)()).await {
        tracing::warn!(mode = %mode, error = %error, "an install that failed could not be marked so");
    }
}

/// Why there is nothing to confirm.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the person declined at Stripe")]
    Declined,
    #[error("Stripe sent the person back with an error")]
    SentBack,
    #[error("there is no code, or it is not one of Stripe's")]
    NoCode,
    #[error("{0}")]
    Developer(#[from] axiru_aws::connect::developer::DeveloperError),
    #[error("{0}")]
    Exchange(#[from] OAuthError),
    #[error("Stripe granted {0} mode")]
    OtherMode(Mode),
    #[error("reading the account: {0}")]
    Profile(#[from] StripeError),
    #[error("the account read is not the one granted")]
    OtherAccount,
}

/// What Stripe granted, whose it is, and when it was asked for: from then on the access token ages.
struct Granted {
    grant: Grant,
    profile: Profile,
    asked_at: Timestamp,
}

async fn grant(app: &App, fields: &Fields, mode: Mode) -> Result<Granted, Failure> {
    match fields.get("error") {
        None => {}
        Some("access_denied") => return Err(Failure::Declined),
        Some(_) => return Err(Failure::SentBack),
    }
    let code: Code = fields.get("code").and_then(|code| code.parse().ok()).ok_or(Failure::NoCode)?;
    let developer = app.developers.of(mode).await?;
    let asked_at = (app.now)();
    let grant = oauth::exchange(app.stripe.as_ref(), &app.config.stripe, &developer.key, &code).await?;
    if grant.mode != mode {
        return Err(Failure::OtherMode(grant.mode));
    }
    let profile = Rest::new(app.stripe.as_ref(), &app.config.stripe, &grant.access_token).profile().await?;
    if profile.account != grant.account {
        return Err(Failure::OtherAccount);
    }
    Ok(Granted { grant, profile, asked_at })
}

impl Failure {
    fn answer(&self, mode: Mode) -> Answer {
        let trouble = match self {
            Self::Declined => Trouble::Declined,
            Self::SentBack | Self::NoCode => Trouble::SentBack,
            Self::Developer(_) | Self::Exchange(OAuthError::InvalidClient) => Trouble::NotSetUp,
            Self::Exchange(_) | Self::Profile(_) => Trouble::StripeFailed,
            Self::OtherMode(_) | Self::OtherAccount => Trouble::NotWhatWasAsked,
        };
        if let Self::Declined = self {
            tracing::info!(mode = %mode, "a person declined at Stripe");
        } else {
            tracing::warn!(mode = %mode, refusal = %self, "an install failed");
        }
        trouble.answer()
    }
}

/// The page for an install that cannot go on.
pub(crate) fn refused(mode: Mode, error: &InstallError) -> Answer {
    if error.retry() == Retry::Later {
        tracing::error!(mode = %mode, error = %error, "an install could not be read or written");
        return Trouble::Unavailable.answer();
    }
    tracing::warn!(mode = %mode, refusal = %error, "an install was refused");
    match error {
        InstallError::Unknown => Trouble::StateUnknown,
        InstallError::OtherBrowser => Trouble::OtherBrowser,
        InstallError::Spent => Trouble::StateSpent,
        InstallError::Expired => Trouble::StateExpired,
        InstallError::Profile(_) => Trouble::StripeFailed,
        InstallError::Store(_) | InstallError::Random(_) => Trouble::Unavailable,
    }
    .answer()
}
