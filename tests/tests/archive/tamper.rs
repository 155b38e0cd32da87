//! Everything that somebody can do to a real export, and whether the check finds it. Prints trials and detections by class, and what
//! no check of a copy alone can find.

use std::collections::BTreeMap;

use axiru_in_process::{InProcess, Retries};
use axiru_ledger::verify::Trusted;

use super::ground::{Copy, Ground, LOG, first_day, leap_day, third_day};
use super::whole::three_days;

/// Trials and detections of a class.
#[derive(Default)]
struct Table(BTreeMap<&'static str, (u64, u64)>);

impl Table {
    /// Tries one change; whoever is not found is named.
    fn tried(&mut self, class: &'static str, found: bool, what: &dyn Fn() -> String) {
        let (trials, detected) = self.0.entry(class).or_default();
        *trials += 1;
        *detected += u64::from(found);
        assert!(found, "{class}: not found: {}", what());
    }

    fn print(&self, title: &str) {
        println!("{title}");
        for (class, (trials, found)) in &self.0 {
            println!("  {class:44} {trials:>9} trials, {found:>9} found");
        }
    }
}

/// A small real export: one account, three logs, three days.
async fn small() -> Copy {
    three_days(InProcess::new().unwrap(), 1).await.copy()
}

/// The part of a copy that is checked alone: lane 1, which has no list of lanes.
fn one_lane(copy: &Copy) -> Copy {
    let files = copy.0.iter().filter(|(name, _)| name.starts_with("v1/live/acct_1/1/") || *name == "v1/log.vkey");
    Copy(files.map(|(name, bytes)| (name.clone(), bytes.clone())).collect())
}

/// Every byte of a file; of those that are compared as a whole with what this program holds, some.
fn step(name: &str) -> usize {
    if name.ends_with("README.txt") || name.ends_with("verify.py") { 61 } else { 1 }
}

/// A copy of its own for each processor; `change` is undone after each try.
fn flip(copy: &Copy, trusted: &Trusted, names: &[&String]) -> u64 {
    let mut bad = copy.clone();
    let mut trials = 0;
    for name in names {
        for at in (0..copy.0[*name].len()).step_by(step(name)) {
            for bit in 0..8 {
                bad.0.get_mut(*name).unwrap()[at] ^= 1 << bit;
                assert!(!bad.check(trusted).passed(), "{name}: byte {at}, bit {bit}");
                bad.0.get_mut(*name).unwrap()[at] ^= 1 << bit;
                trials += 1;
            }
        }
    }
    trials
}

#[tokio::test(start_paused = true)]
async fn every_bit_of_every_file_counts() {
    let copy = one_lane(&small().await);
    let trusted = copy.trusted();
    copy.sound().unwrap();
    let names: Vec<&String> = copy.0.keys().collect();
    let one: Vec<&String> = names.iter().copied().step_by(2).collect();
    let two: Vec<&String> = names.iter().copied().skip(1).step_by(2).collect();
    let trials = std::thread::scope(|scope| {
        let other = scope.spawn(|| flip(&copy, &trusted, &one));
        flip(&copy, &trusted, &two) + other.join().unwrap()
    });
    println!("every bit of {} files: {trials} trials, all found", copy.0.len());
    assert!(trials > 100_000);
}

#[tokio::test(start_paused = true)]
async fn cuts_additions_removals_and_swaps_are_found() {
    let copy = small().await;
    let trusted = copy.trusted();
    copy.sound().unwrap();
    let mut table = Table::default();
    for (name, bytes) in copy.0.iter().filter(|(name, _)| name.starts_with("v1/live/acct_1/0/")) {
        let with = |bytes: Vec<u8>| {
            let mut bad = copy.clone();
            bad.0.insert(name.clone(), bytes);
            !bad.check(&trusted).passed()
        };
        for end in (0..bytes.len()).step_by(step(name)) {
            table.tried("cut at every byte", with(bytes[..end].to_vec()), &|| format!("{name} at {end}"));
        }
        for more in [&b"x"[..], b"\n", b"\0"] {
            table.tried("a byte more", with([bytes, more].concat()), &|| name.clone());
        }
        let mut bad = copy.clone();
        bad.0.remove(name);
        // A tile of an edge that was: nobody needs it any more.
        let spare = name.contains(".p/") && !name.ends_with(&newest_width(&copy));
        if !spare {
            table.tried("a file removed", !bad.check(&trusted).passed(), &|| name.clone());
        }
        let twin = name.replace("/acct_1/0/", "/acct_1/1/");
        if let Some(other) = copy.0.get(&twin).filter(|other| *other != bytes) {
            table.tried("a file of the other lane", with(other.clone()), &|| name.clone());
        }
    }
    lines(&copy, &trusted, &mut table);
    gzip(&copy, &trusted, &mut table);
    table.print("an export of three logs and three days");
}

/// The end of the names of the newest partial tiles of [`LOG`].
fn newest_width(copy: &Copy) -> String {
    let sizes = copy
        .of(LOG)
        .into_keys()
        .filter_map(|name| name.strip_prefix("checkpoints/")?.strip_suffix(".note")?.parse::<u64>().ok());
    format!(".p/{}", sizes.max().unwrap())
}

fn lines(copy: &Copy, trusted: &Trusted, table: &mut Table) {
    let segments = copy.0.iter().filter(|(name, _)| name.contains("/acct_1/0/entries/"));
    for (name, bytes) in segments {
        let text = std::str::from_utf8(bytes).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let with = |lines: &[&str]| {
            let mut bad = copy.clone();
            bad.0.insert(name.clone(), lines.iter().flat_map(|line| [*line, "\n"]).collect::<String>().into_bytes());
            !bad.check(trusted).passed()
        };
        for i in 0..lines.len() {
            let mut fewer = lines.clone();
            fewer.remove(i);
            table.tried("a line removed", with(&fewer), &|| format!("{name} line {i}"));
            let mut more = lines.clone();
            more.insert(i, lines[i]);
            table.tried("a line twice", with(&more), &|| format!("{name} line {i}"));
            if i > 0 {
                let mut swapped = lines.clone();
                swapped.swap(i - 1, i);
                table.tried("lines swapped", with(&swapped), &|| format!("{name} line {i}"));
            }
        }
    }
}

fn gzip(copy: &Copy, trusted: &Trusted, table: &mut Table) {
    for (name, bytes) in copy.0.iter().filter(|(name, _)| name.ends_with(".gz")) {
        for tail in [bytes.as_slice(), b"\0\0\0\0"] {
            let mut bad = copy.clone();
            bad.0.insert(name.clone(), [bytes, tail].concat());
            table.tried("gzip: a second member, a tail", !bad.check(trusted).passed(), &|| name.clone());
        }
    }
}

/// The same days with another amount in one entry, signed with the same key: the history as somebody with all rights would write it anew.
async fn rewritten() -> Copy {
    let ground = Ground::new(InProcess::new().unwrap(), Retries::Off).await;
    for (day, clock) in [(0, first_day as fn() -> _), (1, leap_day), (2, third_day)] {
        ground.beat(clock).await.unwrap();
        for (lane, log) in [LOG, "live#acct_1#1", "test#acct_1#0"].into_iter().enumerate() {
            let from = (day * 10 + lane) * 10_000 + usize::from(day == 1);
            ground.append(log, from..from + 1, clock).await;
        }
        ground.export(clock).await.unwrap();
    }
    ground.copy()
}

/// A copy as it was when the log had its first checkpoint only.
async fn rolled_back() -> Copy {
    let ground = Ground::new(InProcess::new().unwrap(), Retries::Off).await;
    ground.beat(first_day).await.unwrap();
    for (lane, log) in [LOG, "live#acct_1#1", "test#acct_1#0"].into_iter().enumerate() {
        ground.append(log, lane * 10_000..lane * 10_000 + 1, first_day).await;
    }
    ground.export(first_day).await.unwrap();
    ground.copy()
}

#[tokio::test(start_paused = true)]
async fn history_is_only_as_safe_as_what_is_remembered() {
    let copy = small().await;
    let trusted = copy.trusted();
    let newest = |copy: &Copy| copy.0[&format!("v1/{}/checkpoint", LOG.replace('#', "/"))].clone();
    let since = |note: &[u8]| {
        let mut trusted = trusted.clone();
        trusted.remember(note).unwrap();
        trusted
    };
    let (rewritten, rolled_back) = (rewritten().await, rolled_back().await);
    // A true continuation passes, and says so.
    let continued = copy.check(&since(&newest(&rolled_back)));
    assert!(continued.passed(), "{:?}", continued.faults);
    assert_eq!(continued.remembered.len(), 1);
    let mut table = Table::default();
    let mut blind = Table::default();
    for (class, bad) in
        [("rolled back to an older true copy", &rolled_back), ("written anew and signed again", &rewritten)]
    {
        // By nature: without a memory both are true copies of a log.
        blind.0.insert(class, (1, u64::from(!bad.check(&trusted).passed())));
        assert!(bad.check(&trusted).passed(), "{class}: if this is found without a memory, say so in the docs");
        let remembered = bad.check(&since(&newest(&copy)));
        table.tried(class, !remembered.passed(), &String::new);
        let first = &remembered.faults[0];
        assert!(first.what.contains("remember"), "{first:?}");
    }
    // A fork: the first day is shared, then two ways. Each is true alone, and neither continues the other.
    table.tried("forked at a checkpoint", !rewritten.check(&since(&newest(&copy))).passed(), &String::new);
    table.tried("forked, the other way", !copy.check(&since(&newest(&rewritten))).passed(), &String::new);
    // Mixed: the newest checkpoint of one history over the entries of the other.
    let mut mixed = copy.clone();
    mixed.0.insert("v1/live/acct_1/0/checkpoint".to_owned(), newest(&rewritten));
    table.tried("another history's checkpoint", !mixed.check(&trusted).passed(), &String::new);
    elsewhere(&copy, &trusted, &mut table);
    table.print("with a checkpoint that is remembered, or the key alone");
    blind.print("without a memory, by nature not detectable");
}

/// Logs that are shown as another's.
fn elsewhere(copy: &Copy, trusted: &Trusted, table: &mut Table) {
    let renamed = |from: &str, to: &str| {
        let others = copy.0.iter().filter(|(name, _)| !name.starts_with(to));
        let moved = others.map(|(name, bytes)| (name.replacen(from, to, 1), bytes.clone()));
        Copy(moved.collect()).check(trusted)
    };
    table.tried("test shown as live", !renamed("v1/test/", "v1/live/").passed(), &String::new);
    table.tried("live shown as test", !renamed("v1/live/", "v1/test/").passed(), &String::new);
    table.tried("lane 1 shown as lane 0", !renamed("v1/live/acct_1/1/", "v1/live/acct_1/0/").passed(), &String::new);
    table.tried("another account", !renamed("v1/live/acct_1/", "v1/live/acct_2/").passed(), &String::new);
    // A lane that is missing as a whole: nothing in it can be wrong.
    let mut missing = copy.clone();
    missing.0.retain(|name, _| !name.starts_with("v1/live/acct_1/1/"));
    let report = missing.check(trusted);
    table.tried("a lane missing", !report.passed(), &String::new);
    assert!(report.faults[0].what.contains("live/acct_1/1"), "{:?}", report.faults[0]);
    // A lane that ends early: a true beginning of it.
    let mut short = copy.clone();
    short.0.retain(|name, _| {
        !(name.starts_with("v1/live/acct_1/1/") && (name.contains("dt=2028-02-29") || name.contains("dt=2028-03")))
    });
    table.tried("a lane cut short", !short.check(trusted).passed(), &String::new);
    let mut strange = trusted.clone();
    strange.keys.iter_mut().for_each(|key| *key = axiru_ledger::note::VerifierKey::new(key.name(), [7; 32]).unwrap());
    table.tried("signed with another key", !copy.check(&strange).passed(), &String::new);
    // Two segments in a row are gone, and one more elsewhere: each place is named, with what is missing there.
    let segments: Vec<String> = copy.0.keys().filter(|name| name.contains("/acct_1/0/entries/")).cloned().collect();
    for gone in [&segments[..2], &segments[1..2]] {
        let mut bad = copy.clone();
        bad.0.retain(|name, _| !gone.contains(name));
        let report = bad.check(trusted);
        table.tried("segments missing", !report.passed(), &String::new);
        let first = &report.faults[0];
        assert!(first.what.contains("missing") && segments.contains(&first.file), "{first:?}");
    }
}
