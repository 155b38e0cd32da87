//! The page `docs/gateway.md`, written from the table.

use std::fmt::Write as _;

use super::headers::RELEASES;
use super::refused::CODES;
use super::routes::ROUTES;
use super::table::{Does, Form, Param, Route};

/// What stands before the tables.
const BEFORE: &str = include_str!("page/before.md");
/// What stands after them.
const AFTER: &str = include_str!("page/after.md");

/// The page.
#[must_use]
pub fn page() -> String {
    let mut page = BEFORE.to_owned();
    page.push_str("\n## Calls that are decided\n\n| call | kind | parameters | `expand` |\n|---|---|---|---|\n");
    let decided = |route: &&Route| matches!(route.does, Does::Move(_) | Does::DisputeUpdate);
    for route in ROUTES.iter().filter(decided) {
        let kind = match route.does {
            Does::Move(kind) => format!("`{kind}`"),
            _ => "`dispute_submit` if evidence is submitted; else passes".to_owned(),
        };
        let (params, expand) = (params(route), words(route.expand));
        let _ = writeln!(page, "| `{} {}` | {kind} | {params} | {expand} |", route.verb.as_str(), route.path);
    }
    page.push_str("\nNeeded parameters are **bold**. Evidence takes the names of Stripe's documentation but `enhanced_evidence`. Refused although Stripe knows them:");
    for route in ROUTES.iter().filter(|route| !route.not_taken.is_empty()) {
        let _ = write!(page, " {} on `{}`;", words(route.not_taken), route.path);
    }
    page.truncate(page.trim_end_matches(';').len());
    page.push_str(".\n\n## Calls that pass\n\nThey bring money back or note something: recorded, never held.\n\n| call | word | parameters | `expand` |\n|---|---|---|---|\n");
    for route in ROUTES.iter().filter(|route| matches!(route.does, Does::Pass(_))) {
        let (params, expand) = (params(route), words(route.expand));
        let _ = writeln!(page, "| `POST {}` | `{}` | {params} | {expand} |", route.path, route.name);
    }
    page.push_str("| `POST /v1/disputes/{dispute}` with `submit=false` | `dispute_stage` | as above | |\n| `POST /v1/disputes/{dispute}` with metadata only | `dispute_metadata` | as above; sent with `submit=false` | |\n");
    page.push_str("\n## Reads\n\n| call | parameters | `expand` |\n|---|---|---|\n");
    for route in ROUTES.iter().filter(|route| route.does == Does::Read) {
        let _ = writeln!(page, "| `GET {}` | {} | {} |", route.path, params(route), words(route.expand));
    }
    page.push_str("\n## Side doors\n\nThey move money past the calls above. While any plan of the family is enforced they are refused with `axiru_side_door`; until then they are forwarded as they came, and recorded.\n\n| call | word | family |\n|---|---|---|\n");
    for route in ROUTES {
        if let Does::SideDoor(family) = route.does {
            let _ = writeln!(page, "| `POST {}` | `{}` | {family} |", route.path, route.name);
        }
    }
    page.push_str("\n## Versions of Stripe's API\n\nSent with `Stripe-Version`, or left out: then ");
    let _ = write!(page, "`{}`.\n\n| release | from | to |\n|---|---|---|\n", crate::API_VERSION);
    for release in RELEASES {
        let _ = writeln!(page, "| `{}` | {} | {} |", release.name, release.first, release.last);
    }
    page.push_str("\n## Refusals\n\nStripe's error shape; nothing was sent. The message begins with the parameter or header at fault, where there is one.\n\n| code | status | what is wrong, and what to do |\n|---|---|---|\n");
    for code in CODES {
        let _ = writeln!(page, "| `{}` | {} | {} |", code.word, code.status, code.says);
    }
    page.push_str(AFTER);
    page
}

fn words(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn params(route: &Route) -> String {
    let shown = |param: &Param| {
        let name = match param.form {
            Form::Metadata | Form::MetadataUpdate | Form::Evidence(_) => format!("`{}[…]`", param.name),
            Form::Moments => format!("`{0}`, `{0}[gt, gte, lt, lte]`", param.name),
            _ => format!("`{}`", param.name),
        };
        let name = if param.required { format!("**{name}**") } else { name };
        match param.form {
            Form::Word(words) => format!("{name} ({})", words.join(", ")),
            _ => name,
        }
    };
    route.params.iter().map(shown).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_page_is_current() {
        let committed = include_str!("../../../../docs/gateway.md");
        assert_eq!(super::page(), committed, "run `cargo run -p axiru-stripe --example gateway_page`");
    }
}
