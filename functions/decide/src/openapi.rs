//! The description of the API in OpenAPI 3.1, from the types that cross the wire.

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::parameters::{AskHeaders, ListParameters, WaitParameter};
use crate::wire::{DecisionAnswer, DecisionList, DecisionRequest, KindWord, OutcomeWord, ProblemBody, StatusWord};

/// The whole description.
#[derive(OpenApi)]
#[openapi(
    info(title = "Axiru", description = "Asks whether a movement of money may be made, before it is made."),
    paths(decide, one, list, description),
    components(schemas(KindWord, OutcomeWord, StatusWord, ProblemBody)),
    modifiers(&Keys),
    tags((name = "decisions", description = "May this movement be made?"))
)]
struct Description;

/// How a caller shows who it is.
struct Keys;

impl Modify for Keys {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_with(Default::default);
        let bearer =
            HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("An Axiru key, `axk_…`.")).build();
        let basic = HttpBuilder::new()
            .scheme(HttpAuthScheme::Basic)
            .description(Some("An Axiru key as the user, no password."))
            .build();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        components.add_security_scheme("basic", SecurityScheme::Http(basic));
    }
}

/// The document.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

/// Decide a movement, or give the decision it already has.
#[utoipa::path(
    post, path = "/api/v1/decisions", operation_id = "decide", tag = "decisions",
    request_body = DecisionRequest,
    params(AskHeaders),
    responses(
        (status = 200, description = "The decision. `Idempotent-Replayed: true` where it had been decided before.", body = DecisionAnswer,
            headers(("Idempotent-Replayed" = Option<bool>, description = "`true` where it had been decided before.")),
            links(("decision" = (operation_id = "decision", parameters(("id" = "$response.body#/decision_id")))))),
        (status = 400, description = "A field is wrong; nothing was written.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "The key is not accepted.", body = ProblemBody, content_type = "application/problem+json",
            headers(("WWW-Authenticate" = String, description = "`Bearer realm=\"axiru\"`."))),
        (status = 403, description = "The key is not for the account, the account is not connected, or a permission is missing at Stripe.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The idempotency key was used for another request.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "The body is too long.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "The key has used up its minute: come back after `Retry-After` seconds.", body = ProblemBody, content_type = "application/problem+json",
            headers(("Retry-After" = u32, description = "Seconds after which it makes sense to come back."))),
        (status = 500, description = "An entry is not readable. What was decided stays: ask again with the same idempotency key, or read it.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "Not decided, so not allowed: ask again with the same idempotency key.", body = ProblemBody, content_type = "application/problem+json",
            headers(("Retry-After" = u32, description = "Seconds after which it makes sense to come back."))),
    ),
    security(("bearer" = []), ("basic" = []))
)]
#[allow(dead_code, reason = "carries the description; the handler is another")]
fn decide() {}

/// One decision of the key's actor, with where it stands now.
#[utoipa::path(
    get, path = "/api/v1/decisions/{id}", operation_id = "decision", tag = "decisions",
    params(
        ("id" = String, Path, description = "The decision's id, `dec_` and 32 hex digits.", pattern = "^dec_[0-9a-f]{32}$"),
        WaitParameter
    ),
    responses(
        (status = 200, description = "The decision. With `wait`: as soon as its `status` changes.", body = DecisionAnswer),
        (status = 400, description = "`wait` is wrong.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "The key is not accepted.", body = ProblemBody, content_type = "application/problem+json",
            headers(("WWW-Authenticate" = String, description = "`Bearer realm=\"axiru\"`."))),
        (status = 404, description = "The key's actor has no such decision.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "An entry is not readable. What was decided stays: ask again with the same idempotency key, or read it.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The decision could not be read.", body = ProblemBody, content_type = "application/problem+json",
            headers(("Retry-After" = u32, description = "Seconds after which it makes sense to come back."))),
    ),
    security(("bearer" = []), ("basic" = []))
)]
#[allow(dead_code, reason = "carries the description; the handler is another")]
fn one() {}

/// The decisions of the key's actor, newest first. The list follows a decision within a second.
#[utoipa::path(
    get, path = "/api/v1/decisions", operation_id = "decisions", tag = "decisions",
    params(ListParameters),
    responses(
        (status = 200, description = "A page.", body = DecisionList),
        (status = 400, description = "A parameter is wrong.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "The key is not accepted.", body = ProblemBody, content_type = "application/problem+json",
            headers(("WWW-Authenticate" = String, description = "`Bearer realm=\"axiru\"`."))),
        (status = 403, description = "The key is not for the account.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "An entry is not readable. What was decided stays: ask again with the same idempotency key, or read it.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The list could not be read.", body = ProblemBody, content_type = "application/problem+json",
            headers(("Retry-After" = u32, description = "Seconds after which it makes sense to come back."))),
    ),
    security(("bearer" = []), ("basic" = []))
)]
#[allow(dead_code, reason = "carries the description; the handler is another")]
fn list() {}

/// This description.
#[utoipa::path(
    get, path = "/api/v1/openapi.json", operation_id = "description", tag = "decisions",
    responses((status = 200, description = "OpenAPI 3.1.", body = Object, content_type = "application/json")),
    security(())
)]
#[allow(dead_code, reason = "carries the description; the handler is another")]
fn description() {}
