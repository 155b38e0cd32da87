//! Mail: what is sent, to whom, how often, and what becomes of what comes back.

mod asked;
mod called_in;
mod crashes;
mod ended;
mod ground;
mod mailer;
mod operators;
mod reminded;
mod resent;
mod returned;
