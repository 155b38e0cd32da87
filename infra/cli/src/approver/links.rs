//! `axiru approver revoke-links`: calls in links that were sent.

use std::io::Write;

use axiru_domain::{PersonId, RequestId};
use clap::Args;
use serde_json::{Map, Value, json};

use crate::scopes::{Doing, changed};

/// Which links, and why.
#[derive(Debug, Args)]
pub(crate) struct RevokeLinks {
    #[command(flatten)]
    which: Which,
    /// Why, in a sentence. It stands beside the ledger, which holds only its hash.
    #[arg(long)]
    why: String,
    #[command(flatten)]
    doing: Doing,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// Those of a request that waits: everybody who was asked about it.
    #[arg(long, value_name = "DECISION", value_parser = request)]
    request: Option<RequestId>,
    /// Those that were sent to a person.
    #[arg(long, value_name = "PERSON")]
    person: Option<PersonId>,
    /// One link, by its id: 32 hex digits, as the entry of a vote names it. Never the link itself.
    #[arg(long, value_name = "ID")]
    link: Option<String>,
    /// All of the scope.
    #[arg(long)]
    all: bool,
}

fn request(text: &str) -> Result<RequestId, String> {
    text.parse()
        .map_err(|_| "expected `dec_` and 32 lower-case hex digits, as `axiru approval list` shows them".to_owned())
}

impl Which {
    fn body(&self, why: &str) -> Value {
        let mut body = Map::from_iter([("why".to_owned(), json!(why))]);
        let named = [
            ("request", self.request.as_ref().map(|id| json!(id.as_str()))),
            ("person", self.person.as_ref().map(|id| json!(id))),
            ("link", self.link.as_ref().map(|id| json!(id))),
            ("all", self.all.then(|| json!(true))),
        ];
        body.extend(named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        body.into()
    }

    fn told(&self) -> String {
        match self {
            Self { request: Some(id), .. } => format!("the links of {id}"),
            Self { person: Some(id), .. } => format!("the links sent to {id}"),
            Self { link: Some(_), .. } => "the link".to_owned(),
            _ => "all links".to_owned(),
        }
    }
}

/// Runs the command.
pub(super) async fn run(command: &RevokeLinks, out: &mut dyn Write) -> anyhow::Result<()> {
    let RevokeLinks { which, why, doing } = command;
    let answers = doing.act(&["links", "revoke"], &doing.change()?, which.body(why)).await?;
    doing.place.tell(&answers, out, |scope, answer, out| {
        let when = if changed(answer) { "no longer count" } else { "did not count any more" };
        Ok(writeln!(out, "{scope}: {} {when}", which.told())?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_named_is_sent() {
        let nothing = || Which { request: None, person: None, link: None, all: false };
        let all = Which { all: true, ..nothing() };
        assert_eq!((all.body("x"), all.told().as_str()), (json!({"why": "x", "all": true}), "all links"));
        let person = Which { person: Some(PersonId::from_random([1; 16])), ..nothing() };
        assert_eq!(person.body("x").as_object().unwrap().len(), 2);
        assert!(person.told().starts_with("the links sent to per_"));
        let id = format!("dec_{}", "0".repeat(32));
        assert!(request(&id).is_ok() && request("dec_1").is_err_and(|told| told.contains("axiru approval list")));
    }
}
