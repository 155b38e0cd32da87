//! Mail: what is sent, to whom, how often, and what becomes of what comes back.

mod mailer;
