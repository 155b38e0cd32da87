//! Path B in one process: from Stripe's delivery to the signed segment, with faults, disorder and bad input.

mod alarms;
mod canaries;
mod concurrency;
mod crashes;
mod disorder;
mod enforcing;
mod events;
mod ground;
mod linking;
mod redriven;
mod stage;
mod webhook;
