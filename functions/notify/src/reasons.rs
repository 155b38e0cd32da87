//! Why a request that people were asked about is not made: the ledger's words as sentences of ours.

/// The sentence for a reason of `approval.cancelled` or `execution.failed`.
pub(crate) fn sentence(reason: &str) -> String {
    let sentence = match reason {
        "refunded_since" => "more of the payment was refunded since you were asked.",
        "disputed_since" => "the payment has a dispute that it did not have when you were asked.",
        "object_changed" => "what it is about is no longer as it was when you were asked.",
        "object_gone" => "what it is about is no longer at Stripe.",
        "answered_since" => "the dispute was answered since you were asked.",
        "past_due_since" => "the time to answer the dispute is over.",
        "parameters_changed" => "what was kept to be sent is not what you were asked about.",
        "begun_too_late" => "it was approved, and then did not begin in time.",
        "quorum_lost" => "some of those who approved it may no longer approve.",
        "key_revoked" => "the key of whoever asked for it was revoked.",
        "not_connected" => "the account is no longer connected.",
        "blocked_now" => "a plan forbids it now.",
        "new_rule" => "a rule asks for approval now that nobody was asked about.",
        "asks_more" => "more people must approve it now than were asked.",
        "by_operator" => "an operator ended it.",
        "permission_missing" => "Axiru may not do it at Stripe.",
        "not_executed" => "it was never made at Stripe.",
        other => return format!("the ledger says `{other}`."),
    };
    sentence.to_owned()
}
