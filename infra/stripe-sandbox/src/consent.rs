//! The consent page: which account to connect, yes or no. GET only shows; POST decides and redirects.

use std::collections::BTreeMap;

use url::{Host, Url};

use crate::app::App;
use crate::html::{escape, page};
use crate::mode::Scope;
use crate::state::State;

/// What the consent page answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ConsentAnswer {
    /// An HTML page with its status.
    Page(u16, String),
    /// Back to the app.
    Redirect(String),
}

/// `GET /oauth/v2/authorize`.
pub(crate) fn show(state: &State, fields: &BTreeMap<String, String>) -> ConsentAnswer {
    let (app, redirect) = match checked(state, fields) {
        Ok(checked) => checked,
        Err(why) => return refuse(&why),
    };
    let mut choices = String::new();
    let merchants = state.accounts.iter().filter(|account| account.id != state.developer);
    for (at, account) in merchants.enumerate() {
        let name = account.business_name.as_deref().unwrap_or("Unnamed business");
        choices.push_str(&format!(
            r#"<label><input type="radio" name="account" value="{id}"{checked} required> {name} <code>{id}</code></label>"#,
            id = escape(&account.id),
            name = escape(name),
            checked = if at == 0 { " checked" } else { "" },
        ));
    }
    if choices.is_empty() {
        choices.push_str(
            "<p>There is no account yet. Make one with <code>POST /_sandbox/accounts</code> and reload this page.</p>",
        );
    }
    let permissions: String =
        app.permissions.iter().map(|name| format!("<li><code>{}</code></li>", escape(name))).collect();
    let main = format!(
        r#"<p><strong>{name}</strong> asks to be installed in <strong>{mode} mode</strong>. It would be allowed:</p>
<ul>{permissions}</ul>
<form method="post" action="/oauth/v2/authorize">
<input type="hidden" name="client_id" value="{client}">
<input type="hidden" name="redirect_uri" value="{redirect}">
<input type="hidden" name="state" value="{given}">
<fieldset><legend>Account</legend>{choices}</fieldset>
<button name="decision" value="approve">Install</button>
<button name="decision" value="refuse" class="quiet" formnovalidate>Cancel</button>
</form>"#,
        name = escape(&app.name),
        mode = app.mode,
        client = escape(&app.client_id),
        redirect = escape(redirect.as_str()),
        given = escape(field(fields, "state")),
    );
    ConsentAnswer::Page(200, page(&format!("Install {}", app.name), &main))
}

/// `POST /oauth/v2/authorize`.
pub(crate) fn decide(state: &mut State, fields: &BTreeMap<String, String>) -> ConsentAnswer {
    let (mode, mut redirect) = match checked(state, fields) {
        Ok((app, redirect)) => (app.mode, redirect),
        Err(why) => return refuse(&why),
    };
    let given = field(fields, "state").to_owned();
    match field(fields, "decision") {
        "approve" => {
            let account = field(fields, "account");
            if account == state.developer || state.accounts.get(account).is_none() {
                return refuse("Choose an account.");
            }
            let code = state.mint_code(&Scope::new(mode, account));
            redirect.query_pairs_mut().append_pair("code", &code);
        }
        "refuse" => {
            redirect
                .query_pairs_mut()
                .append_pair("error", "access_denied")
                .append_pair("error_description", "The user denied your request");
        }
        _ => return refuse("The form was not complete."),
    }
    if !given.is_empty() {
        redirect.query_pairs_mut().append_pair("state", &given);
    }
    ConsentAnswer::Redirect(redirect.into())
}

fn field<'a>(fields: &'a BTreeMap<String, String>, name: &str) -> &'a str {
    fields.get(name).map_or("", String::as_str)
}

/// The app and where to send the person back to. Never redirects to an address the app did not list.
fn checked<'a>(state: &'a State, fields: &BTreeMap<String, String>) -> Result<(&'a App, Url), String> {
    let app =
        state.app_of_client(field(fields, "client_id")).ok_or("This link is invalid: no app has this client_id.")?;
    let given = fields.get("redirect_uri").filter(|text| !text.is_empty()).or_else(|| app.redirect_uris.first());
    let text = given.ok_or("This link is invalid: it has no redirect_uri and the app lists none.")?;
    let url = Url::parse(text).map_err(|_| "This link is invalid: redirect_uri is not an address.")?;
    let allowed = if app.redirect_uris.is_empty() { is_safe(&url) } else { app.redirect_uris.contains(text) };
    if allowed { Ok((app, url)) } else { Err("This link is invalid: the app does not list this redirect_uri.".into()) }
}

fn is_safe(url: &Url) -> bool {
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && local)
}

fn refuse(why: &str) -> ConsentAnswer {
    ConsentAnswer::Page(400, page("This app cannot be installed", &format!("<p>{}</p>", escape(why))))
}
