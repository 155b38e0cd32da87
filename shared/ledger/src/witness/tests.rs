use aws_lc_rs::signature::Ed25519KeyPair;
use proptest::prelude::*;

use super::*;
use crate::cosignature::message;
use crate::cosignature::tests::cosigner;
use crate::note::tests::signer;
use crate::proof::{consistency, root};

const ORIGIN: &str = "axiru.t/ledger/live/acct_1/0";

/// A log that signs whatever it is asked to: also what an honest one never would.
struct Log {
    pair: Ed25519KeyPair,
    key: VerifierKey,
    leaves: Vec<Hash>,
}

impl Log {
    fn new(origin: &str, size: u64) -> Self {
        let (pair, key) = signer(1, origin);
        Self { pair, key, leaves: (0..size).map(|i| Hash::leaf(&i.to_be_bytes())).collect() }
    }

    /// The same log with another history from entry `at` on, signed with the same key.
    fn forked(&self, at: u64) -> Self {
        let mut other = Self::new(self.key.name(), self.leaves.len() as u64);
        for (i, leaf) in (0..).zip(&mut other.leaves).skip(usize::try_from(at).unwrap()) {
            *leaf = Hash::leaf(format!("forged {i}").as_bytes());
        }
        other
    }

    fn note(&self, size: u64) -> String {
        let root = root(&self.leaves[..], size).unwrap();
        self.sign(&Checkpoint { origin: self.key.name().to_owned(), size, root }.text())
    }

    fn sign(&self, text: &str) -> String {
        self.key.sign_with(text, self.pair.sign(text.as_bytes()).as_ref()).unwrap()
    }

    fn grown(&self, old: u64, size: u64) -> Request {
        Request { old, proof: consistency(&self.leaves[..], old, size).unwrap(), note: self.note(size) }
    }

    fn keys(&self) -> Vec<VerifierKey> {
        vec![self.key.clone()]
    }
}

/// The state of a witness that has seen these sizes, one after the other.
fn seen(log: &Log, sizes: &[u64]) -> State {
    let mut state = State::new();
    let mut old = 0;
    for size in sizes {
        state = state.add(&log.keys(), &log.grown(old, *size)).unwrap().state;
        old = *size;
    }
    state
}

fn refusal(state: &State, log: &Log, request: &Request) -> Refusal {
    state.add(&log.keys(), request).unwrap_err()
}

#[test]
fn a_log_that_grows_is_accepted_at_every_step() {
    let log = Log::new(ORIGIN, 40);
    for first in 0..=40 {
        for second in first..=40 {
            let state = seen(&log, &[first, second]);
            let held = state.get(ORIGIN).unwrap();
            assert_eq!((held.size, held.root), (second, root(&log.leaves[..], second).unwrap()));
        }
    }
}

#[test]
fn what_is_accepted_can_be_cosigned() {
    let log = Log::new(ORIGIN, 7);
    let accepted = seen(&log, &[3]).add(&log.keys(), &log.grown(3, 7)).unwrap();
    let (pair, witness) = cosigner(9, "witness.example/w1");
    let signature = pair.sign(message(&accepted.text(), 1_793_404_800).as_bytes());
    let line = witness.line(&accepted.text(), 1_793_404_800, signature.as_ref()).unwrap();
    let note = format!("{}{line}", log.note(7));
    assert_eq!(witness.open(note.as_bytes()), Ok((accepted.text().as_str(), 1_793_404_800)));
    assert_eq!(Checkpoint::open(note.as_bytes(), &log.key), Ok(accepted.checkpoint));
    // Already cosigned notes are accepted too, and the same checkpoint again.
    let again = Request { old: 7, proof: vec![], note };
    assert_eq!(accepted.state.add(&log.keys(), &again).unwrap().state, accepted.state);
}

#[test]
fn a_rollback_is_refused() {
    let log = Log::new(ORIGIN, 40);
    let state = seen(&log, &[30]);
    for size in 0..30 {
        // Said to have grown from what the witness holds, from a size before, and from nothing.
        let back = Request { old: 30, proof: vec![], note: log.note(size) };
        assert_eq!(refusal(&state, &log, &back), Refusal::Smaller { old: 30, size });
        for old in 0..=size {
            assert_eq!(refusal(&state, &log, &log.grown(old, size)), Refusal::Conflict { held: 30 });
        }
    }
}

