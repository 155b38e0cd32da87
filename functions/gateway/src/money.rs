//! Amount and currency of a call that does not say both: asked of the object that it is about.

use axiru_aws::reach::Reach;
use axiru_domain::{Money, Scope};
use axiru_stripe::gateway::{Moves, Needs};
use axiru_stripe::rest::Rest;
use axiru_stripe::rest::objects::ReadError;

use crate::error::Refusal;
use crate::permission;

/// Why the money is not known.
#[derive(Debug)]
pub(crate) enum Unpriced {
    /// Stripe's answer would be the same: the caller's mistake.
    Wrong(Refusal),
    /// Nobody can say.
    Unavailable,
}

/// The money that a call moves; what is left out is all that is left.
pub(crate) async fn of(reach: &Reach, scope: &Scope, moves: &Moves) -> Result<Money, Unpriced> {
    if let (Some(amount), Some(currency)) = (moves.amount_minor(), moves.currency()) {
        return Money::new(amount, currency).map_err(|_| Unpriced::Wrong(amount_wrong("amount")));
    }
    let token = reach.tokens().token(scope).await.map_err(|_| Unpriced::Unavailable)?;
    match ask(reach, scope, moves, token.secret()).await {
        Err(ReadError::Unauthorized) => {
            let token = reach.tokens().after_refusal(scope, &token).await.map_err(|_| Unpriced::Unavailable)?;
            ask(reach, scope, moves, token.secret()).await
        }
        asked => asked,
    }
    .map_err(|error| unpriced(error, moves))?
}

async fn ask(
    reach: &Reach,
    scope: &Scope,
    moves: &Moves,
    token: &axiru_stripe::secret::Secret,
) -> Result<Result<Money, Unpriced>, ReadError> {
    let (transport, base) = reach.rest();
    let rest = Rest::new(transport, base, token);
    let mode = scope.mode();
    let (left, currency) = match moves.needs() {
        Needs::Nothing => return Ok(Err(Unpriced::Wrong(amount_wrong("amount")))),
        Needs::Charge(id) => {
            let charge = rest.charge(mode, &id).await?;
            (charge.amount_captured_minor.saturating_sub(charge.amount_refunded_minor), charge.currency)
        }
        Needs::PaymentIntent(id) => {
            let charge = rest.charge_of(mode, &id).await?;
            (charge.amount_captured_minor.saturating_sub(charge.amount_refunded_minor), charge.currency)
        }
        Needs::Transfer(id) => {
            let transfer = rest.transfer(mode, &id).await?;
            (transfer.amount_minor.saturating_sub(transfer.amount_reversed_minor), transfer.currency)
        }
        Needs::Dispute(id) => {
            let dispute = rest.dispute(mode, &id).await?;
            dispute.money.ok_or(ReadError::Answer { at: "amount", what: "missing" })?
        }
    };
    let amount = moves.amount_minor().unwrap_or(left);
    if amount <= 0 {
        let code =
            if moves.kind() == axiru_domain::Kind::Refund { "charge_already_refunded" } else { "amount_too_small" };
        let refusal = Refusal::new(http::StatusCode::BAD_REQUEST, code, "There is nothing left to move.");
        return Ok(Err(Unpriced::Wrong(refusal)));
    }
    Ok(Money::new(amount, currency).map_err(|_| Unpriced::Wrong(amount_wrong("amount"))))
}

fn amount_wrong(param: &str) -> Refusal {
    Refusal::new(http::StatusCode::BAD_REQUEST, "axiru_amount", "The amount is not one that can be moved.")
        .with("param", param.into())
}

fn unpriced(error: ReadError, moves: &Moves) -> Unpriced {
    let param = moves.objects().keys().next().map_or("id", |role| role.as_str());
    match error {
        ReadError::NoSuch => Unpriced::Wrong(Refusal::no_such(param)),
        ReadError::Permission(name) => Unpriced::Wrong(permission::missing(name)),
        _ => Unpriced::Unavailable,
    }
}
