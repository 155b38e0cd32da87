use proptest::prelude::*;

use super::*;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).unwrap()
}

fn series(window: &str) -> Series {
    format!("refund|usd|{window}").parse().unwrap()
}

/// 31 October 2026, midnight UTC.
const DAY: i64 = 1_793_404_800_000;

const WINDOWS: [&str; 5] = ["day@Europe/Berlin", "week@UTC", "month@Asia/Kolkata", "rolling@3600", "rolling@604800"];

#[test]
fn a_hold_is_committed_or_released_where_it_was_taken() {
    let s = series("day@UTC");
    let mut counters = Counters::default();
    let evening = at(DAY - 1);
    let count = counters.take(&s, evening, 500, Stage::Held);
    let held = Reading { used: Sum { amount: 500, count: 1 }, held: Sum { amount: 500, count: 1 } };
    assert_eq!(counters.reading(&s, evening), held);
    assert_eq!(counters.reading(&s, at(DAY)), Reading::default());
    // The next day's own count is not touched by what was taken the day before.
    counters.take(&s, at(DAY), 70, Stage::Committed);
    let count = counters.commit(&count, 400);
    assert_eq!(counters.reading(&s, evening).used, Sum { amount: 400, count: 1 });
    assert_eq!(counters.commit(&count, 400), count);
    assert_eq!(counters.reading(&s, at(DAY)).used, Sum { amount: 70, count: 1 });
    // Two days on the bucket is gone, and nothing is done.
    counters.take(&s, at(DAY + 86_400_000), 1, Stage::Held);
    let before = counters.clone();
    counters.release(&count);
    assert_eq!(counters, before);
}

#[test]
fn the_text_is_short_and_strict() {
    let mut counters = Counters::default();
    for window in ["day@Europe/Berlin", "month@Europe/Berlin", "rolling@86400"] {
        for hour in 0..48 {
            counters.take(&series(window), at(DAY + hour * 3_600_000), 123_456, Stage::Committed);
        }
        counters.take(&series(window), at(DAY + 47 * 3_600_000), 9_900, Stage::Held);
    }
    let text = counters.text();
    assert!(text.len() < 600, "{} {text}", text.len());
    assert_eq!(Counters::from_text(&text), Ok(counters));
    assert_eq!(Counters::from_text("{}"), Ok(Counters::default()));
    let good = "{\"refund|usd|day@UTC\":[[20757,5000,1],[1,300,2,100,1]]}";
    assert_eq!(Counters::from_text(good).unwrap().text(), good);
    for bad in [
        "",
        "[]",
        "null",
        "{ }",
        "{\"refund|usd|day@UTC\":[]}",
        "{\"refund|usd|day@UTC\":[[20757,0,0]]}",
        "{\"refund|usd|day@UTC\":[[20757,1,1,2,1]]}",
        "{\"refund|usd|day@UTC\":[[20757,-1,1]]}",
        "{\"refund|usd|day@UTC\":[[20757,1]]}",
        "{\"refund|usd|day@UTC\":[[20757,1.5,1]]}",
        "{\"refund|usd|day@UTC\":[[20757,1,1],[0,1,1]]}",
        "{\"refund|usd|day@UTC\":[[20757,1,1,0,0]]}",
        "{\"refund|usd|day@UTC\":[[9223372036854775807,1,1],[1,1,1]]}",
        "{\"refund|usd|day@Mars\":[[20757,1,1]]}",
        "{\"refund|usd|day@UTC\":[[20757,1,1]],\"refund|usd|day@UTC\":[[20757,1,1]]}",
        "{\"refund|usd|day@UTC\":[[20757,1,1]]} ",
    ] {
        assert_eq!(Counters::from_text(bad), Err(CountersError), "{bad}");
    }
}

#[test]
fn sums_stop_before_they_overflow_and_readings_fit_an_entry() {
    let s = series("day@UTC");
    let mut counters = Counters::default();
    for _ in 0..1_030 {
        counters.take(&s, at(DAY), MAX_SAFE_INTEGER, Stage::Held);
    }
    let reading = counters.reading(&s, at(DAY));
    assert_eq!(reading.used.amount, MAX_SAFE_INTEGER.unsigned_abs());
    assert_eq!(Counters::from_text(&counters.text()), Ok(counters.clone()));
    assert_eq!(counters.take(&s, at(DAY), i64::MIN, Stage::Held).amount(), 0);
}

/// What is done to the counters, and to the list of single movements that they are compared with.
#[derive(Clone, Debug)]
enum Step {
    Take { series: usize, later_ms: i64, amount: i64, held: bool },
    Commit { which: usize, actual: i64 },
    Release { which: usize },
    Reread,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..WINDOWS.len(), prop_oneof![0..60_000_i64, 0..90_000_000_i64, 0..3_000_000_000_i64], 0..1_000_000_i64, any::<bool>())
            .prop_map(|(series, later_ms, amount, held)| Step::Take { series, later_ms, amount, held }),
        2 => (any::<usize>(), 0..1_000_000_i64).prop_map(|(which, actual)| Step::Commit { which, actual }),
        2 => any::<usize>().prop_map(|which| Step::Release { which }),
        1 => Just(Step::Reread),
    ]
}

/// One movement of the plain model: nothing but when it was counted and what became of it.
#[derive(Clone, Debug)]
struct Plain {
    series: usize,
    at: Timestamp,
    amount: u64,
    held: bool,
    released: bool,
    count: Count,
}

