//! Pages for what does not work. They show nothing of any request: what a stranger sees tells them nothing.

use axiru_pages::Page;
use http::StatusCode;
use maud::html;

use super::layout::page;

/// Everything that can go wrong for a person here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// No link like this, or no page: one answer for everything that is not known.
    LinkUnknown,
    /// The request is another than the link was made for.
    Changed,
    /// What was on the page is not what would be done now.
    DigestDiffers,
    /// The person is one of those who asked.
    SomeoneElse,
    /// The person may not answer, or not any more.
    NotAnApprover,
    /// A form that is not one, or says something twice.
    Unreadable,
    /// A POST that is no form.
    NotAForm,
    /// A POST from another site.
    Elsewhere,
    /// A path, but not so.
    WrongMethod,
    /// Something of ours is out of reach.
    Unavailable,
}

const IN_MAIL: &str = "Open the link in your mail again.";

impl Trouble {
    /// Every trouble.
    pub(crate) const ALL: [Self; 10] = [
        Self::LinkUnknown,
        Self::Changed,
        Self::DigestDiffers,
        Self::SomeoneElse,
        Self::NotAnApprover,
        Self::Unreadable,
        Self::NotAForm,
        Self::Elsewhere,
        Self::WrongMethod,
        Self::Unavailable,
    ];

    /// Status, headline, what happened, what to do.
    const fn said(self) -> (StatusCode, &'static str, &'static str, &'static str) {
        match self {
            Self::LinkUnknown => (
                StatusCode::NOT_FOUND,
                "This link is not known",
                "It is incomplete, or was never made here, or does not work any more.",
                "Open the link in your mail. If the mail program broke it in two, copy the whole line.",
            ),
            Self::Changed => (
                StatusCode::CONFLICT,
                "This request changed",
                "The link was made for something that is no longer so. Nothing was recorded.",
                "A new mail was sent: answer with the link in that one.",
            ),
            Self::DigestDiffers => (
                StatusCode::CONFLICT,
                "This is not what you saw",
                "What would be done now differs from what was on your page. Nothing was recorded.",
                "Open the link in your mail again, and look at it anew.",
            ),
            Self::SomeoneElse => (
                StatusCode::FORBIDDEN,
                "Someone else must decide",
                "You are one of those who asked for this, so another person has to answer. Nothing was recorded.",
                "The others have a mail of their own.",
            ),
            Self::NotAnApprover => (
                StatusCode::FORBIDDEN,
                "This link cannot answer",
                "Whoever it was made for may not answer this, or not any more. Nothing was recorded.",
                "If that is a mistake, tell the person who runs this deployment.",
            ),
            Self::Unreadable => (
                StatusCode::BAD_REQUEST,
                "The request cannot be read",
                "It is too long, not a form, or says something twice. Nothing was recorded.",
                IN_MAIL,
            ),
            Self::NotAForm => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The request is not a form",
                "Only forms are accepted here. Nothing was recorded.",
                IN_MAIL,
            ),
            Self::Elsewhere => (
                StatusCode::FORBIDDEN,
                "The request comes from another site",
                "Only a page of this site may answer. Nothing was recorded.",
                IN_MAIL,
            ),
            Self::WrongMethod => (
                StatusCode::METHOD_NOT_ALLOWED,
                "That does not work here",
                "The address exists, but not for this kind of request. Nothing was recorded.",
                IN_MAIL,
            ),
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Not available at the moment",
                "Something that is needed did not answer. Nothing was recorded.",
                "Wait a minute, then open the link in your mail again. If you had answered before, that is still there.",
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
        };
        page(status, headline, &main)
    }
}
