//! The append-only ledger: entry bytes, hash chain, Merkle tree, signed notes, verification. Pure.
