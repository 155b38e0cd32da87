//! Calls through the gateway: from a Stripe client's bytes to Stripe's answer, with everything that can go wrong between.

mod answered;
mod answers;
mod at_stripe;
mod bypass;
mod crashes;
mod day;
pub(crate) mod ground;
mod passes;
mod queued;
mod shadow;
mod speed;
mod stopped;
