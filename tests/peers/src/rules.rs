//! One set of rules, written for each engine.

use axiru_domain::Kind;

/// A rule that holds a movement above an amount, made for a reason or to a card.
pub(crate) struct Rule {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    /// Above this many minor units of usd it may fire.
    pub(crate) above: i64,
    /// And if the movement's word (its reason, or source type) is this one.
    pub(crate) word: String,
}

/// The fact that the rules of a kind compare with their word.
pub(crate) fn fact(kind: Kind) -> &'static str {
    match kind {
        Kind::Refund | Kind::DisputeAccept | Kind::DisputeSubmit => "reason",
        Kind::Payout | Kind::Transfer => "source_type",
        Kind::TransferReversal => "transfer",
    }
}

/// 100 rules over the first `kinds` kinds in turn.
pub(crate) fn spread(kinds: usize) -> Vec<Rule> {
    let rule = |i: usize| Rule {
        id: format!("rule-{i}"),
        kind: Kind::ALL[i % kinds],
        above: 1_000 + 10 * i as i64,
        word: format!("word_{i}"),
    };
    (0..100).map(rule).collect()
}

impl Rule {
    /// As a Cedar policy; every third blocks instead, so that both evaluations have work.
    ///
    /// Axiru passes over a policy whose plain comparisons exclude the movement. Written as a double negation, it must ask Cedar.
    pub(crate) fn cedar(&self, plain: bool) -> String {
        let Self { id, kind, above, word } = self;
        let fact = fact(*kind);
        let hold = if above % 30 == 0 { "" } else { "@require_approval(\"finance\") " };
        let (clause, end) = if plain { ("when {", "}") } else { ("unless { !(", ") }") };
        format!(
            "@id(\"{id}\") {hold}forbid(principal, action == Axiru::Action::\"{kind}\", resource) {clause} context.currency == \"usd\" && \
             context.amount_minor > {above} && context has {fact} && context.{fact} == \"{word}\" {end};\n"
        )
    }

    /// As a Rego rule.
    pub(crate) fn rego(&self) -> String {
        let Self { id, kind, above, word } = self;
        let fact = fact(*kind);
        format!(
            "fired contains \"{id}\" if {{\n  input.currency == \"usd\"\n  input.amount_minor > {above}\n  input.{fact} == \"{word}\"\n}}\n"
        )
    }

    /// As a CEL expression.
    pub(crate) fn cel(&self) -> String {
        let Self { kind, above, word, .. } = self;
        let fact = fact(*kind);
        format!("m.currency == \"usd\" && m.amount_minor > {above} && has(m.{fact}) && m.{fact} == \"{word}\"")
    }
}
