//! A stateful stand-in for Stripe, used locally and in tests.
