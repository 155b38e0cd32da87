//! `GET /api/v1/decisions`: the actor's decisions, newest first.

use axiru_aws::requests::{Filter, Page};
use axiru_domain::{AccountId, KeyToken};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use lambda_http::{Body, Request, RequestExt, Response};

use crate::app::App;
use crate::caller;
use crate::handler::json;
use crate::refusal::Refusal;
use crate::wire::{DecisionAnswer, DecisionList};

/// Decisions of one page unless said otherwise, and at most.
const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 100;

/// Longest cursor: a moment and an id, in base64.
const MAX_CURSOR: usize = 120;

/// Answers a page.
pub(crate) async fn list(app: &App, token: &KeyToken, request: &Request) -> Result<Response<Body>, Refusal> {
    let (account, filter) = parse(request)?;
    let page = app.store.decisions(token, account.as_ref(), &filter, (app.now)()).await;
    let Page { decided, next } = page.map_err(|error| Refusal::of(&error))?;
    let data = decided.iter().map(DecisionAnswer::of).collect::<Result<Vec<_>, _>>().map_err(|error| {
        tracing::error!(error = %error, "a list of decisions could not be answered");
        Refusal::other(StatusCode::INTERNAL_SERVER_ERROR, "entry_unreadable", "an entry of the list is not readable")
    })?;
    let next_cursor = next.map(|next| URL_SAFE_NO_PAD.encode(next));
    Ok(json(StatusCode::OK, &DecisionList { data, next_cursor }))
}

fn parse(request: &Request) -> Result<(Option<AccountId>, Filter), Refusal> {
    let mut account = caller::account(request.headers())?;
    let mut filter = Filter { limit: DEFAULT_LIMIT, ..Filter::default() };
    let query = request.query_string_parameters();
    for (name, _) in query.iter() {
        let values = query.all(name).unwrap_or_default();
        let [value] = values.as_slice() else {
            return Err(Refusal::field(name, "sent more than once"));
        };
        let wrong = |expected: &str| Refusal::field(name, format!("expected {expected}"));
        match name {
            "account" => {
                let own: AccountId = value.parse().map_err(|_| wrong("`acct_…`"))?;
                if account.as_ref().is_some_and(|header| *header != own) {
                    return Err(wrong("the account that the header Stripe-Account names"));
                }
                account = Some(own);
            }
            "kind" => filter.kind = Some(value.parse().map_err(|_| wrong("a kind of movement, such as `refund`"))?),
            "outcome" => {
                filter.outcome = Some(match *value {
                    "allowed" => axiru_domain::Outcome::Allow,
                    "pending_approval" => axiru_domain::Outcome::RequireApproval,
                    "denied" => axiru_domain::Outcome::Block,
                    _ => return Err(wrong("`allowed`, `pending_approval` or `denied`")),
                });
            }
            "status" => {
                const STATUSES: &str = "`allowed`, `pending`, `denied`, `executing`, `unknown`, `succeeded`, `failed`, `settled` or `expired`";
                filter.status = Some(value.parse().map_err(|_| wrong(STATUSES))?);
            }
            "created_from" => {
                filter.from = Some(value.parse().map_err(|_| wrong("a time such as 2026-10-31T00:00:00.000Z"))?)
            }
            "created_before" => {
                filter.before = Some(value.parse().map_err(|_| wrong("a time such as 2026-10-31T00:00:00.000Z"))?);
            }
            "limit" => {
                let limit = value.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
                filter.limit = limit.ok_or_else(|| wrong("a number from 1 to 100"))?;
            }
            "cursor" => {
                filter.cursor = Some(cursor(value).ok_or_else(|| wrong("the `next_cursor` of the page before"))?)
            }
            _ => {
                let known = "account, kind, outcome, status, created_from, created_before, limit, cursor";
                return Err(Refusal::field("query", format!("an unknown parameter; there are {known}")));
            }
        }
    }
    Ok((account, filter))
}

/// The place in the list that a cursor names.
fn cursor(text: &str) -> Option<String> {
    let bytes = (text.len() <= MAX_CURSOR).then(|| URL_SAFE_NO_PAD.decode(text).ok())??;
    let place = String::from_utf8(bytes).ok()?;
    let (moment, id) = place.split_once('#')?;
    let fits = moment.parse::<axiru_domain::Timestamp>().is_ok() && id.parse::<axiru_domain::RequestId>().is_ok();
    fits.then_some(place)
}
