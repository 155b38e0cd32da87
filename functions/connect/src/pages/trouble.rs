//! Pages for what does not work, each with what to do about it. What a stranger sees tells them nothing.

use axiru_pages::Page;
use http::StatusCode;
use maud::html;

use super::layout::document;
use crate::answer::Answer;

/// Everything that can go wrong for a person here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// No such path.
    NoSuchPage,
    /// A path, but not so.
    WrongMethod,
    /// A form or query that is not one.
    Unreadable,
    /// A POST that is no form.
    NotAForm,
    /// A POST from another site.
    Elsewhere,
    /// No link like this.
    LinkUnknown,
    /// Its time is over.
    LinkExpired,
    /// It was used.
    LinkUsed,
    /// No install has this state.
    StateUnknown,
    /// It was used before.
    StateSpent,
    /// Its time is over.
    StateExpired,
    /// Another browser began it.
    OtherBrowser,
    /// The person said no at Stripe.
    Declined,
    /// Stripe sent no code.
    SentBack,
    /// Stripe did not do its part.
    StripeFailed,
    /// Another mode or account than asked for.
    NotWhatWasAsked,
    /// The operator has something to repair.
    NotSetUp,
    /// Something of ours is out of reach.
    Unavailable,
}

const AGAIN: &str = "Open your set-up link again to start anew. It is still good until it was used or has expired.";
const NEW_LINK: &str = "Ask the person who runs this deployment for a new link.";

impl Trouble {
    /// Every trouble.
    pub(crate) const ALL: [Self; 18] = [
        Self::NoSuchPage,
        Self::WrongMethod,
        Self::Unreadable,
        Self::NotAForm,
        Self::Elsewhere,
        Self::LinkUnknown,
        Self::LinkExpired,
        Self::LinkUsed,
        Self::StateUnknown,
        Self::StateSpent,
        Self::StateExpired,
        Self::OtherBrowser,
        Self::Declined,
        Self::SentBack,
        Self::StripeFailed,
        Self::NotWhatWasAsked,
        Self::NotSetUp,
        Self::Unavailable,
    ];

    /// Status, headline, what happened, what to do.
    const fn said(self) -> (StatusCode, &'static str, &'static str, &'static str) {
        match self {
            Self::NoSuchPage => (
                StatusCode::NOT_FOUND,
                "There is no such page",
                "The address is not one of Axiru's.",
                "Go to the first page.",
            ),
            Self::WrongMethod => (
                StatusCode::METHOD_NOT_ALLOWED,
                "That does not work here",
                "The address exists, but not for this kind of request.",
                "Go to the first page.",
            ),
            Self::Unreadable => (
                StatusCode::BAD_REQUEST,
                "The request cannot be read",
                "It is too long, not a form, or says something twice.",
                AGAIN,
            ),
            Self::NotAForm => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The request is not a form",
                "Only forms are accepted here.",
                AGAIN,
            ),
            Self::Elsewhere => {
                (StatusCode::FORBIDDEN, "The request comes from another site", "Nothing was done.", AGAIN)
            }
            Self::LinkUnknown => (
                StatusCode::NOT_FOUND,
                "This set-up link is not known",
                "It is incomplete, or was never made here.",
                NEW_LINK,
            ),
            Self::LinkExpired => (StatusCode::GONE, "This set-up link has expired", "Nothing was connected.", NEW_LINK),
            Self::LinkUsed => (
                StatusCode::GONE,
                "This set-up link was used",
                "An account has been connected with it in this mode.",
                NEW_LINK,
            ),
            Self::StateUnknown => (
                StatusCode::BAD_REQUEST,
                "Nothing was begun here",
                "This visit does not belong to a connect that Axiru began. Nothing was connected.",
                AGAIN,
            ),
            Self::StateSpent => (
                StatusCode::CONFLICT,
                "This step was taken before",
                "Each step works once: a page that was reloaded, or a link that somebody kept, does not work again.",
                AGAIN,
            ),
            Self::StateExpired => {
                (StatusCode::GONE, "That took too long", "Each step has ten minutes. Nothing was connected.", AGAIN)
            }
            Self::OtherBrowser => (
                StatusCode::FORBIDDEN,
                "Another browser began this",
                "A connect has to be finished in the browser that began it, with cookies allowed. Nothing was connected.",
                AGAIN,
            ),
            Self::Declined => {
                (StatusCode::OK, "You said no, and nothing was connected", "Stripe has given Axiru no access.", AGAIN)
            }
            Self::SentBack => {
                (StatusCode::BAD_REQUEST, "Stripe sent you back without access", "Nothing was connected.", AGAIN)
            }
            Self::StripeFailed => (
                StatusCode::BAD_GATEWAY,
                "Stripe did not complete it",
                "Stripe did not answer, or not as it should. Nothing was connected.",
                AGAIN,
            ),
            Self::NotWhatWasAsked => (
                StatusCode::CONFLICT,
                "That is not what was asked for",
                "The account or the mode differs from what you chose. Nothing was connected.",
                AGAIN,
            ),
            Self::NotSetUp => (
                StatusCode::BAD_GATEWAY,
                "This deployment is not ready",
                "Stripe does not accept this deployment's app or key in this mode. Nothing was connected.",
                "Tell the person who runs this deployment; its log says what is missing.",
            ),
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Not available at the moment",
                "Something that is needed did not answer.",
                "Wait a minute and try again.",
            ),
        }
    }

    /// The page.
    pub(crate) fn page(self) -> Page {
        let (status, headline, happened, next) = self.said();
        let main = html! {
            h1 { (headline) }
            p class="lead" { (happened) }
            p { (next) }
            p { a class="way" href="/" { "First page" } }
        };
        Page::new(status, document(headline, main))
    }

    /// The answer.
    pub(crate) fn answer(self) -> Answer {
        Answer::Page(self.page())
    }
}
