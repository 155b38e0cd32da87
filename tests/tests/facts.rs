//! Facts that only Stripe can tell: each as it was before the movement, absent and unknown apart, never waited for too long.

mod asked;
mod observed;
mod stripe;
mod unasked;
