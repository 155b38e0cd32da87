//! The schemas of what is asked, exactly as wide as the parser: they are made of the domain's own tables.
//!
//! Three rules no schema can say. Two span the body and the headers: the account and the idempotency key are named in at least one of the
//! two places, and equally where in both. The third needs Stripe: what is to be executed is about an object that is there, and its money is
//! what the intent says.

use std::borrow::Cow;
use std::collections::BTreeSet;

use axiru_domain::{Currency, Kind, MAX_SAFE_INTEGER, ObjectRole};
use serde_json::json;
use utoipa::openapi::schema::{
    AdditionalProperties, AllOfBuilder, AnyOfBuilder, Discriminator, ObjectBuilder, OneOfBuilder, SchemaType, Type,
};
use utoipa::openapi::{KnownFormat, Ref, RefOr, Schema, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

use crate::ask::{METHODS, REASONS};
use crate::wire::IntentBody;

/// The id of an account.
pub(crate) const ACCOUNT: &str = "^acct_[A-Za-z0-9_]+$";
/// The caller's own name for a request.
pub(crate) const IDEMPOTENCY_KEY: &str = "^[!-~]([ -~]*[!-~])?$";
/// The one text of a moment, from 1970 to 9998; the format `date-time` knows the calendar.
pub(crate) const MOMENT: &str = "^(19[7-9][0-9]|[2-8][0-9]{3}|9[0-8][0-9]{2}|99[0-8][0-9]|999[0-8])-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-5][0-9]:[0-5][0-9]\\.[0-9]{3}Z$";
/// A cursor: a moment, `#` and an id, in base64.
pub(crate) const CURSOR: &str = "^[A-Za-z0-9_-]{82}$";
/// A word of a claim, and the name of one.
const WORD: &str = "^[A-Za-z0-9_.:-]+$";
/// The name of a metadata value: no square brackets, and not one of Axiru's own.
const METADATA_NAME: &str = "^(?!axiru_)[^\\[\\]]+$";

/// Longest Stripe id, and longest idempotency key.
const MAX_TEXT: usize = 255;

/// The steps that amounts of some currency or other have (`Currency::step`).
fn steps(kind: Kind) -> BTreeSet<i64> {
    Currency::moved().map(|currency| currency.step(kind)).collect()
}

/// Text of that pattern.
pub(crate) fn text(pattern: &str, most: usize) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)).min_length(Some(1)).max_length(Some(most))
}

/// A moment.
pub(crate) fn moment() -> ObjectBuilder {
    let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
    ObjectBuilder::new().schema_type(Type::String).format(Some(format)).pattern(Some(MOMENT))
}

/// The connected account of an answer.
pub(crate) fn account() -> ObjectBuilder {
    text(ACCOUNT, MAX_TEXT)
}

/// When a request ends by itself.
pub(crate) fn end() -> ObjectBuilder {
    or_null(moment()).description(Some("When an allowed or pending request ends by itself; null for a denied one."))
}

/// Where the next page begins.
pub(crate) fn next_cursor() -> ObjectBuilder {
    or_null(text(CURSOR, 82)).description(Some(
        "Pass as `cursor` for the next page; null on the last one. A page can be shorter than asked for and not the last.",
    ))
}

/// The same, or null: as good as left out.
fn or_null(text: ObjectBuilder) -> ObjectBuilder {
    text.schema_type(SchemaType::from_iter([Type::String, Type::Null]))
}

fn whole() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer).maximum(Some(MAX_SAFE_INTEGER))
}

/// The idempotency key, in the body.
pub(crate) fn idempotency_key() -> ObjectBuilder {
    or_null(text(IDEMPOTENCY_KEY, MAX_TEXT)).description(Some(
        "Your own name for this request, made and kept before you ask. It never expires: asked again, the same request gets the same \
         answer, another one 409. Here, or in the header `Idempotency-Key`.",
    ))
}

/// `execute`: whether Axiru makes the movement.
pub(crate) fn execute() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Boolean).default(Some(json!(false))).description(Some(
        "Whether Axiru is to make the movement, as soon as it is allowed. Then the intent names the object it is about: a refund its \
         `charge` or `payment_intent`, a transfer its `destination`, a reversal its `transfer`, the answer to a dispute its `dispute`; \
         the currency is the object's, and a dispute's amount the dispute's. `status` and `object` say later what became of it.",
    ))
}

/// `context`: claims, and the rationale.
pub(crate) fn context() -> ObjectBuilder {
    let claim = AnyOfBuilder::new()
        .item(text(WORD, MAX_TEXT))
        .item(whole().minimum(Some(-MAX_SAFE_INTEGER)))
        .item(ObjectBuilder::new().schema_type(Type::Boolean));
    let rationale = or_null(ObjectBuilder::new().max_length(Some(500)))
        .description(Some("Free text for approvers. Policies do not see it."));
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("rationale", rationale)
        .property_names(Some(Schema::from(text(WORD, 64).build())))
        .max_properties(Some(16))
        .additional_properties(Some(AdditionalProperties::RefOr(RefOr::from(claim))))
        .description(Some(
            "What you say about the movement. Policies see it only under `context.claimed`, never as a fact. At most 16 names; values \
             are words of letters, digits and `_ . : -`, whole numbers, true or false. `rationale` alone may be free text.",
        ))
}

