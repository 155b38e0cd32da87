//! Clients that act as a function: under its role, so that a call which the role may not make ends the story.

use axiru_aws::{Clients, Store};
use axiru_in_process::{InProcess, LEDGER_TABLE, Retries, STATE_TABLE};

/// Clients of an account.
pub(crate) fn clients(account: &InProcess, retries: Retries) -> Clients {
    Clients {
        dynamodb: account.dynamodb(retries),
        sqs: account.sqs(retries),
        kms: account.kms(retries),
        s3: account.s3(retries),
        secrets: account.secrets(retries),
        ses: account.ses(retries),
    }
}

/// Clients under a role of the template.
pub(crate) fn acting_as(role: &'static str, account: &InProcess, retries: Retries) -> Clients {
    clients(&account.acting_as(role), retries)
}

/// The tables under a role.
pub(crate) fn store_of(clients: &Clients) -> Store {
    Store::new(clients.dynamodb.clone(), STATE_TABLE, LEDGER_TABLE)
}
