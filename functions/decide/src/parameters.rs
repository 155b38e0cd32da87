//! The parameters beside the body, as they are described: left out or right, never null.

use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Ref, RefOr, Required, Schema};

use crate::described::{ACCOUNT, CURSOR, IDEMPOTENCY_KEY, moment, text};

/// Headers of a question.
pub(crate) struct AskHeaders;

/// Parameters of a list.
pub(crate) struct ListParameters;

/// How long to wait for news of one decision.
pub(crate) struct WaitParameter;

fn optional(place: ParameterIn, name: &str, about: &str, schema: impl Into<RefOr<Schema>>) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(Required::False)
        .description(Some(about))
        .schema(Some(schema))
        .build()
}

fn word(name: &str) -> RefOr<Schema> {
    Ref::from_schema_name(name).into()
}

impl IntoParams for WaitParameter {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let secs = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(20));
        let about = "Seconds to wait while it is held, approved or being made, for its `status` to change; 0 where it is left out.";
        vec![optional(ParameterIn::Query, "wait", about, secs)]
    }
}

impl IntoParams for AskHeaders {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let header =
            |name: &str, about: &str, pattern: &str| optional(ParameterIn::Header, name, about, text(pattern, 255));
        vec![
            header("Idempotency-Key", "Instead of `idempotency_key` in the body, or equal to it.", IDEMPOTENCY_KEY),
            header("Stripe-Account", "Instead of `intent.stripe_connection_id` in the body, or equal to it.", ACCOUNT),
        ]
    }
}

impl IntoParams for ListParameters {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let query = |name: &str, about: &str, schema: RefOr<Schema>| optional(ParameterIn::Query, name, about, schema);
        let limit = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(100));
        vec![
            query("account", "Only this account; needed where the key is for several.", text(ACCOUNT, 255).into()),
            query("kind", "Only this kind of movement.", word("KindWord")),
            query("outcome", "Only this outcome.", word("OutcomeWord")),
            query("status", "Only what stands so now.", word("StatusWord")),
            query("created_from", "Decided at this moment or later: 2026-10-31T00:00:00.000Z.", moment().into()),
            query("created_before", "Decided before this moment.", moment().into()),
            query("limit", "At most so many, 20 unless said otherwise.", limit.into()),
            query("cursor", "`next_cursor` of the page before; nothing else is taken.", text(CURSOR, 82).into()),
            optional(
                ParameterIn::Header,
                "Stripe-Account",
                "Instead of `account`, or equal to it.",
                text(ACCOUNT, 255),
            ),
        ]
    }
}
