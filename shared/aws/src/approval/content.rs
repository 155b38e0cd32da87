//! What a link is about, as one hash: rebuilt from the live rows at every use, so that a link dies with any change of what it was sent for.
//! How the request stands and who has answered is no part of it: one answer must not kill the other links.

use axiru_ledger::canonical;
use axiru_ledger::entry::Entry;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::connect::token::hex;
use crate::item::RowError;
use crate::requests::RequestRow;

/// The hash of everything that people answer about: the request's row but for what answering and making changes of it, and the entry of its
/// decision, which holds amount, currency, objects, facts and verdicts.
///
/// # Errors
/// [`RowError`] where row and entry do not belong together, or nobody is asked.
pub(crate) fn content_sha256(row: &RequestRow, made: &Entry) -> Result<String, RowError> {
    let field = |name: &str| made.fields().get(name).and_then(serde_json::Value::as_str);
    let own = made.ty() == "decision.made"
        && field("request") == Some(row.id.as_str())
        && field("digest") == Some(row.digest.as_str())
        && field("kind") == Some(row.kind.as_str())
        && field("key") == Some(row.key.as_str())
        && field("actor") == Some(row.actor.to_string().as_str());
    if !own {
        return Err(RowError("seq"));
    }
    let asked = row.approval.as_ref().ok_or(RowError("approval"))?;
    let groups: Vec<_> = asked.groups.iter().map(|group| json!([group.group, group.quorum, group.approvers])).collect();
    let content = json!({
        "v": 1,
        "scope": row.scope.to_string(),
        "request": row.id.as_str(),
        "actor": row.actor.to_string(),
        "key": row.key.as_str(),
        "digest": row.digest,
        "kind": row.kind.as_str(),
        "outcome": row.outcome.as_str(),
        "lane": row.lane.number(),
        "seq": row.seq,
        "decided_at": row.decided_at.to_string(),
        "similar": row.similar,
        "attempt": row.attempt,
        "rationale": row.rationale,
        "groups": groups,
        "requesters": asked.requesters,
        "reasons": asked.reasons.iter().collect::<Vec<_>>(),
        "until": asked.until,
        "action": asked.action,
        "epoch": asked.epoch,
        "entry": made.leaf_hash().to_string(),
    });
    // Words, integers and text: nothing that canonical JSON refuses.
    let text = canonical::write(&content).map_err(|_| RowError("approval"))?;
    Ok(hex(&Sha256::digest(text)))
}
