//! Routes.

use axiru_pages::{Fields, FieldsError, form};
use http::{Method, StatusCode};
use lambda_http::{Body, Request, RequestExt as _, Response};

use crate::answer::Answer;
use crate::app::App;
use crate::pages::{self, Trouble};
use crate::{browser, callback, confirm, install, operators};

/// Longest query or form that is read. The longest honest one, a confirmation, is below 400 bytes.
const MAX_BYTES: usize = 4_096;

/// Answers one request.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    if request.raw_http_path().starts_with("/admin/") {
        return operators::handle(app, &request).await;
    }
    route(app, &request).await.into_response(&app.config.public_url)
}

async fn route(app: &App, request: &Request) -> Answer {
    let get = request.method() == Method::GET || request.method() == Method::HEAD;
    let post = request.method() == Method::POST;
    match request.uri().path() {
        "/" if get => Answer::page(StatusCode::OK, pages::home()),
        "/permissions" if get => Answer::page(StatusCode::OK, pages::permissions()),
        "/privacy" if get => Answer::page(StatusCode::OK, pages::privacy()),
        "/stripe/install" if get => match query(request) {
            Ok(fields) => install::show(app, &fields).await,
            Err(trouble) => trouble.answer(),
        },
        "/stripe/callback" if get => match query(request) {
            Ok(fields) => callback::receive(app, &fields, browser::binding(request.headers()).as_ref()).await,
            Err(trouble) => trouble.answer(),
        },
        "/stripe/install" if post => match fields(app, request) {
            Ok(fields) => install::begin(app, &fields).await,
            Err(trouble) => trouble.answer(),
        },
        "/stripe/confirm" if post => match fields(app, request) {
            Ok(fields) => confirm::confirm(app, &fields, browser::binding(request.headers()).as_ref()).await,
            Err(trouble) => trouble.answer(),
        },
        "/" | "/permissions" | "/privacy" | "/stripe/callback" => wrong_method("GET, HEAD"),
        "/stripe/install" => wrong_method("GET, HEAD, POST"),
        "/stripe/confirm" => wrong_method("POST"),
        _ => Trouble::NoSuchPage.answer(),
    }
}

fn query(request: &Request) -> Result<Fields, Trouble> {
    Fields::parse(request.uri().query().unwrap_or_default().as_bytes(), MAX_BYTES).map_err(unreadable)
}

fn fields(app: &App, request: &Request) -> Result<Fields, Trouble> {
    if !form::is_form(request.headers()) {
        return Err(Trouble::NotAForm);
    }
    if !form::is_own_post(request.headers(), &app.config.public_url) {
        tracing::warn!("a form was posted from elsewhere");
        return Err(Trouble::Elsewhere);
    }
    Fields::parse(request.body().as_ref(), MAX_BYTES).map_err(unreadable)
}

fn unreadable(error: FieldsError) -> Trouble {
    tracing::warn!(refusal = %error, "a request could not be read");
    Trouble::Unreadable
}

fn wrong_method(allow: &'static str) -> Answer {
    Answer::Page(Trouble::WrongMethod.page().allowing(allow))
}
