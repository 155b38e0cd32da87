//! The search: what was planted, and every secret, must stand nowhere but in its place. Logs, export, tables, queues, buckets, mails and pages are read
//! whole.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde::Deserialize;
use tokio::process::Command;
use url::form_urlencoded::byte_serialize;

use super::browser::pages;
use super::control::Control;
use super::ledger::files_below;
use crate::folders::Folders;
use crate::stack::Stack;
use crate::venv::Venv;

/// A text that must not be found, but in places that begin so.
#[derive(Debug)]
pub(super) struct Planted {
    pub(super) text: String,
    /// Beginnings of the parts of places; a `*` stands for anything within one.
    pub(super) places: &'static [&'static str],
    /// What it is, for whoever reads that it was found.
    pub(super) what: &'static str,
}

/// How secrets begin where they are written down, and what they are.
const BEGINNINGS: [(&str, &str); 11] = [
    ("axk_test_", "an Axiru key"),
    ("axk_live_", "an Axiru key"),
    ("whsec_", "a signing secret"),
    ("sk_test_", "a secret key"),
    ("sk_live_", "a secret key"),
    ("rk_test_", "a restricted key or an access token"),
    ("rk_live_", "a restricted key or an access token"),
    ("rt_", "a refresh token"),
    ("link=", "a set-up link"),
    ("code=", "a code of Stripe's"),
    ("state=", "a state of an install"),
];

/// Fewer than this and something was not read.
const LEAST_PLACES: usize = 300;

#[derive(Deserialize)]
struct Place {
    place: String,
    text: String,
}

/// Reads every place and looks for everything; gives how many places there were.
pub(super) async fn search(
    folders: &Folders,
    venv: &Venv,
    stack: &Stack,
    control: &Control,
    export: &Path,
    planted: &[Planted],
) -> Result<usize> {
    let mut places = Vec::new();
    for (of, folder) in [("log", stack.logs()), ("export", export.to_owned()), ("page", pages(stack))] {
        for file in files_below(&folder)? {
            let text = String::from_utf8_lossy(&std::fs::read(&file)?).into_owned();
            // The stand-in for SES notes to whom it sends, as a mail server does; it is not Axiru's.
            let text = text.split_inclusive('\n').filter(|line| !line.contains(" INFO [ses-v2] ")).collect();
            places.push(Place { place: format!("{of}/{}", file.strip_prefix(&folder)?.display()), text });
        }
    }
    for mail in control.mails().await? {
        // To whom it goes stands on the envelope.
        let inside: Vec<&str> = ["subject", "text", "html"].iter().filter_map(|part| mail[*part].as_str()).collect();
        ensure!(inside.len() > 1, "a mail without content: {mail}");
        places.push(Place { place: "mail".to_owned(), text: inside.join("\n") });
    }
    let output = Command::new(venv.program("python"))
        .arg(folders.root.join("infra/local/contents.py"))
        .args(["--endpoint", &stack.endpoint_url])
        .kill_on_drop(true)
        .output()
        .await
        .context("what the stack keeps cannot be listed")?;
    ensure!(
        output.status.success(),
        "what the stack keeps cannot be listed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    for line in String::from_utf8(output.stdout)?.lines() {
        places.push(serde_json::from_str(line).context("a place is no JSON")?);
    }
    ensure!(places.len() > LEAST_PLACES, "only {} places were read", places.len());
    for kind in ["log/", "export/", "page/", "mail", "table/", "bucket/"] {
        ensure!(places.iter().any(|place| place.place.starts_with(kind)), "nothing of `{kind}` was read");
    }
    let sought: Vec<_> = planted.iter().map(|planted| (planted, forms(&planted.text))).collect();
    for place in &places {
        // What is put up to be run is ours, not written by anybody at work.
        if place.place.starts_with("bucket/axiru-artefacts") {
            continue;
        }
        for (planted, forms) in &sought {
            let found = forms.iter().find(|form| place.text.contains(form.as_str()));
            if let Some(form) = found
                && !planted.places.iter().any(|allowed| matches(allowed, &place.place))
            {
                bail!("{} (`{}`, as `{form}`) is in {}", planted.what, planted.text, place.place);
            }
        }
        for (beginning, what) in BEGINNINGS {
            if place.place != "mail" && has(&place.text, beginning) {
                bail!("something that looks like {what} (`{beginning}…`) is in {}", place.place);
            }
        }
    }
    // A search that finds nothing anywhere may be one that does not look.
    for planted in planted.iter().filter(|planted| !planted.places.is_empty()) {
        let found = places.iter().any(|place| place.text.contains(&planted.text));
        ensure!(found, "{} (`{}`) is not even in its place", planted.what, planted.text);
    }
    Ok(places.len())
}

