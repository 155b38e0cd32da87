//! The mailbox as pages.

use super::Shown;
use super::moment::utc;
use crate::html::{escape, page};

/// All mails, the newest first.
pub(super) fn list(mails: &[Shown]) -> String {
    if mails.is_empty() {
        return page("Mailbox", "<p>No mail was sent yet.</p>");
    }
    let mut main = String::from("<table><tr><th>Taken</th><th>To</th><th>Subject</th></tr>");
    for mail in mails {
        main.push_str(&format!(
            "<tr><td>{}</td><td>{}</td><td><a href=\"/mailbox/{}\">{}</a></td></tr>",
            utc(mail.at),
            escape(&mail.to.join(", ")),
            mail.n,
            escape(&mail.subject)
        ));
    }
    main.push_str("</table><p>Mails of the local stack; none of them has left this machine.</p>");
    page("Mailbox", &main)
}

/// One mail: envelope, text, and the HTML in a frame of its own.
pub(super) fn one(mail: &Shown) -> String {
    let mut main = String::from("<p><a href=\"/mailbox\">All mails</a></p><table>");
    let to = mail.to.join(", ");
    let at = utc(mail.at);
    for (name, value) in
        [("Subject", &mail.subject), ("From", &mail.from), ("To", &to), ("Taken", &at), ("Message id", &mail.id)]
    {
        main.push_str(&format!("<tr><th>{name}</th><td>{}</td></tr>", escape(value)));
    }
    main.push_str(&format!("</table><h2>Text</h2><pre>{}</pre>", linked(&mail.text)));
    // An empty `sandbox` forbids scripts, forms and navigation; links are followed from the text above.
    main.push_str(&format!(
        "<h2>HTML</h2><iframe title=\"The mail as HTML\" sandbox=\"\" srcdoc=\"{}\"></iframe>",
        escape(&mail.html)
    ));
    page(&format!("Mail {}", mail.n), &main)
}

/// Why there is nothing to see.
pub(super) fn trouble(says: &str) -> String {
    page("Mailbox", &format!("<p>{}</p>", escape(says)))
}

/// Escaped text in which addresses of pages can be followed.
fn linked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = ["http://", "https://"].iter().filter_map(|scheme| rest.find(scheme)).min() {
        let (before, from) = rest.split_at(at);
        let end = from.find(|c: char| c.is_whitespace() || "<>\"'()[]".contains(c)).unwrap_or(from.len());
        let (found, _) = from.split_at(end);
        // What ends a sentence is no part of an address.
        let address = found.trim_end_matches(['.', ',', ';', ':', '!', '?']);
        let shown = escape(address);
        out.push_str(&escape(before));
        out.push_str(&format!("<a href=\"{shown}\" rel=\"noreferrer\">{shown}</a>"));
        rest = from.split_at(address.len()).1;
    }
    out.push_str(&escape(rest));
    out
}