#[test]
fn a_fork_at_any_entry_is_refused() {
    let log = Log::new(ORIGIN, 20);
    let state = seen(&log, &[12]);
    for at in 0..12 {
        let fork = log.forked(at);
        assert_eq!(refusal(&state, &log, &fork.grown(12, 12)), Refusal::OtherRoot(12), "fork at {at}");
        for size in 13..=20 {
            // With the fork's own proof, with the true log's, and with none.
            for proof in [fork.grown(12, size).proof, log.grown(12, size).proof, vec![]] {
                let request = Request { old: 12, proof, note: fork.note(size) };
                let refused = refusal(&state, &log, &request);
                assert!(matches!(refused, Refusal::Proof(_)), "fork at {at}, size {size}: {refused}");
            }
            assert_eq!(refusal(&state, &log, &fork.grown(0, size)), Refusal::Conflict { held: 12 });
        }
    }
    // A fork behind what the witness has seen is not one yet: the log may still become either.
    assert!(state.add(&log.keys(), &log.forked(12).grown(12, 20)).is_ok());
}

#[test]
fn a_log_signed_anew_is_refused_whatever_it_says() {
    // Everything rewritten and signed with the right key: the case that the log's own signature can never show.
    let log = Log::new(ORIGIN, 9);
    let state = seen(&log, &[4, 9]);
    let anew = log.forked(0);
    assert_eq!(refusal(&state, &log, &anew.grown(9, 9)), Refusal::OtherRoot(9));
    assert_eq!(refusal(&state, &log, &anew.grown(0, 9)), Refusal::Conflict { held: 9 });
    assert_eq!(refusal(&state, &log, &anew.grown(4, 9)), Refusal::Conflict { held: 9 });
}

#[test]
fn two_histories_shown_in_turn_are_refused_from_the_second_on() {
    let a = Log::new(ORIGIN, 20);
    let b = a.forked(5);
    let mut state = seen(&a, &[3, 8]);
    for size in 9..=20 {
        let held = state.get(ORIGIN).unwrap().size;
        assert!(state.add(&b.keys(), &b.grown(held, size)).is_err(), "the other history at {size}");
        state = state.add(&a.keys(), &a.grown(held, size)).unwrap().state;
    }
    // And the other way around: a witness that saw the other one first never goes back to this one.
    let other = seen(&b, &[3, 8]);
    assert!(other.add(&a.keys(), &a.grown(8, 20)).is_err());
}

#[test]
fn other_origins_and_other_keys_are_refused() {
    let log = Log::new(ORIGIN, 9);
    let state = seen(&log, &[4]);
    let test = Log::new("axiru.t/ledger/test/acct_1/0", 9);
    assert_eq!(refusal(&state, &log, &test.grown(0, 9)), Refusal::UnknownOrigin(test.key.name().to_owned()));
    // The text of this log under another's signature, and this log's signature over another's text.
    let (_, other_key) = signer(2, ORIGIN);
    let refused = state.add(std::slice::from_ref(&other_key), &log.grown(4, 9)).unwrap_err();
    assert!(matches!(refused, Refusal::Signature(_)), "{refused}");
    let of_test = Checkpoint::open(test.note(9).as_bytes(), &test.key).unwrap().text();
    let foreign = Request { note: log.sign(&of_test), ..log.grown(4, 9) };
    assert!(matches!(refusal(&state, &log, &foreign), Refusal::UnknownOrigin(_)));
    // With the old and the new key known, either may sign.
    assert!(state.add(&[other_key, log.key.clone()], &log.grown(4, 9)).is_ok());
    // Two logs do not mix.
    let both = [log.key.clone(), test.key.clone()];
    let state = state.add(&both, &test.grown(0, 2)).unwrap().state;
    let sizes: Vec<_> = state.logs().map(|(origin, seen)| (origin.to_owned(), seen.size)).collect();
    assert_eq!(sizes, [(ORIGIN.to_owned(), 4), (test.key.name().to_owned(), 2)]);
}

