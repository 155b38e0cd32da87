//! What all pages share.

use axiru_domain::Mode;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The one style. Phone first; every text has a contrast of at least 7 to 1 (WCAG 2.2, 1.4.6), every control is at least 44 pixels high.
pub(crate) const STYLE: &str = "\
:root{color-scheme:light}\
*{box-sizing:border-box}\
body{margin:0;font:1.0625rem/1.55 system-ui,sans-serif;color:#1a1a1a;background:#fff;overflow-wrap:break-word}\
.skip{position:absolute;left:-999rem;background:#fff;color:#003d80;padding:.75rem 1rem}\
.skip:focus{left:0;top:0}\
header,main,footer{max-width:42rem;margin:0 auto;padding:1rem}\
header nav{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem}\
header a{display:inline-block;padding:.625rem 0}\
footer{border-top:1px solid #ccc;font-size:.9375rem;color:#404040}\
h1{font-size:1.625rem;line-height:1.25;margin:.5rem 0 1rem}\
h2{font-size:1.25rem;line-height:1.3;margin:2rem 0 .5rem}\
a{color:#003d80}\
.lead{font-size:1.1875rem}\
.band{margin:1.5rem 0 0;padding:.625rem 1rem;color:#fff;background:#4a4a4a;font-weight:700}\
.band.live{background:#8f0015}\
.box{border:2px solid #4a4a4a;padding:0 1rem 1rem}\
.box.live{border-color:#8f0015}\
.note{border-left:.375rem solid #7a4b00;background:#fff6e5;padding:.75rem 1rem}\
dl{display:grid;grid-template-columns:minmax(7rem,auto) 1fr;gap:.375rem 1rem;margin:1rem 0}\
dl.long{display:block}\
dl.long dd{margin-bottom:.625rem}\
dt{font-weight:600}\
dd{margin:0}\
button{font:inherit;font-weight:700;color:#fff;background:#003d80;border:0;border-radius:.375rem;min-height:3rem;padding:.75rem 1.25rem;width:100%;cursor:pointer}\
button.live{background:#8f0015}\
:focus-visible{outline:3px solid #b35900;outline-offset:2px}\
code{font-size:.9375em}\
@media(min-width:40rem){button{width:auto}dl.long{display:grid}dl.long dd{margin:0}}";

/// A whole page.
pub(super) fn document(title: &str, main: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) @if title != "Axiru" { " · Axiru" } }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a class="skip" href="#main" { "Skip to the content" }
                header {
                    nav aria-label="Axiru" { a href="/" { "Axiru" } a href="/permissions" { "Permissions" } a href="/privacy" { "Privacy" } }
                }
                main id="main" tabindex="-1" { (main) }
                footer {
                    p { "No analytics, no advertising, nothing loaded from anybody else. While an account is being connected, one cookie ties \
                         the visit to this browser for ten minutes; it is strictly necessary for that. There is no other cookie and so nothing to choose. "
                        a href="/privacy" { "Privacy and cookies" } }
                }
            }
        }
    }
}

/// The class of a mode's boxes and buttons.
pub(super) const fn class(mode: Mode) -> &'static str {
    match mode {
        Mode::Test => "test",
        Mode::Live => "live",
    }
}

/// The mode as it is shouted.
pub(super) const fn shout(mode: Mode) -> &'static str {
    match mode {
        Mode::Test => "TEST",
        Mode::Live => "LIVE",
    }
}

/// What a mode means, in one line.
pub(super) const fn meaning(mode: Mode) -> &'static str {
    match mode {
        Mode::Test => "TEST mode: no real money",
        Mode::Live => "LIVE mode: real money",
    }
}
