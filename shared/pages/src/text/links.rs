//! Nothing that a mail program would make a link of. Those programs link what looks like an address, in plain text too.

/// The text with its addresses broken, as those who write about attacks do: `https[:]//pay[.]example`.
///
/// Broken is every dot between letters or digits that could begin a top-level domain (two letters or more, RFC 1034 and its
/// successors), and every colon before two slashes, or after a scheme that needs none.
pub(super) fn broken(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    let mut before = None;
    while let Some(c) = rest.next() {
        let ahead = rest.as_str();
        let breaks = match c {
            '.' => before.is_some_and(char::is_alphanumeric) && begins_a_domain(ahead),
            ':' => ahead.starts_with("//") || ends_with_a_scheme(&out),
            _ => false,
        };
        if breaks {
            out.push('[');
            out.push(c);
            out.push(']');
        } else {
            out.push(c);
        }
        before = Some(c);
    }
    out
}

/// Two letters or more, or an international name, or another part that a dot ends.
fn begins_a_domain(ahead: &str) -> bool {
    let label: Vec<char> = ahead.chars().take_while(|c| c.is_alphanumeric() || *c == '-').take(64).collect();
    label.len() >= 2 && label.iter().any(|c| c.is_alphabetic())
}

/// Schemes that mail programs link without slashes.
fn ends_with_a_scheme(text: &str) -> bool {
    const SCHEMES: [&str; 7] = ["mailto", "tel", "sms", "javascript", "data", "facetime", "callto"];
    let start =
        text.char_indices().rev().take_while(|(_, c)| c.is_ascii_alphabetic()).last().map_or(text.len(), |(at, _)| at);
    let word = text.get(start..).unwrap_or_default();
    SCHEMES.iter().any(|scheme| scheme.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_broken_and_prose_is_not() {
        for (text, shown) in [
            ("https://pay.example/x?y=1", "https[:]//pay[.]example/x?y=1"),
            ("www.pay.example", "www[.]pay[.]example"),
            ("write to rosa@shop.example.", "write to rosa@shop[.]example."),
            ("mailto:rosa", "mailto[:]rosa"),
            ("JavaScript:alert(1)", "JavaScript[:]alert(1)"),
            ("ftp://10.0.0.1", "ftp[:]//10.0.0.1"),
            ("пример.рф", "пример[.]рф"),
            ("pay.xn--p1ai", "pay[.]xn--p1ai"),
            ("1,250.00 USD, e.g. at 10:30. Note: it is late.", "1,250.00 USD, e.g. at 10:30. Note: it is late."),
            ("...", "..."),
            ("", ""),
        ] {
            assert_eq!(broken(text), shown);
        }
    }
}
