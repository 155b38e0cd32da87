//! Random bytes, and bytes that follow from an id.

use axiru_ledger::hash::Hash;

/// Random bytes that follow from a change id, for one purpose: the same command given again means the same thing. For public ids only.
pub(crate) fn follows<const N: usize>(change: &str, purpose: &str) -> [u8; N] {
    let hash = Hash::of(format!("axiru/cli/{purpose}/v1\n{change}").as_bytes());
    let mut bytes = [0_u8; N];
    bytes.iter_mut().zip(hash.as_bytes()).for_each(|(byte, own)| *byte = *own);
    bytes
}
