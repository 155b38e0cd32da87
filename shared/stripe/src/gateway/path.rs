//! Paths: taken only as Stripe's documentation writes them, so that no two readers can understand them differently.

use axiru_domain::StripeId;
use http::Method;

use super::refused::Refused;
use super::routes::ROUTES;
use super::table::{Route, Verb};

/// Prefixes of the ids that a place in a path takes.
pub(super) fn prefixes(place: &str) -> &'static [&'static str] {
    match place {
        "charge" => &["ch", "py"],
        "refund" => &["re", "pyr"],
        "payout" => &["po"],
        "transfer" => &["tr"],
        "reversal" => &["trr"],
        "dispute" => &["dp", "du"],
        "reader" => &["tmr"],
        "payment_intent" => &["pi"],
        "fee" => &["fee"],
        "account" => &["acct"],
        "external" => &["ba", "card"],
        _ => &[],
    }
}

/// The name of the place that a segment of a route's path is; none for a fixed segment.
pub(super) fn place(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// `^[a-z]+_[A-Za-z0-9]+$`: as Stripe issues ids.
fn is_id(segment: &str) -> bool {
    segment.split_once('_').is_some_and(|(prefix, rest)| {
        !prefix.is_empty()
            && prefix.bytes().all(|b| b.is_ascii_lowercase())
            && !rest.is_empty()
            && rest.bytes().all(|b| b.is_ascii_alphanumeric())
    })
}

fn is_fixed(segment: &str) -> bool {
    !segment.is_empty() && segment.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// The route of a call and the ids in its path.
pub(super) fn route(method: &Method, path: &str) -> Result<(&'static Route, Vec<StripeId>), Refused> {
    let refused = |word| Refused::new(word, None, None);
    let verb = match *method {
        Method::GET => Verb::Get,
        Method::POST => Verb::Post,
        _ => return Err(refused("axiru_method")),
    };
    let inside = path.strip_prefix('/').ok_or_else(|| refused("axiru_path"))?;
    let segments: Vec<&str> = inside.split('/').collect();
    if !segments.iter().all(|segment| is_fixed(segment) || is_id(segment)) {
        return Err(refused("axiru_path"));
    }
    match (segments.first(), segments.get(1)) {
        (Some(&"v2"), _) => return Err(refused("axiru_api_v2")),
        (Some(&"v1"), Some(&("files" | "file_links"))) => return Err(refused("axiru_files")),
        _ => {}
    }
    let fits = |route: &&Route| {
        let own: Vec<&str> = route.path.trim_start_matches('/').split('/').collect();
        route.verb == verb
            && own.len() == segments.len()
            && own.iter().zip(&segments).all(|(own, theirs)| match place(own) {
                Some(_) => is_id(theirs),
                None => own == theirs,
            })
    };
    let route = ROUTES.iter().find(fits).ok_or_else(|| refused("axiru_route_unknown"))?;
    let own = route.path.trim_start_matches('/').split('/');
    let mut ids = Vec::new();
    for (place, id) in own.zip(segments).filter_map(|(own, theirs)| Some((place(own)?, theirs))) {
        let id: StripeId = id.parse().map_err(|_| refused("axiru_path"))?;
        if !prefixes(place).contains(&id.prefix()) {
            return Err(Refused::new("axiru_path_id", Some(place), None));
        }
        ids.push(id);
    }
    Ok((route, ids))
}

/// The path of a route with these ids.
pub(super) fn written(route: &Route, ids: &[StripeId]) -> String {
    let mut ids = ids.iter();
    let segments = route.path.split('/').map(|segment| match place(segment) {
        // INVARIANT: as many ids as places, by `route` above.
        Some(_) => ids.next().map_or("", StripeId::as_str),
        None => segment,
    });
    segments.collect::<Vec<_>>().join("/")
}
