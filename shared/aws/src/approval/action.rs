//! What exactly is to be done, as one hash: people are shown its first digits, and nothing else is done.

use axiru_domain::{Money, Scope};
use axiru_stripe::gateway::Moves;
use sha2::{Digest, Sha256};

use crate::connect::token::hex;

/// SHA-256, in hex, of the call that would be sent: in which scope, method, path and form, without the marks that Axiru adds.
pub(crate) fn action_sha256(scope: &Scope, moves: &Moves, money: Money) -> String {
    let outgoing = moves.outgoing(money, None);
    let digest = Sha256::new()
        .chain_update(format!("axiru/action/v1\n{scope}\n{} {}\n", outgoing.method, outgoing.path))
        .chain_update(&outgoing.body)
        .finalize();
    hex(&digest)
}