fn plain_reading(all: &[Plain], which: usize, from: impl Fn(&Plain) -> bool) -> Reading {
    all.iter().filter(|p| p.series == which && !p.released && from(p)).fold(Reading::default(), |sum, p| {
        let one = Sum { amount: p.amount, count: 1 };
        sum.plus(Reading { used: one, held: if p.held { one } else { Sum::default() } })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn counters_say_what_a_plain_list_of_movements_says(steps in prop::collection::vec(step(), 1..60)) {
        let all_series: Vec<Series> = WINDOWS.iter().map(|w| series(w)).collect();
        let (mut counters, mut plain, mut now) = (Counters::default(), Vec::<Plain>::new(), DAY);
        for step in steps {
            match step {
                Step::Take { series, later_ms, amount, held } => {
                    now += later_ms;
                    let stage = if held { Stage::Held } else { Stage::Committed };
                    let count = counters.take(&all_series[series], at(now), amount, stage);
                    let amount = amount.unsigned_abs();
                    plain.push(Plain { series, at: at(now), amount, held, released: false, count });
                }
                Step::Commit { which, actual } if !plain.is_empty() => {
                    let i = which % plain.len();
                    let p = &mut plain[i];
                    if !p.released {
                        p.count = counters.commit(&p.count, actual);
                        p.amount = p.count.amount();
                        p.held = false;
                    }
                }
                Step::Release { which } if !plain.is_empty() => {
                    let i = which % plain.len();
                    let p = &mut plain[i];
                    if !p.released {
                        counters.release(&p.count);
                        p.released = true;
                    }
                }
                Step::Commit { .. } | Step::Release { .. } => {}
                Step::Reread => counters = Counters::from_text(&counters.text()).unwrap(),
            }
            for (i, series) in all_series.iter().enumerate() {
                let reading = counters.reading(series, at(now));
                let window = series.window();
                if let crate::Window::Rolling(secs) = window {
                    let span = i64::from(secs.get()) * 1_000;
                    let inside = plain_reading(&plain, i, |p| p.at.millis() > now - span);
                    // Whole buckets: one 24th more than the window at most.
                    let around = plain_reading(&plain, i, |p| p.at.millis() > now - span - span / 24);
                    prop_assert!(reading.used.amount >= inside.used.amount && reading.used.count >= inside.used.count);
                    prop_assert!(reading.used.amount <= around.used.amount && reading.used.count <= around.used.count);
                    prop_assert!(reading.held.count >= inside.held.count && reading.held.count <= around.held.count);
                } else {
                    let same = plain_reading(&plain, i, |p| window.bucket(p.at) == window.bucket(at(now)));
                    prop_assert_eq!(reading, same);
                }
            }
            prop_assert!(counters.text().len() < 2_500);
        }
    }

    #[test]
    fn taken_and_released_is_as_if_never_taken(
        before in prop::collection::vec((0..WINDOWS.len(), 0..7_200_000_i64, 0..1_000_i64, any::<bool>()), 0..20),
        amount in 0..1_000_000_i64, actual in 0..1_000_000_i64, held: bool, committed: bool, w in 0..WINDOWS.len(),
    ) {
        let mut counters = Counters::default();
        let stage = |held| if held { Stage::Held } else { Stage::Committed };
        let mut now = DAY;
        for (i, later, amount, held) in before {
            now += later;
            counters.take(&series(WINDOWS[i]), at(now), amount, stage(held));
        }
        counters.prune(at(now));
        let untouched = counters.clone();
        let mut count = counters.take(&series(WINDOWS[w]), at(now), amount, stage(held));
        if committed {
            count = counters.commit(&count, actual);
        }
        counters.release(&count);
        prop_assert_eq!(counters, untouched);
    }

    #[test]
    fn a_clock_that_is_a_little_behind_misses_nothing(amounts in prop::collection::vec((0..400_000_i64, 1..1_000_i64), 1..30), behind in 0..12_000_i64) {
        // Seen from the slower clock, all that was counted in the last five minutes still counts.
        let s = series("rolling@300");
        let (mut counters, mut now, mut all) = (Counters::default(), DAY, vec![]);
        for (later, amount) in amounts {
            now += later;
            counters.take(&s, at(now), amount, Stage::Held);
            all.push((now, amount.unsigned_abs()));
        }
        let inside: u64 = all.iter().filter(|(t, _)| *t > now - behind - 300_000).map(|(_, amount)| amount).sum();
        prop_assert!(counters.reading(&s, at(now - behind)).used.amount >= inside);
    }

    #[test]
    fn arbitrary_text_never_panics(noise in ".{0,80}", cut in 0..80_usize, byte in any::<char>()) {
        let _ = Counters::from_text(&noise);
        let good = "{\"refund|usd|day@UTC\":[[20757,5000,1],[1,300,2,100,1]]}";
        let mut chars: Vec<char> = good.chars().collect();
        if let Some(c) = chars.get_mut(cut) {
            *c = byte;
        }
        let text: String = chars.into_iter().collect();
        if let Ok(mut counters) = Counters::from_text(&text) {
            prop_assert_eq!(counters.text(), text);
            let s = series("day@UTC");
            let count = counters.take(&s, at(DAY), i64::MAX, Stage::Held);
            counters.release(&count);
            counters.prune(at(DAY));
        }
    }
}
