//! Everything that is stored, as bytes, so that a canary test can search it.

/// One stored piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Where it is: `dynamodb axiru-ledger row 3 entry`.
    pub place: String,
    /// Its bytes: of an attribute, a message body, an object.
    pub bytes: Vec<u8>,
}

/// All that is stored in an account: table items, every message ever sent, every version of every object, every mail.
#[derive(Debug, Clone, Default)]
pub struct Dump {
    /// The pieces, in no order that means anything.
    pub pieces: Vec<Piece>,
}

impl Dump {
    /// The places where `needle` occurs.
    pub fn find(&self, needle: impl AsRef<[u8]>) -> Vec<&str> {
        let needle = needle.as_ref();
        let holds = |piece: &&Piece| !needle.is_empty() && piece.bytes.windows(needle.len()).any(|part| part == needle);
        self.pieces.iter().filter(holds).map(|piece| piece.place.as_str()).collect()
    }
}
