//! Stored texts that pages and mails are held against.

use std::path::Path;

/// Fails where a text is not the stored one. `AXIRU_SNAPSHOTS=write` stores it, where the change is meant.
pub(crate) fn assert_stored(name: &str, text: &str) {
    let room = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests");
    let file = Path::new(&room).join("snapshots").join(name);
    if std::env::var_os("AXIRU_SNAPSHOTS").is_some_and(|word| word == "write") {
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("the folder can be made");
        std::fs::write(&file, text).expect("the file can be written");
    }
    let stored = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(stored == text, "{name} is not as stored; if that is meant, run once with AXIRU_SNAPSHOTS=write\n{text}");
}

/// HTML with a line for each tag, so that a change can be read.
pub(crate) fn lines(html: &str) -> String {
    format!("{}\n", html.replace("><", ">\n<"))
}