fn metadata() -> ObjectBuilder {
    let value = ObjectBuilder::new().schema_type(Type::String).max_length(Some(500));
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .property_names(Some(Schema::from(text(METADATA_NAME, 40).build())))
        .max_properties(Some(50))
        .additional_properties(Some(AdditionalProperties::RefOr(RefOr::from(value))))
        .description(Some(
            "Metadata for the object to be made: at most 50 names of 1 to 40 characters, values of at most 500. Names that begin with \
             `axiru_` are Axiru's own.",
        ))
}

/// The object that has that role in a movement of that kind.
fn object(kind: Kind, role: ObjectRole) -> ObjectBuilder {
    let about = match role {
        ObjectRole::Charge => "The charge to refund.",
        ObjectRole::PaymentIntent => "The payment intent whose charge is to be refunded, instead of `charge`.",
        ObjectRole::Transfer => "The transfer to reverse.",
        ObjectRole::Dispute => "The dispute to answer.",
        ObjectRole::Destination => "Who receives the money.",
        ObjectRole::SourceTransaction => "The charge whose funds are transferred.",
    };
    let pattern = format!("^({})_[A-Za-z0-9_]+$", role.prefixes(kind).join("|"));
    or_null(text(&pattern, MAX_TEXT)).description(Some(about))
}

/// Amounts that the currency allows.
fn amounts(kind: Kind) -> RefOr<Schema> {
    let groups = steps(kind).into_iter().map(|step| {
        let codes = Currency::moved().filter(|currency| currency.step(kind) == step).map(String::from);
        let currencies = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(codes));
        let group = ObjectBuilder::new().schema_type(Type::Object).property("currency", currencies);
        if step == 1 {
            group
        } else {
            group.property("amount_cents", whole().minimum(Some(step)).multiple_of(Some(step)))
        }
    });
    groups.fold(AnyOfBuilder::new(), AnyOfBuilder::item).into()
}

/// One of Stripe's words that movements of that kind are made with.
fn word(words: &[&'static str], about: &'static str) -> ObjectBuilder {
    let words = words.iter().map(|word| json!(word)).chain([serde_json::Value::Null]);
    or_null(ObjectBuilder::new()).enum_values(Some(words)).description(Some(about))
}

/// At most one of a refund's two objects is there.
fn one_of_two(kind: Kind) -> Option<RefOr<Schema>> {
    let roles = ObjectRole::of(kind);
    let null = |role: &ObjectRole| {
        let null = ObjectBuilder::new().schema_type(Type::Null);
        ObjectBuilder::new().schema_type(Type::Object).property(role.as_str(), null)
    };
    (kind == Kind::Refund).then(|| roles.iter().map(null).fold(AnyOfBuilder::new(), AnyOfBuilder::item).into())
}

/// The movement asked for, of that kind.
fn intent(kind: Kind) -> RefOr<Schema> {
    let amount = whole().minimum(Some(1)).description(Some(
        "How much, in the smallest unit of the currency: 12000 is 120.00 usd, 12000 jpy, 12.000 kwd. Written without a decimal point.",
    ));
    let currency = ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some("^[a-z]{3}$"))
        .description(Some("One of the currencies that Stripe moves, in three lower-case letters."))
        .examples([json!("usd")]);
    let account = or_null(text(ACCOUNT, MAX_TEXT))
        .examples([json!("acct_1")])
        .description(Some("The connected account whose money would move. Here, or in the header `Stripe-Account`."));
    let mut body = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("kind", ObjectBuilder::new().schema_type(Type::String).enum_values(Some([kind.as_str()])))
        .property("amount_cents", amount)
        .property("currency", currency)
        .property("stripe_connection_id", account)
        .property("metadata", metadata())
        .required("kind")
        .required("amount_cents")
        .required("currency")
        .additional_properties(Some(AdditionalProperties::FreeForm(false)));
    for role in ObjectRole::of(kind) {
        body = body.property(role.as_str(), object(kind, *role));
    }
    body = match kind {
        Kind::Refund => {
            body.property("reason", word(&REASONS, "Why it is refunded. Left out, the refund has no reason."))
        }
        Kind::Payout => body
            .property("method", word(&METHODS, "How fast it is to arrive. Left out, it is `standard`, as at Stripe.")),
        Kind::Transfer | Kind::TransferReversal | Kind::DisputeAccept | Kind::DisputeSubmit => body,
    };
    let all = AllOfBuilder::new().item(body).item(amounts(kind));
    match one_of_two(kind) {
        Some(rule) => all.item(rule).into(),
        None => all.into(),
    }
}

/// `TransferReversalIntent` of `transfer_reversal`.
fn name(kind: Kind) -> String {
    let words = kind.as_str().split('_').map(|word| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        format!("{}{rest}", first.to_ascii_uppercase())
    });
    words.collect::<String>() + "Intent"
}

impl PartialSchema for IntentBody {
    fn schema() -> RefOr<Schema> {
        let refs = Kind::ALL.map(|kind| (kind.as_str(), Ref::from_schema_name(name(kind))));
        let mapping = refs.iter().map(|(word, to)| (*word, to.ref_location.clone()));
        let one = OneOfBuilder::new()
            .description(Some("The movement asked for."))
            .discriminator(Some(Discriminator::with_mapping("kind", mapping)));
        refs.iter().fold(one, |one, (_, to)| one.item(to.clone())).into()
    }
}

impl ToSchema for IntentBody {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("IntentBody")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.extend(Kind::ALL.map(|kind| (name(kind), intent(kind))));
    }
}
