//! The table of routes (Stripe API reference, "Refunds", "Payouts", "Transfers", "Transfer reversals", "Disputes").

use axiru_domain::{Family, Kind, ObjectRole};

use super::table::{Does, Form, Param, Route, Verb, may, must};

const REASONS: &[&str] = &["duplicate", "fraudulent", "requested_by_customer"];
const PAYOUT_SOURCES: &[&str] = &["bank_account", "card", "fpx"];
const PAYOUT_STATUSES: &[&str] = &["canceled", "failed", "in_transit", "paid", "pending"];

/// Evidence that is text or the id of a file. Nested evidence (`enhanced_evidence`) is not taken.
const EVIDENCE: &[&str] = &[
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
];

// What expands to a charge, a payment intent, a bank account, a card or an account is in none of these lists.
const REFUND_EXPAND: &[&str] =
    &["balance_transaction", "failure_balance_transaction", "source_transfer_reversal", "transfer_reversal"];
const REFUND_LIST_EXPAND: &[&str] = &[
    "data.balance_transaction",
    "data.failure_balance_transaction",
    "data.source_transfer_reversal",
    "data.transfer_reversal",
];
const PAYOUT_EXPAND: &[&str] =
    &["balance_transaction", "failure_balance_transaction", "original_payout", "reversed_by"];
const PAYOUT_LIST_EXPAND: &[&str] =
    &["data.balance_transaction", "data.failure_balance_transaction", "data.original_payout", "data.reversed_by"];
const TRANSFER_EXPAND: &[&str] = &["balance_transaction", "reversals.data.balance_transaction"];
const TRANSFER_LIST_EXPAND: &[&str] = &["data.balance_transaction"];
const REVERSAL_EXPAND: &[&str] = &["balance_transaction", "transfer"];
const REVERSAL_LIST_EXPAND: &[&str] = &["data.balance_transaction", "data.transfer"];

const AMOUNT: Param = may("amount", Form::Amount);
const METADATA: Param = may("metadata", Form::Metadata);
const UPDATED: Param = may("metadata", Form::MetadataUpdate);
const DESCRIPTION: Param = may("description", Form::Text(1000));
const REFUND_REASON: Param = may("reason", Form::Word(REASONS));
const REVERSE_TRANSFER: Param = may("reverse_transfer", Form::Bool);
const REFUND_FEE: Param = may("refund_application_fee", Form::Bool);
const INSTRUCTIONS: Param = may("instructions_email", Form::Email);
const LIMIT: Param = may("limit", Form::Limit);
const CREATED: Param = may("created", Form::Moments);
const BY_CHARGE: Param = may("charge", Form::Id(&["ch", "py"]));
const BY_INTENT: Param = may("payment_intent", Form::Id(&["pi"]));

/// The parameters of paging, for objects with these prefixes.
macro_rules! paged {
    ($prefixes:expr $(, $more:expr)*) => {
        &[LIMIT, may("starting_after", Form::Id($prefixes)), may("ending_before", Form::Id($prefixes)) $(, $more)*]
    };
}

const OF_A_CHARGE: &[Param] = &[AMOUNT, REFUND_REASON, REVERSE_TRANSFER, REFUND_FEE, INSTRUCTIONS, METADATA];
const CUSTOMER_BALANCE: &[&str] = &["currency", "customer", "origin"];

const fn route(name: &'static str, verb: Verb, path: &'static str, does: Does) -> Route {
    Route { name, verb, path, does, params: &[], not_taken: &[], expand: &[] }
}

const fn moving(name: &'static str, path: &'static str, kind: Kind) -> Route {
    route(name, Verb::Post, path, Does::Move(kind))
}

const fn passing(name: &'static str, path: &'static str, family: Family) -> Route {
    route(name, Verb::Post, path, Does::Pass(family))
}

const fn reading(name: &'static str, path: &'static str) -> Route {
    route(name, Verb::Get, path, Does::Read)
}