#[test]
fn a_signed_text_that_is_no_checkpoint_is_refused() {
    let log = Log::new(ORIGIN, 9);
    for text in
        [format!("{ORIGIN}\n"), format!("{ORIGIN}\n9\nAAAA\n"), format!("{ORIGIN}\n09\n{}\n", Hash::ZERO.base64())]
    {
        let request = Request { old: 0, proof: vec![], note: log.sign(&text) };
        assert!(matches!(refusal(&State::new(), &log, &request), Refusal::Checkpoint(_)), "{text}");
    }
}

#[test]
fn every_spoiled_proof_and_every_spoiled_note_is_refused() {
    let log = Log::new(ORIGIN, 21);
    let state = seen(&log, &[13]);
    let right = log.grown(13, 21);
    for at in 0..right.proof.len() {
        let mut less = right.clone();
        less.proof.remove(at);
        assert!(matches!(refusal(&state, &log, &less), Refusal::Proof(_)));
        let mut other = right.clone();
        other.proof[at] = Hash::ZERO;
        assert!(matches!(refusal(&state, &log, &other), Refusal::Proof(_)));
    }
    let mut more = right.clone();
    more.proof.push(Hash::ZERO);
    assert_eq!(refusal(&state, &log, &more), Refusal::Proof(ProofError::TooLong));
    let mut from_nothing = log.grown(0, 21);
    from_nothing.proof.push(Hash::ZERO);
    assert_eq!(refusal(&State::new(), &log, &from_nothing), Refusal::Proof(ProofError::TooLong));
    for at in 0..right.note.len() {
        let mut bytes = right.note.clone().into_bytes();
        bytes[at] ^= 1;
        if let Ok(note) = String::from_utf8(bytes) {
            assert!(state.add(&log.keys(), &Request { note, ..right.clone() }).is_err(), "byte {at}");
        }
    }
}

#[test]
fn refusals_have_the_status_and_the_sentence_of_their_kind() {
    let log = Log::new(ORIGIN, 9);
    let state = seen(&log, &[4]);
    let fork = log.forked(0);
    for (request, status, sentence) in [
        (log.grown(3, 9), 409, "the last checkpoint this witness saw of the log has size 4"),
        (Request { old: 9, ..log.grown(4, 4) }, 400, "a checkpoint of size 4 cannot have grown from size 9"),
        (fork.grown(4, 4), 409, "this witness saw another root of the log at size 4"),
        (
            fork.grown(4, 9),
            422,
            "the checkpoint is not shown to continue the one before: the proof does not lead to the root",
        ),
        (Log::new("other.example", 1).grown(0, 1), 404, "the log `other.example` is not known to this witness"),
    ] {
        let refused = refusal(&state, &log, &request);
        assert_eq!((refused.status(), refused.to_string().as_str()), (status, sentence));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is sent, in whatever order, of a true log and its forks: all that is ever accepted is one history.
    #[test]
    fn what_is_accepted_is_always_one_history(
        steps in prop::collection::vec((0..3_usize, 0..=24_u64, 0..=24_u64), 1..40),
    ) {
        let log = Log::new(ORIGIN, 24);
        let logs = [log.forked(24), log.forked(6), log.forked(15)];
        let mut state = State::new();
        let mut accepted: Vec<Checkpoint> = Vec::new();
        for (which, a, b) in steps {
            let log = &logs[which];
            let request = log.grown(a.min(b), a.max(b));
            if let Ok(next) = state.add(&log.keys(), &request) {
                // The state survives being stored.
                state = State::parse(&next.state.text()).unwrap();
                accepted.push(next.checkpoint);
            }
        }
        prop_assert!(accepted.is_sorted_by_key(|checkpoint| checkpoint.size));
        let fits = |log: &Log| {
            accepted.iter().all(|seen| root(&log.leaves[..], seen.size).unwrap() == seen.root)
        };
        prop_assert!(logs.iter().any(fits), "{accepted:?}");
    }
}
