//! The page at `/`: what this is, the accounts, what happened lately, and what one can do.

use crate::html::{escape, page};
use crate::mode::{Mode, Scope};
use crate::state::State;

/// How many events each account's part shows.
const RECENT: usize = 8;

/// Renders the page.
pub(crate) fn index(state: &State) -> String {
    let mut main = String::from(
        "<p>This server speaks Stripe's API at <code>/v1/…</code>, shows Stripe's consent page at \
         <code>/oauth/v2/authorize</code>, and delivers signed webhooks. Everything is made up and stays on this machine. \
         What only a person, a bank or chance could do is done through <code>/_sandbox/…</code>; the crate's README lists it.</p>\
         <p>Mails that Axiru has sent on this machine are in the <a href=\"/mailbox\">mailbox</a>.</p>",
    );
    main.push_str("<h2>Apps</h2><table><tr><th>Mode</th><th>Client id</th><th>Listening at</th></tr>");
    for app in state.apps.values() {
        let world = state.world(&Scope::new(app.mode, state.developer.clone()));
        let urls: Vec<String> = world
            .into_iter()
            .flat_map(|world| world.webhook_endpoints.iter())
            .map(|endpoint| escape(&endpoint.url))
            .collect();
        let listening = if urls.is_empty() { "nowhere yet".to_owned() } else { urls.join("<br>") };
        main.push_str(&format!(
            "<tr><td>{}</td><td><code>{}</code></td><td>{listening}</td></tr>",
            app.mode,
            escape(&app.client_id)
        ));
    }
    main.push_str("</table><h2>Accounts</h2>");
    let merchants: Vec<_> = state.accounts.iter().filter(|account| account.id != state.developer).collect();
    if merchants.is_empty() {
        main.push_str("<p>None yet. <code>curl -X POST localhost:8788/_sandbox/accounts -d '{\"business_name\": \"Acme\"}'</code> makes one.</p>");
    }
    for account in merchants {
        let name = account.business_name.as_deref().unwrap_or("Unnamed business");
        main.push_str(&format!("<h3>{} <code>{}</code></h3>", escape(name), escape(&account.id)));
        for mode in Mode::ALL {
            recent(state, &Scope::new(mode, account.id.clone()), &mut main);
        }
    }
    let waiting = state.deliveries.order.len();
    main.push_str(&format!("<h2>Deliveries</h2><p>{} so far, {waiting} waiting. See <a href=\"/_sandbox/deliveries\">all</a> and the <a href=\"/_sandbox/state\">state</a>.</p>", state.deliveries.rows.len()));
    page("Stripe sandbox", &main)
}

fn recent(state: &State, scope: &Scope, main: &mut String) {
    let installed = if state.is_installed(scope) { "app installed" } else { "app not installed" };
    main.push_str(&format!("<p>{} mode: {installed}.</p>", scope.mode));
    let Some(world) = state.world(scope).filter(|world| !world.events.is_empty()) else {
        return;
    };
    main.push_str("<table><tr><th>Event</th><th>Object</th></tr>");
    for event in world.events.iter().rev().take(RECENT) {
        let object = event.data.pointer("/object/id").and_then(|id| id.as_str()).unwrap_or_default();
        main.push_str(&format!("<tr><td>{}</td><td><code>{}</code></td></tr>", escape(&event.kind), escape(object)));
    }
    main.push_str("</table>");
}
