//! What all pages share: one document, one style.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::style::STYLE;

/// What stands around the content of a function's pages.
pub struct Frame {
    /// Inside the header: links, or only a name.
    pub header: Markup,
    /// Inside the footer: what the pages keep and set.
    pub footer: Markup,
}

/// A whole page.
#[must_use]
pub fn document(frame: &Frame, title: &str, main: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                // Phones make links of digits that look like a telephone's; none of ours is one.
                meta name="format-detection" content="telephone=no, date=no, address=no, email=no";
                title { (title) @if title != "Axiru" { " · Axiru" } }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a class="skip" href="#main" { "Skip to the content" }
                header { (frame.header) }
                main id="main" tabindex="-1" { (main) }
                footer { (frame.footer) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_has_no_character_that_html_would_change() {
        assert!(!STYLE.contains(['<', '&']));
        let frame = Frame { header: html! {}, footer: html! {} };
        let page = document(&frame, "Axiru", &html! { h1 { "x" } }).into_string();
        assert!(page.contains(STYLE), "the hash in the policy is of these very bytes");
        assert!(page.contains("<title>Axiru</title>"));
    }
}
