//! Routes: first who, then what.

use axiru_runtime::problem::Problem;
use http::{Method, StatusCode};
use lambda_http::{Body, Request, Response};

use crate::app::App;
use crate::caller::caller;
use crate::setup_links;

/// Answers one request.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    // Before anything else, so that a stranger learns not even which routes there are.
    let Some(operator) = caller(&app.deployment, &request) else {
        tracing::warn!("a request came without a verified caller");
        return Problem::new(StatusCode::FORBIDDEN, "no_verified_caller", "sign the request with an AWS identity")
            .response();
    };
    match (request.uri().path(), request.method()) {
        ("/admin/setup-links", &Method::POST) => setup_links::mint(app, &operator, request.body().as_ref()).await,
        ("/admin/setup-links", _) => {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "post_only", "set-up links are made by POST").response()
        }
        _ => Problem::new(StatusCode::NOT_FOUND, "no_such_route", "there is no such route").response(),
    }
}
