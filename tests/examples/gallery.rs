//! Every page of the product in every state, and every mail, as files of one folder, for the check `pages` to open in a browser.
//!
//! `cargo run --example gallery FOLDER`

// It talks to its user, and ends where something is not as it should be.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used)]

use std::path::PathBuf;

use axiru_domain::{Choice, Timestamp};
use axiru_pages::mail::{self, Letter};
use axiru_pages::{Answered, Ending, samples};
use url::Url;

fn main() {
    let folder = PathBuf::from(std::env::args_os().nth(1).expect("the folder to write into"));
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    let pages = axiru_fn_connect::gallery().into_iter().chain(axiru_fn_approve::gallery());
    let mails = mails().into_iter().map(|(name, letter)| (format!("mail-{name}"), letter.html));
    let mut written = 0;
    for (name, html) in pages.chain(mails) {
        std::fs::write(folder.join(format!("{name}.html")), html).expect("the file can be written");
        written += 1;
    }
    println!("{written} documents in {}", folder.display());
}

/// Every kind of mail.
fn mails() -> Vec<(String, Letter)> {
    let link = Url::parse(&format!("https://axiru.example/approvals/{}", "A".repeat(64))).unwrap();
    let at = Timestamp::from_secs(1_793_450_000).unwrap();
    let mut mails = Vec::new();
    for (sample, sheet) in samples::sheets() {
        mails.push((format!("asked-{sample}"), mail::asked(&sheet, &link)));
        if !matches!(sample, "refund" | "payout" | "hostile") {
            continue;
        }
        let denied = Ending::Denied(Answered { by: sheet.operator.clone(), choice: Choice::Deny, at });
        let made = Ending::Made { object: Some("re_3PgafTB7WZ01zgkW".parse().unwrap()) };
        mails.push((format!("reminder-{sample}"), mail::reminder(&sheet, &link)));
        mails.push((format!("denied-{sample}"), mail::ended(&sheet, &denied)));
        mails.push((format!("made-{sample}"), mail::ended(&sheet, &made)));
    }
    let happened = ["a refund of 1,250.00 USD was blocked by large-refund".to_owned(), samples::HOSTILE.to_owned()];
    let scope = "live/acct_1PgafTB7WZ01zgkW".parse().unwrap();
    mails.push(("operators".to_owned(), mail::operators(&scope, &happened)));
    mails
}