/// A text as it is written down: as it stands, as a form writes it, in hexadecimal, and what base64 makes of it wherever it begins in what was
/// encoded (whole groups of three bytes only: what stands before and after is not known).
fn forms(text: &str) -> Vec<String> {
    let bytes = text.as_bytes();
    let mut forms = vec![
        text.to_owned(),
        byte_serialize(bytes).collect(),
        byte_serialize(bytes).collect::<String>().replace('+', "%20"),
    ];
    forms.push(bytes.iter().map(|byte| format!("{byte:02x}")).collect());
    for skipped in 0..3 {
        let rest = bytes.get(skipped..).unwrap_or_default();
        let whole = rest.chunks_exact(3).flatten().copied().collect::<Vec<_>>();
        // Less than this may stand anywhere by chance.
        if whole.len() >= 6 {
            forms.extend([STANDARD.encode(&whole), URL_SAFE.encode(&whole)]);
        }
    }
    forms
}

/// Whether a word begins so somewhere: `rt_` is no end of `start_`.
fn has(text: &str, beginning: &str) -> bool {
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find(beginning)) {
        let start = from + at;
        let before = text.get(..start).and_then(|head| head.chars().next_back());
        let after = text.get(start + beginning.len()..).and_then(|tail| tail.chars().next());
        let inside = before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
        if !inside && after.is_some_and(|c| c.is_ascii_alphanumeric()) {
            return true;
        }
        from = start + beginning.len();
    }
    false
}

fn matches(allowed: &str, place: &str) -> bool {
    let mut parts = place.split('/');
    allowed.split('/').all(|wanted| parts.next().is_some_and(|part| begins(wanted, part)))
}

/// Whether a part begins as that says, in which a `*` stands for anything.
fn begins(wanted: &str, part: &str) -> bool {
    let mut pieces = wanted.split('*');
    let Some(mut rest) = part.strip_prefix(pieces.next().unwrap_or_default()) else { return false };
    for piece in pieces {
        match rest.split_once(piece) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_by_its_beginning_and_words_are_none() {
        assert!(has("key rk_test_abc", "rk_test_") && has("\"rt_abc\"", "rt_") && has("?code=x", "code="));
        assert!(!has("start_at", "rt_") && !has("`sk_test_…`", "sk_test_") && !has("postcode=1", "code="));
    }

    #[test]
    fn a_text_is_found_however_it_is_written_down() {
        let text = "ada+canary@shop.example";
        let found = |written: &str| forms(text).iter().any(|form| written.contains(form.as_str()));
        for before in ["", "a", "ab", "abc"] {
            let whole = format!("{before}{text} and more");
            let hex: String = whole.bytes().map(|byte| format!("{byte:02x}")).collect();
            for written in [whole.clone(), STANDARD.encode(&whole), URL_SAFE.encode(&whole), hex] {
                assert!(found(&written), "{written}");
            }
            assert!(found(&byte_serialize(whole.as_bytes()).collect::<String>()));
            assert!(!found(&STANDARD.encode(whole.replace("canary", "nobody"))));
        }
        assert!(forms("two words").contains(&"two%20words".to_owned()));
    }

    #[test]
    fn places_are_named_by_their_beginning() {
        assert!(matches("table/*/test#acct_*#persons", "table/axiru-State-1/test#acct_1#persons/per_1"));
        assert!(!matches("table/*/test#acct_*#persons", "table/axiru-State-1/live#acct_1#persons/per_1"));
        assert!(matches("mail", "mail") && !matches("table/*/live", "table/x/test#a/b"));
        assert!(!matches("table/*/x", "table/y"));
        assert!(matches("page/*-approvals", "page/007-approvals-decide.html"));
        assert!(!matches("page/*-approvals", "page/001-stripe-install.html"));
    }
}
