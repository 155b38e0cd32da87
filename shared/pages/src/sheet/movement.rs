//! What would be done: verb and amount, who gets the money, and the payment that it goes back from.

use axiru_domain::{Currency, Kind, Money, ObjectRole, Original, Sheet};

use super::{Row, Value};
use crate::text;

/// Verb and amount.
pub(super) fn headline(sheet: &Sheet) -> String {
    format!("{} {}", verb(sheet.kind), sheet.money)
}

/// What is done with the amount.
const fn verb(kind: Kind) -> &'static str {
    match kind {
        Kind::Refund => "Refund",
        Kind::Payout => "Pay out",
        Kind::Transfer => "Transfer",
        Kind::TransferReversal => "Take back a transfer of",
        Kind::DisputeAccept => "Accept a dispute over",
        Kind::DisputeSubmit => "Send evidence in a dispute over",
    }
}

/// The thing with the amount, as in "approve the …".
#[must_use]
pub(crate) const fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::Refund => "refund",
        Kind::Payout => "payout",
        Kind::Transfer => "transfer",
        Kind::TransferReversal => "transfer reversal",
        Kind::DisputeAccept => "accepting dispute",
        Kind::DisputeSubmit => "evidence in dispute",
    }
}

/// The rows of the money.
pub(super) fn rows(sheet: &Sheet) -> Vec<Row> {
    let mut rows = brief(sheet);
    match &sheet.original {
        Some(original) => rows.extend(of_original(sheet, original)),
        None if goes_back(sheet.kind) => {
            let unknown = "nobody could tell. Look it up at Stripe before you answer.";
            rows.push(Row::new(original_label(sheet.kind), Value::heed(unknown)));
        }
        None => {}
    }
    rows
}

/// The rows that hold whatever becomes of it.
pub(super) fn brief(sheet: &Sheet) -> Vec<Row> {
    let mut account = sheet
        .account_name
        .as_deref()
        .map_or_else(|| Row { label: "Stripe account", values: Vec::new() }, |name| Row::words("Stripe account", name));
    account.values.push(Value::code(sheet.scope.account().as_str()));
    // Verb and amount stand above all rows.
    let mut rows = vec![account];
    if matches!(sheet.kind, Kind::Refund | Kind::DisputeAccept | Kind::DisputeSubmit) {
        let customer = sheet.customer.as_deref();
        rows.push(Row::new("Customer", customer.map_or(Value::plain("not known"), |id| Value::code(text::name(id)))));
    }
    let objects = sheet.objects.iter();
    rows.extend(objects.map(|(role, id)| Row::new(object(*role, sheet.kind), Value::code(id.as_str()))));
    if let Some(detail) = &sheet.detail {
        rows.push(Row::words(if sheet.kind == Kind::Payout { "Method" } else { "Reason told to Stripe" }, detail));
    }
    rows
}

/// Whether money goes back the way it came.
const fn goes_back(kind: Kind) -> bool {
    matches!(kind, Kind::Refund | Kind::TransferReversal)
}

const fn original_label(kind: Kind) -> &'static str {
    match kind {
        Kind::TransferReversal => "Original transfer",
        _ => "Original payment",
    }
}

/// What an object is to the movement.
const fn object(role: ObjectRole, kind: Kind) -> &'static str {
    match (role, kind) {
        (ObjectRole::Charge, _) => "Charge",
        (ObjectRole::Destination, Kind::Transfer) => "To connected account",
        (ObjectRole::Destination, _) => "To bank account or card",
        (ObjectRole::Dispute, _) => "Dispute",
        (ObjectRole::PaymentIntent, _) => "Payment",
        (ObjectRole::SourceTransaction, _) => "Out of charge",
        (ObjectRole::Transfer, _) => "Transfer",
    }
}

/// The payment, what went back of it, and what would be left.
fn of_original(sheet: &Sheet, original: &Original) -> Vec<Row> {
    let currency = original.money.currency();
    let made = original.made.map_or_else(|| "date not known".to_owned(), |date| format!("made on {date}"));
    let mut rows = vec![
        Row::new(original_label(sheet.kind), Value::plain(format!("{}, {made}", original.money))),
        Row::new("Went back before", Value::plain(amount(original.refunded_minor, currency))),
    ];
    if goes_back(sheet.kind) {
        rows.push(Row::new("May still go back", Value::plain(amount(original.remaining_minor, currency))));
        rows.push(Row::new("Left after this", left(sheet.money, original)));
    }
    rows.push(Row::new(
        "Disputed",
        match original.disputed {
            Some(false) => Value::plain("no"),
            Some(true) => Value::heed("yes. The customer's bank may take the money back as well."),
            None => Value::plain("not known"),
        },
    ));
    rows
}

fn left(money: Money, original: &Original) -> Value {
    if money.currency() != original.money.currency() {
        return Value::heed("the currencies differ, so nobody can say.");
    }
    let after = original.remaining_minor.saturating_sub(money.amount_minor());
    if after < 0 {
        return Value::heed("this is more than may still go back.");
    }
    Value::plain(amount(after, money.currency()))
}

/// An amount of minor units as it is written for people.
pub(super) fn amount(minor: i64, currency: Currency) -> String {
    Money::new(minor, currency).map_or_else(|_| "an amount too large to show".to_owned(), |money| money.to_string())
}