const fn door(name: &'static str, path: &'static str, family: Family) -> Route {
    route(name, Verb::Post, path, Does::SideDoor(family))
}

/// Every route that Axiru takes.
pub static ROUTES: &[Route] = &[
    Route {
        params: &[
            may("charge", Form::Object(ObjectRole::Charge)),
            may("payment_intent", Form::Object(ObjectRole::PaymentIntent)),
            AMOUNT,
            REFUND_REASON,
            REVERSE_TRANSFER,
            REFUND_FEE,
            INSTRUCTIONS,
            METADATA,
        ],
        not_taken: CUSTOMER_BALANCE,
        expand: REFUND_EXPAND,
        ..moving("refund_create", "/v1/refunds", Kind::Refund)
    },
    Route {
        params: OF_A_CHARGE,
        not_taken: CUSTOMER_BALANCE,
        expand: REFUND_EXPAND,
        ..moving("charge_refund_create", "/v1/charges/{charge}/refunds", Kind::Refund)
    },
    Route {
        params: OF_A_CHARGE,
        not_taken: CUSTOMER_BALANCE,
        ..moving("charge_refund", "/v1/charges/{charge}/refund", Kind::Refund)
    },
    Route {
        params: &[
            must("amount", Form::Amount),
            must("currency", Form::Currency),
            may("destination", Form::Object(ObjectRole::Destination)),
            may("method", Form::Word(&["instant", "standard"])),
            may("source_type", Form::Word(PAYOUT_SOURCES)),
            DESCRIPTION,
            may("statement_descriptor", Form::Text(22)),
            METADATA,
        ],
        not_taken: &["payout_method"],
        expand: PAYOUT_EXPAND,
        ..moving("payout_create", "/v1/payouts", Kind::Payout)
    },
    Route {
        params: &[
            must("amount", Form::Amount),
            must("currency", Form::Currency),
            must("destination", Form::Object(ObjectRole::Destination)),
            may("source_transaction", Form::Object(ObjectRole::SourceTransaction)),
            may("source_type", Form::Word(PAYOUT_SOURCES)),
            may("transfer_group", Form::Text(255)),
            DESCRIPTION,
            METADATA,
        ],
        expand: TRANSFER_EXPAND,
        ..moving("transfer_create", "/v1/transfers", Kind::Transfer)
    },
    Route {
        params: &[AMOUNT, REFUND_FEE, DESCRIPTION, METADATA],
        expand: REVERSAL_EXPAND,
        ..moving("transfer_reversal_create", "/v1/transfers/{transfer}/reversals", Kind::TransferReversal)
    },
    Route {
        params: &[may("submit", Form::Bool), may("evidence", Form::Evidence(EVIDENCE)), UPDATED],
        ..route("dispute_update", Verb::Post, "/v1/disputes/{dispute}", Does::DisputeUpdate)
    },
    moving("dispute_close", "/v1/disputes/{dispute}/close", Kind::DisputeAccept),
    Route { expand: REFUND_EXPAND, ..passing("refund_cancel", "/v1/refunds/{refund}/cancel", Family::Refunds) },
    Route {
        params: &[UPDATED],
        expand: REFUND_EXPAND,
        ..passing("refund_update", "/v1/refunds/{refund}", Family::Refunds)
    },
    Route { expand: PAYOUT_EXPAND, ..passing("payout_cancel", "/v1/payouts/{payout}/cancel", Family::Payouts) },
    Route {
        params: &[METADATA],
        expand: PAYOUT_EXPAND,
        ..passing("payout_reverse", "/v1/payouts/{payout}/reverse", Family::Payouts)
    },
    Route {
        params: &[UPDATED],
        expand: PAYOUT_EXPAND,
        ..passing("payout_update", "/v1/payouts/{payout}", Family::Payouts)
    },
    Route {
        params: &[DESCRIPTION, UPDATED],
        expand: TRANSFER_EXPAND,
        ..passing("transfer_update", "/v1/transfers/{transfer}", Family::Transfers)
    },
    Route {
        params: &[UPDATED],
        expand: REVERSAL_EXPAND,
        ..passing("reversal_update", "/v1/transfers/{transfer}/reversals/{reversal}", Family::Transfers)
    },
    Route {
        params: paged!(&["re", "pyr"], BY_CHARGE, BY_INTENT, CREATED),
        expand: REFUND_LIST_EXPAND,
        ..reading("refund_list", "/v1/refunds")
    },
    Route { expand: REFUND_EXPAND, ..reading("refund_retrieve", "/v1/refunds/{refund}") },
    Route {
        params: paged!(&["re", "pyr"]),
        expand: REFUND_LIST_EXPAND,
        ..reading("charge_refund_list", "/v1/charges/{charge}/refunds")
    },
    Route { expand: REFUND_EXPAND, ..reading("charge_refund_retrieve", "/v1/charges/{charge}/refunds/{refund}") },
    Route {
        params: paged!(
            &["po"],
            may("destination", Form::Id(&["ba", "card"])),
            may("status", Form::Word(PAYOUT_STATUSES)),
            may("arrival_date", Form::Moments),
            CREATED
        ),
        expand: PAYOUT_LIST_EXPAND,
        ..reading("payout_list", "/v1/payouts")
    },
    Route { expand: PAYOUT_EXPAND, ..reading("payout_retrieve", "/v1/payouts/{payout}") },
    Route {
        params: paged!(
            &["tr"],
            may("destination", Form::Id(&["acct"])),
            may("transfer_group", Form::Text(255)),
            CREATED
        ),
        expand: TRANSFER_LIST_EXPAND,
        ..reading("transfer_list", "/v1/transfers")
    },
    Route { expand: TRANSFER_EXPAND, ..reading("transfer_retrieve", "/v1/transfers/{transfer}") },
    Route {
        params: paged!(&["trr"]),
        expand: REVERSAL_LIST_EXPAND,
        ..reading("reversal_list", "/v1/transfers/{transfer}/reversals")
    },
    Route { expand: REVERSAL_EXPAND, ..reading("reversal_retrieve", "/v1/transfers/{transfer}/reversals/{reversal}") },
    Route { params: paged!(&["dp", "du"], BY_CHARGE, BY_INTENT, CREATED), ..reading("dispute_list", "/v1/disputes") },
    reading("dispute_retrieve", "/v1/disputes/{dispute}"),
    door("credit_note", "/v1/credit_notes", Family::Refunds),
    door("terminal_refund", "/v1/terminal/readers/{reader}/refund_payment", Family::Refunds),
    door("payment_intent_cancel", "/v1/payment_intents/{payment_intent}/cancel", Family::Refunds),
    door("application_fee_refund", "/v1/application_fees/{fee}/refunds", Family::Refunds),
    door("application_fee_refund_whole", "/v1/application_fees/{fee}/refund", Family::Refunds),
    door("outbound_payment", "/v1/treasury/outbound_payments", Family::Payouts),
    door("outbound_transfer", "/v1/treasury/outbound_transfers", Family::Payouts),
    door("balance_settings", "/v1/balance_settings", Family::Payouts),
    door("account_update", "/v1/accounts/{account}", Family::Payouts),
    door("external_account", "/v1/accounts/{account}/external_accounts", Family::Payouts),
    door("external_account_update", "/v1/accounts/{account}/external_accounts/{external}", Family::Payouts),
    door("bank_account", "/v1/accounts/{account}/bank_accounts", Family::Payouts),
    door("bank_account_update", "/v1/accounts/{account}/bank_accounts/{external}", Family::Payouts),
    door("own_external_account", "/v1/account/external_accounts", Family::Payouts),
    door("own_external_account_update", "/v1/account/external_accounts/{external}", Family::Payouts),
];
