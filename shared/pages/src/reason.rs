//! Why a request that people were asked about is not made: the ledger's words as sentences of ours.

/// The sentence for a reason of `approval.cancelled` or `execution.failed`.
#[must_use]
pub fn sentence(reason: &str) -> String {
    let sentence = match reason {
        "refunded_since" => "More of the payment was refunded since you were asked.",
        "disputed_since" => "The payment has a dispute that it did not have when you were asked.",
        "object_changed" => "What it is about is no longer as it was when you were asked.",
        "object_gone" => "What it is about is no longer at Stripe.",
        "answered_since" => "The dispute was answered since you were asked.",
        "past_due_since" => "The time to answer the dispute is over.",
        "parameters_changed" => "What was kept to be sent is not what you were asked about.",
        "begun_too_late" => "It was approved, and then did not begin in time.",
        "quorum_lost" => "Some of those who approved it may no longer approve.",
        "key_revoked" => "The key of whoever asked for it was revoked.",
        "not_connected" => "The account is no longer connected.",
        "blocked_now" => "A plan forbids it now.",
        "new_rule" => "A rule asks for approval now that nobody was asked about.",
        "asks_more" => "More people must approve it now than were asked.",
        "operator" => "An operator ended it.",
        "stopped" => "An operator has stopped it, the account, or whoever asked.",
        "permission_missing" => "Axiru may not do it at Stripe.",
        "not_executed" => "It was never made at Stripe.",
        other => return format!("The ledger says `{other}`."),
    };
    sentence.to_owned()
}
