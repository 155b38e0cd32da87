//! `/stripe/confirm`: the person said yes to the account they were shown.

use axiru_aws::connect::activation::{ActivationError, Terms};
use axiru_aws::connect::developer::DeveloperError;
use axiru_aws::connect::install::{Install, Pending};
use axiru_aws::connect::registration::{EndpointSpec, RegisterError};
use axiru_aws::connect::token::Token;
use axiru_aws::error::Retry;
use axiru_pages::{Fields, Page};
use axiru_stripe::event::EVENT_TYPES;
use axiru_stripe::rest::Rest;
use http::StatusCode;

use crate::answer::Answer;
use crate::app::App;
use crate::browser;
use crate::callback::{refused, state_of};
use crate::pages::{self, Confirmation, Trouble};

/// `POST`: activates what is pending. A second press finds it done.
pub(crate) async fn confirm(app: &App, fields: &Fields, binding: Option<&Token>) -> Answer {
    let Some((mode, state)) = state_of(fields) else {
        return Trouble::StateUnknown.answer();
    };
    let pending = match app.store.install(mode, &state, binding, (app.now)()).await {
        Ok(Install::Pending(pending)) => pending,
        Ok(Install::Confirmed(scope, name)) => return Answer::page(StatusCode::OK, pages::connected(&scope, &name)),
        Err(error) => return refused(mode, &error),
    };
    // What is activated is what was shown.
    if fields.get("account") != Some(pending.grant.scope.account().as_str()) {
        return Trouble::NotWhatWasAsked.answer();
    }
    match activate(app, &pending).await {
        Ok(()) => Answer::page(StatusCode::OK, pages::connected(&pending.grant.scope, &pending.grant.display_name)),
        Err(failure) => failure.answer(&pending, state, binding),
    }
}

/// Why it is not connected.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Developer(#[from] DeveloperError),
    #[error("{0}")]
    Register(#[from] RegisterError),
    #[error("{0}")]
    Activate(#[from] ActivationError),
}

async fn activate(app: &App, pending: &Pending) -> Result<(), Failure> {
    let mode = pending.grant.scope.mode();
    let developer = app.developers.of(mode).await?;
    let rest = Rest::new(app.stripe.as_ref(), &app.config.stripe, &developer.key);
    let url = app.config.webhooks(mode);
    let spec = EndpointSpec { deployment: &app.config.deployment, url: &url, events: &EVENT_TYPES };
    let endpoint = app.store.ensure_endpoint(&app.seal, &rest, mode, &spec, app.now).await?;
    let terms = Terms {
        lanes: app.config.lanes(mode),
        permissions: app.config.permissions.as_str(),
        endpoint: Some(&endpoint),
        events: &EVENT_TYPES,
        plans: &app.plans,
    };
    Ok(app.store.activate(pending, &terms, app.now).await?)
}

impl Failure {
    fn can_try_again(&self) -> bool {
        match self {
            Self::Developer(DeveloperError::Aws { source, .. }) => source.retry() == Retry::Later,
            Self::Developer(_) => false,
            Self::Register(error) => error.retry() == Retry::Later,
            Self::Activate(error) => error.retry() == Retry::Later,
        }
    }

    fn answer(&self, pending: &Pending, state: Token, binding: Option<&Token>) -> Answer {
        tracing::error!(scope = %pending.grant.scope, error = %self, "an account could not be connected");
        if self.can_try_again() {
            let confirmation = Confirmation {
                mode: pending.grant.scope.mode(),
                account: pending.grant.scope.account().clone(),
                display_name: pending.grant.display_name.clone(),
                country: pending.grant.country.clone(),
                currency: pending.grant.currency.as_str().to_owned(),
                state,
            };
            let page = pages::confirm(
                &confirmation,
                Some(
                    "It is not connected yet: something that is needed did not answer. Wait a minute and confirm again. Nothing happens twice.",
                ),
            );
            let page = Page::new(StatusCode::SERVICE_UNAVAILABLE, page);
            return Answer::Page(page.with_cookie(binding.and_then(browser::bind)));
        }
        match self {
            Self::Activate(ActivationError::LinkUsed) => Trouble::LinkUsed.answer(),
            Self::Activate(ActivationError::Install(error)) => refused(pending.grant.scope.mode(), error),
            Self::Activate(ActivationError::Commit(_)) => Trouble::Unavailable.answer(),
            Self::Developer(_) | Self::Register(_) => Trouble::NotSetUp.answer(),
        }
    }
}
