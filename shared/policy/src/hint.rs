//! What to do about a policy that does not parse: advice for the mistakes that people make, from the text at the mistake.

/// Advice for the text around byte `at` of a policy, where one of the usual mistakes is recognised.
pub(crate) fn hint(policy: &str, at: usize) -> Option<&'static str> {
    let (before, here) = policy.split_at_checked(at)?;
    let before = before.trim_end();
    let after_digit = before.ends_with(|c: char| c.is_ascii_digit());
    let starts = |words: &[&str]| words.iter().any(|word| here.starts_with(word));
    if policy.contains("?principal") || policy.contains("?resource") {
        return Some("templates are not used in plans: write the policy without `?principal` and `?resource`");
    }
    if here.starts_with('"') {
        return Some("a `\"` opens here and does not close");
    }
    if starts(&["#", "/*", "--", "/"]) {
        return Some("a comment begins with `//`");
    }
    if starts(&["\u{201c}", "\u{201d}", "\u{2018}", "\u{2019}", "'"]) {
        return Some("use straight double quotes: `\"`");
    }
    let fraction = before.ends_with('.') && here.starts_with(|c: char| c.is_ascii_digit());
    if fraction || (after_digit && starts(&[".", ",", "_"])) {
        return Some("write amounts in minor units, digits only: 200.00 usd is `20000`");
    }
    if starts(&["and ", "&"]) {
        return Some("write `&&` for and");
    }
    if starts(&["or ", "|"]) {
        return Some("write `||` for or");
    }
    if starts(&["not "]) || before.ends_with("not") {
        return Some("write `!` for not: `!(context has reason)`");
    }
    if starts(&["@", "permit", "forbid"]) && !before.ends_with(')') || (starts(&["@"]) && before.contains("resource")) {
        return Some("the policy before it ends without `;`");
    }
    let annotation = before.strip_suffix('(').and_then(|head| head.rsplit(|c: char| c.is_whitespace()).next());
    if annotation.is_some_and(|word| word.starts_with('@')) {
        return Some("what an annotation says stands in double quotes: `@quorum(\"2\")`");
    }
    if here.is_empty() && !policy.trim_end().ends_with(';') {
        return Some("every policy ends with `;`");
    }
    None
}

/// The name among `names` that was probably meant by `wrong`.
pub(crate) fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let alike = |name: &str| {
        let common = name.chars().zip(wrong.chars()).take_while(|(a, b)| a == b).count();
        let part = name.contains(wrong) || wrong.contains(name);
        (if part { 100 } else { 0 }) + common
    };
    names.into_iter().max_by_key(|name| alike(name)).filter(|name| alike(name) >= 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_that_was_meant() {
        let names = ["amount_minor", "currency", "reason", "charge", "charge_age_days"];
        for (wrong, meant) in [
            ("amount", Some("amount_minor")),
            ("reasons", Some("reason")),
            ("reson", None),
            ("charge_age", Some("charge_age_days")),
            ("curency", Some("currency")),
            ("zzz", None),
        ] {
            assert_eq!(nearest(wrong, names), meant, "{wrong}");
        }
    }
}
