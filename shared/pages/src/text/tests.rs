use proptest::prelude::*;

use super::*;

fn line(raw: &str) -> Plain {
    Plain::line(raw, MAX_CHARS)
}

#[test]
fn prose_in_any_alphabet_passes_as_it_is() {
    for text in [
        "Customer asked for it on 31 October, see ticket T-7.",
        "Rosa’s Shop – “Büro & Möbel” (20 % off)",
        "Клиент просит вернуть деньги за заказ, а мы согласны.",
        "お客様から返金の依頼がありました。Stripe で確認済み",
        "客户要求退款 iPhone 15",
        "Ο πελάτης ζήτησε επιστροφή χρημάτων",
        "고객이 환불을 요청했습니다",
        "العميل طلب استرداد المبلغ",
        "ngôn ngữ tiếng Việt",
        "kapı ılık",
        "👍 done 🎉",
    ] {
        let shown = line(text);
        assert_eq!((shown.as_str(), shown.warnings()), (text, vec![]), "{text}");
    }
}

#[test]
fn it_is_one_line() {
    for raw in [
        "a\r\nBcc: all@evil",
        "a\nBcc: all@evil",
        "a\u{2028}Bcc: all@evil",
        "a\u{2029}Bcc: all@evil",
        "a\u{85}Bcc: all@evil",
        "a\u{b}\u{c}Bcc: all@evil",
        " a \t\u{a0}\u{3000}\u{2800} Bcc: all@evil ",
    ] {
        assert_eq!(line(raw).as_str(), "a Bcc: all@evil", "{raw:?}");
    }
}

#[test]
fn what_is_not_seen_is_taken_out_and_told() {
    for raw in [
        "pay\u{202e}lap",
        "pay\u{2066}lap",
        "pay\u{200b}lap",
        "pay\u{200d}lap",
        "pay\u{feff}lap",
        "pay\u{ad}lap",
        "pay\u{0}lap",
        "pay\u{7f}lap",
        "pay\u{1b}lap",
        "pay\u{9b}lap",
        "pay\u{e0041}lap",
        "pay\u{3164}lap",
        "pay\u{fff9}lap",
        "pay\u{e000}lap",
        "pay\u{ffff}lap",
        "pay\u{61c}lap",
        "pay\u{180e}lap",
        "pay\u{34f}lap",
    ] {
        let shown = line(raw);
        assert_eq!(shown.as_str(), "paylap", "{raw:?}");
        assert_eq!(shown.warnings().len(), 1, "{raw:?}");
    }
    // Honest joiners leave without a word.
    for (raw, text) in [("می\u{200c}خواهم", "میخواهم"), ("❤\u{fe0f}", "❤")] {
        assert_eq!((line(raw).as_str(), line(raw).warnings()), (text, vec![]));
    }
}

#[test]
fn one_word_has_one_form() {
    assert_eq!(line("cafe\u{301}"), line("caf\u{e9}"));
    assert_eq!(line("10 k\u{2126}").as_str(), "10 k\u{3a9}");
}

#[test]
fn words_that_may_pass_for_others_are_told() {
    for raw in [
        "Pаypal",                  // Cyrillic а
        "раураӏ",                  // Cyrillic throughout
        "refund to асе",           // a Cyrillic word beside Latin ones
        "Αpple",                   // Greek Α
        "gооgle pay",              // Cyrillic о
        "𝐑𝐞𝐟𝐮𝐧𝐝 all",              // mathematics
        "ｒｅｆｕｎｄ",            // full width
        "аррӏе",                   // Cyrillic throughout
        "ΡΑΥ",                     // Greek throughout
        "Αpprоved by the manager", // Greek and Cyrillic
    ] {
        assert!(line(raw).warnings().iter().any(|warning| warning.contains("alphabets")), "{raw}");
    }
}

#[test]
fn floods_end() {
    let marks = line(&format!("a{} b", "\u{301}\u{302}".repeat(5_000)));
    assert!(marks.as_str().chars().count() <= 1 + MAX_MARKS + 2 && marks.warnings().len() >= 2, "{marks:?}");
    assert_eq!(line("\u{301}\u{301}x").as_str(), "x", "a mark on nothing would sit on our own words");
    let long = line(&"word ".repeat(2_000));
    assert_eq!(long.as_str().chars().count(), MAX_CHARS + 1);
    assert_eq!(long.warnings(), ["It is longer than this. The rest is not shown."]);
    let hidden = line(&"\u{200b}".repeat(10_000));
    assert_eq!((hidden.as_str(), hidden.warnings().len()), ("…", 2));
    assert!(line("").is_empty() && line("").warnings().is_empty());
    assert_eq!(name(&"n".repeat(81)).chars().count(), MAX_NAME + 1);
    let exact = "n".repeat(MAX_CHARS);
    assert_eq!((line(&exact).as_str(), line(&exact).warnings()), (exact.as_str(), vec![]));
}

proptest! {
    #[test]
    fn any_text_becomes_a_line(raw in "\\PC{0,600}|(?s:.){0,600}", max in 1_usize..600) {
        let shown = Plain::line(&raw, max);
        prop_assert!(!shown.as_str().chars().any(|c| c.is_control() || is_unseen(c)), "{:?}", shown);
        prop_assert!(!shown.as_str().contains("://") && !shown.as_str().contains("  "));
        // Brackets that break addresses come on top.
        prop_assert!(shown.as_str().chars().filter(|c| !matches!(c, '[' | ']')).count() <= max + 1);
        prop_assert_eq!(shown.as_str().trim(), shown.as_str());
    }
}
