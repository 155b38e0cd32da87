//! Cursor paging and the `created` filter that every list shares.

use serde_json::{Value, json};

use crate::error::StripeError;
use crate::params::Params;

/// Stripe's bounds on `limit`.
const DEFAULT_LIMIT: usize = 10;
const MAX_LIMIT: usize = 100;

/// Which part of a list is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    limit: usize,
    starting_after: Option<String>,
    ending_before: Option<String>,
    created: Vec<(Bound, i64)>,
}

#[derive(Clone, Copy, Debug)]
enum Bound {
    Gt,
    Gte,
    Lt,
    Lte,
}

impl Page {
    pub(crate) fn take(params: &mut Params) -> Result<Self, StripeError> {
        let limit = match params.integer("limit")? {
            None => DEFAULT_LIMIT,
            Some(asked) => {
                usize::try_from(asked).ok().filter(|limit| (1..=MAX_LIMIT).contains(limit)).ok_or_else(|| {
                    StripeError::invalid("limit", format!("This value must be between 1 and {MAX_LIMIT}."))
                })?
            }
        };
        let starting_after = params.text("starting_after")?;
        let ending_before = params.text("ending_before")?;
        if starting_after.is_some() && ending_before.is_some() {
            return Err(StripeError::invalid(
                "ending_before",
                "You may only specify one of these parameters: ending_before, starting_after.",
            ));
        }
        Ok(Self { limit, starting_after, ending_before, created: created(params)? })
    }

    /// Cuts the page out of `newest_first` and renders Stripe's list object.
    pub(crate) fn cut(&self, url: &str, newest_first: Vec<Row>) -> Result<Value, StripeError> {
        let rows: Vec<Row> = newest_first.into_iter().filter(|row| self.admits(row.created)).collect();
        let position = |cursor: &str, param: &str| {
            rows.iter()
                .position(|row| row.id == cursor)
                .ok_or_else(|| StripeError::no_such("object", cursor, param, None).with_status(400))
        };
        let (from, to, has_more) = match (&self.starting_after, &self.ending_before) {
            (Some(cursor), _) => {
                let from = position(cursor, "starting_after")? + 1;
                let to = rows.len().min(from + self.limit);
                (from, to, to < rows.len())
            }
            (None, Some(cursor)) => {
                let to = position(cursor, "ending_before")?;
                let from = to.saturating_sub(self.limit);
                (from, to, from > 0)
            }
            (None, None) => {
                let to = rows.len().min(self.limit);
                (0, to, to < rows.len())
            }
        };
        let data: Vec<Value> = rows.into_iter().skip(from).take(to.saturating_sub(from)).map(|row| row.value).collect();
        Ok(json!({"object": "list", "url": url, "has_more": has_more, "data": data}))
    }

    fn admits(&self, created: i64) -> bool {
        self.created.iter().all(|(bound, at)| match bound {
            Bound::Gt => created > *at,
            Bound::Gte => created >= *at,
            Bound::Lt => created < *at,
            Bound::Lte => created <= *at,
        })
    }
}

/// One candidate of a list.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) value: Value,
}

fn created(params: &mut Params) -> Result<Vec<(Bound, i64)>, StripeError> {
    let (exact, group) = params.text_or_group("created")?;
    let mut bounds = Vec::new();
    if let Some(text) = exact {
        let at = text.parse().map_err(|_| StripeError::invalid("created", format!("Invalid timestamp: {text}")))?;
        bounds.extend([(Bound::Gte, at), (Bound::Lte, at)]);
    }
    if let Some(mut group) = group {
        for (name, bound) in [("gt", Bound::Gt), ("gte", Bound::Gte), ("lt", Bound::Lt), ("lte", Bound::Lte)] {
            if let Some(at) = group.integer(name)? {
                bounds.push((bound, at));
            }
        }
        group.finish()?;
    }
    Ok(bounds)
}
