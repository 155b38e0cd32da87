//! The HTML part: the same, with styles inside, because mail programs drop those that stand apart.

use maud::{DOCTYPE, Markup, html};

use super::{Action, Body};
use crate::sheet::{CALLER, Caller, Row, Section, Tone};

const PAGE: &str =
    "margin:0;padding:0;background:#ffffff;color:#1a1a1a;font:17px/1.55 system-ui,-apple-system,'Segoe UI',sans-serif";
const COLUMN: &str = "max-width:672px;margin:0 auto;padding:16px;overflow-wrap:anywhere;word-break:break-word";
const TEST: &str = "margin:0 0 16px;padding:10px 16px;color:#ffffff;background:#4a4a4a;font-weight:700";
const LIVE: &str = "margin:0 0 16px;padding:10px 16px;color:#ffffff;background:#8f0015;font-weight:700";
const H1: &str = "font-size:26px;line-height:1.25;margin:8px 0 16px";
const H2: &str = "font-size:20px;line-height:1.3;margin:32px 0 8px";
const P: &str = "margin:0 0 12px";
const BUTTON: &str = "display:inline-block;padding:14px 24px;color:#ffffff;background:#003d80;border-radius:6px;font-weight:700;text-decoration:none";
const DT: &str = "font-weight:600;color:#404040;margin:0";
const DD: &str = "margin:0 0 10px";
const LINE: &str = "margin:0 0 4px";
const CODE: &str = "font-size:15px;font-family:ui-monospace,monospace";
const HEED: &str = "margin:0 0 4px;padding:4px 12px;border-left:6px solid #7a4b00;background:#fff6e5;font-weight:600";
const BOX: &str = "margin:32px 0;padding:0 16px 16px;border:2px dashed #7a4b00;background:#fff6e5";
const QUOTE: &str = "margin:0 0 12px;padding:12px 16px;background:#ffffff;border:1px solid #cccccc";
const CLOSE: &str = "margin:32px 0 0;padding:16px 0 0;border-top:1px solid #cccccc;font-size:15px;color:#404040";

pub(super) fn document(body: &Body, title: &str) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light";
                meta name="format-detection" content="telephone=no, date=no, address=no, email=no";
                title { (title) }
            }
            body style=(PAGE) {
                main style=(COLUMN) {
                    p style=(if body.live { LIVE } else { TEST }) { (body.band) }
                    h1 style=(H1) { (body.headline) }
                    @for sentence in &body.lead { p style=(P) { bdi { (sentence) } } }
                    @if let Some(action) = &body.action { (link(action)) }
                    @for section in &body.sections { (of_section(section)) }
                    @if let Some(caller) = &body.caller { (of_caller(caller)) }
                    @if !body.lines.is_empty() {
                        ul { @for line in &body.lines { li style=(LINE) { bdi { (line) } } } }
                    }
                    div style=(CLOSE) { @for sentence in &body.close { p style=(P) { (sentence) } } }
                }
            }
        }
    }
}

fn link(action: &Action) -> Markup {
    html! {
        p style=(P) { "Opening the page decides nothing." }
        p style=(P) { a style=(BUTTON) href=(action.link.as_str()) { (action.says) } }
        p style=(P) { "Check code: " strong style=(CODE) { (action.digest) } ". The page must show the same." }
    }
}

fn of_section(section: &Section) -> Markup {
    html! {
        h2 style=(H2) { (section.title) }
        dl style="margin:0" { @for row in &section.rows { (of_row(row)) } }
    }
}

fn of_row(row: &Row) -> Markup {
    html! {
        dt style=(DT) { (row.label) }
        dd style=(DD) {
            @for value in &row.values {
                @match value.tone {
                    Tone::Plain => p style=(LINE) { bdi { (value.text) } },
                    Tone::Code => p style=(LINE) { code style=(CODE) { bdi { (value.text) } } },
                    Tone::Heed => p style=(HEED) { bdi { (value.text) } },
                }
            }
        }
    }
}

fn of_caller(caller: &Caller) -> Markup {
    html! {
        div style=(BOX) {
            h2 style=(H2) { (CALLER) }
            p style=(P) { "Nobody has checked it. Decide by the facts above." }
            @if let Some(reason) = &caller.reason {
                blockquote style=(QUOTE) { bdi { (reason) } }
                @for warning in reason.warnings() { p style=(HEED) { (warning) } }
            }
            @if !caller.claims.is_empty() {
                dl style="margin:0" {
                    @for (claim, value) in &caller.claims {
                        dt style=(DT) { bdi { (claim) } }
                        dd style=(DD) { bdi { (value) } }
                    }
                }
            }
        }
    }
}
