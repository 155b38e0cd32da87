//! The Cedar schema that plans are written against, generated from the domain's table of facts.
//!
//! The text is published as `docs/policy-schema.cedarschema`; a test fails when that file is not current.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axiru_domain::{FactSpec, FactType, Family, Kind};
use cedar_policy::Schema;

/// The types of principals, as schema text.
const HEAD: &str = r#"// What a policy may speak of. Generated from the table of facts: `axiru plan schema` prints it.
//
// A fact written `name?` may be absent; a policy must say `context has name && …` before it reads it.
// A fact that is unknown (it could not be asked) is never taken for absent: where the answer depends on it,
// the movement waits for a person.

namespace Axiru {
  // Who asks for the movement, or made it.
  entity Agent; // a program with an Axiru key: Axiru::Agent::"ag_1"
  entity Staff; // a person with an Axiru key: Axiru::Staff::"st_1"
  entity External enum ["external"]; // somebody who moved money without asking Axiru
  entity Stripe enum ["stripe"]; // Stripe itself: automatic payouts, refunds that Stripe makes

  // Whose money: Axiru::Account::"live/acct_1".
  entity Account = {
    mode: String, // "test" or "live"
    account: String, // "acct_1"
  };

  // What the caller says of the movement, by names of its own. Nobody has checked it, and it is never a fact:
  // `context.claimed.hasTag("ticket") && context.claimed.getTag("ticket") == "T-7"`. Numbers, true and false are text here.
  entity Claims tags String;
"#;

/// The schema as text in Cedar's own format.
#[must_use]
pub fn schema_text() -> String {
    let mut text = HEAD.to_owned();
    for family in Family::ALL {
        let _ = write!(
            text,
            "\n  // The family of {family}: `action in Axiru::Action::\"{family}\"`.\n  action \"{family}\";\n"
        );
        for kind in Kind::ALL.into_iter().filter(|kind| kind.family() == family) {
            write_action(&mut text, kind);
        }
    }
    text.push_str("}\n");
    text
}

/// One action with its context. Writing to a `String` cannot fail.
fn write_action(text: &mut String, kind: Kind) {
    let _ = write!(
        text,
        "  action \"{kind}\" in [\"{}\"] appliesTo {{\n    principal: [Agent, Staff, External, Stripe],\n    resource: [Account],\n    context: {{\n",
        kind.family()
    );
    let _ =
        writeln!(text, "      amount_minor: Long, // in the currency's minor units: 20000 is 200.00 usd and 20000 jpy");
    let _ = writeln!(text, "      currency: String, // three lower-case letters: \"usd\"");
    let _ = writeln!(text, "      claimed: Claims, // what the caller says; there with no tags where it says nothing");
    for fact in FactSpec::of(kind) {
        let ty = match fact.ty {
            FactType::Bool => "Bool",
            FactType::Long => "Long",
            FactType::Text => "String",
        };
        let _ = writeln!(text, "      {}?: {ty}, // {}", fact.name, fact.meaning);
    }
    text.push_str("    },\n  };\n");
}

/// The parsed schema. It is generated, so a failure is a bug of ours; it is kept as text so that no plan can load then.
static SCHEMA: LazyLock<Result<Schema, String>> = LazyLock::new(|| {
    Schema::from_cedarschema_str(&schema_text()).map(|(schema, _)| schema).map_err(|e| format!("{e:?}"))
});

/// The parsed schema.
pub(crate) fn schema() -> Result<&'static Schema, &'static str> {
    SCHEMA.as_ref().map_err(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_parses_without_warnings_and_names_every_kind() {
        let (schema, warnings) = Schema::from_cedarschema_str(&schema_text()).unwrap();
        assert_eq!(warnings.count(), 0);
        assert_eq!(schema.actions().count(), Kind::ALL.len() + Family::ALL.len());
        assert_eq!(schema.action_groups().count(), Family::ALL.len());
        let mut types: Vec<_> = schema.entity_types().map(ToString::to_string).collect();
        types.sort();
        assert_eq!(
            types,
            ["Axiru::Account", "Axiru::Agent", "Axiru::Claims", "Axiru::External", "Axiru::Staff", "Axiru::Stripe"]
        );
    }

    #[test]
    fn the_published_file_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/policy-schema.cedarschema");
        let published = std::fs::read_to_string(path).unwrap();
        assert_eq!(published, schema_text(), "run: axiru plan schema > docs/policy-schema.cedarschema");
    }
}
