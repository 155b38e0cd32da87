//! Starts: from the start of a program until it asks for work, and its first invocation, in time and in processor time. One start of each
//! program after the other, again and again, so that whatever else the machine does happens to all of them.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::events;
use crate::bare_account::BareAccount;
use crate::function::{Function, bare, binary, end};
use crate::runtime_api::RuntimeApi;

/// The function that does nothing, the measure of the others.
pub(super) const EMPTY: &str = "empty";

/// Starts of each program. Odd, so that the median is one of them.
const STARTS: usize = 21;

/// Longest time until a program is ready.
const READY: Duration = Duration::from_secs(10);

/// What one start took.
#[derive(Clone, Copy, Debug, Default)]
struct Start {
    ready: Duration,
    ready_cpu: Duration,
    ready_calls: usize,
    first: Duration,
    first_cpu: Duration,
    first_calls: usize,
}

/// A program and what its starts took.
struct Measured {
    name: String,
    program: PathBuf,
    function: Option<Function>,
    starts: Vec<Start>,
}

/// Measures the functions in a folder of binaries beside the empty one, and prints.
pub(super) async fn print(functions: Vec<Function>, binaries: &Path, roots: Option<&Path>) -> Result<()> {
    let account = BareAccount::start().await?;
    let empty = Measured::new(EMPTY.to_owned(), binary(binaries, EMPTY), None);
    let others =
        functions.into_iter().map(|one| Measured::new(one.name.clone(), binary(binaries, &one.name), Some(one)));
    let mut all: Vec<Measured> = std::iter::once(empty).chain(others).collect();
    for _ in 0..STARTS {
        for one in &mut all {
            let start = one.start(&account, roots).await.with_context(|| format!("starting {}", one.name))?;
            one.starts.push(start);
        }
    }
    println!("{STARTS} starts of each, in turn; median (least, most); × is times the empty function");
    println!(
        "{:10} {:>8} {:>26} {:>5} {:>9} {:>5} {:>6} {:>24} {:>9} {:>5} {:>6}",
        "function", "size", "start to ready", "×", "CPU", "×", "calls", "first call", "CPU", "×", "calls"
    );
    let measure = all.first().map(Measured::medians).unwrap_or_default();
    for one in &all {
        one.print(&measure)?;
    }
    Ok(())
}

impl Measured {
    const fn new(name: String, program: PathBuf, function: Option<Function>) -> Self {
        Self { name, program, function, starts: Vec::new() }
    }

    async fn start(&self, account: &BareAccount, roots: Option<&Path>) -> Result<Start> {
        let mut api = RuntimeApi::start().await?;
        let mut command = match &self.function {
            Some(function) => function.command(&self.program, &api.address, &account.url),
            None => bare(&self.program, &api.address),
        };
        if let Some(roots) = roots {
            // Where it is set nothing else is read (rustls-native-certs).
            command.env("SSL_CERT_FILE", roots);
        }
        account.calls();
        let started = Instant::now();
        let child = command.spawn().with_context(|| format!("no {}", self.program.display()))?;
        let process = child.id().context("it ended at once")?;
        tokio::time::timeout(READY, api.ready()).await.context("it did not ask for work")?;
        let ready = started.elapsed();
        let ready_cpu = settled(process).await?;
        let ready_calls = account.calls();
        let event = events::of(&self.name).to_string();
        let called = Instant::now();
        api.invoke(&event).await?;
        let first = called.elapsed();
        api.ready().await;
        let first_cpu = settled(process).await?.saturating_sub(ready_cpu);
        let first_calls = account.calls();
        end(child).await?;
        Ok(Start { ready, ready_cpu, ready_calls, first, first_cpu, first_calls })
    }

    /// The median of each figure by itself.
    fn medians(&self) -> Start {
        let median = |of: fn(&Start) -> Duration| middle(self.sorted(of)).unwrap_or_default();
        let calls = |of: fn(&Start) -> usize| self.starts.iter().map(of).max().unwrap_or_default();
        Start {
            ready: median(|start| start.ready),
            ready_cpu: median(|start| start.ready_cpu),
            ready_calls: calls(|start| start.ready_calls),
            first: median(|start| start.first),
            first_cpu: median(|start| start.first_cpu),
            first_calls: calls(|start| start.first_calls),
        }
    }

    fn sorted(&self, of: fn(&Start) -> Duration) -> Vec<Duration> {
        let mut sorted: Vec<Duration> = self.starts.iter().map(of).collect();
        sorted.sort();
        sorted
    }

    fn print(&self, empty: &Start) -> Result<()> {
        let size = std::fs::metadata(&self.program).with_context(|| format!("no {}", self.program.display()))?.len();
        let mine = self.medians();
        let range = |of| {
            let sorted = self.sorted(of);
            let ends = (sorted.first().copied().unwrap_or_default(), sorted.last().copied().unwrap_or_default());
            format!("{:.1} ms ({:.1}, {:.1})", ms(middle(sorted).unwrap_or_default()), ms(ends.0), ms(ends.1))
        };
        println!(
            "{:10} {:>5.1} MB {:>26} {:>5.1} {:>6.1} ms {:>5.1} {:>6} {:>24} {:>6.1} ms {:>5.1} {:>6}",
            self.name,
            size as f64 / 1e6,
            range(|start| start.ready),
            times(mine.ready, empty.ready),
            ms(mine.ready_cpu),
            times(mine.ready_cpu, empty.ready_cpu),
            mine.ready_calls,
            range(|start| start.first),
            ms(mine.first_cpu),
            times(mine.first_cpu, empty.first_cpu),
            mine.first_calls,
        );
        Ok(())
    }
}

fn middle(sorted: Vec<Duration>) -> Option<Duration> {
    sorted.get(sorted.len() / 2).copied()
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn times(mine: Duration, empty: Duration) -> f64 {
    mine.as_secs_f64() / empty.as_secs_f64()
}

/// The processor time of a process, once it rests.
async fn settled(process: u32) -> Result<Duration> {
    let mut before = processor_time(process)?;
    loop {
        tokio::time::sleep(Duration::from_millis(2)).await;
        let now = processor_time(process)?;
        if now == before {
            return Ok(now);
        }
        before = now;
    }
}

/// What all threads of a process have run, in user and kernel mode. `/proc/PID/stat` counts in hundredths of a second, which is too coarse.
///
/// <https://docs.kernel.org/scheduler/sched-stats.html#proc-pid-schedstat>
fn processor_time(process: u32) -> Result<Duration> {
    let mut nanos = 0;
    for thread in std::fs::read_dir(format!("/proc/{process}/task")).context("it has ended")? {
        let text = std::fs::read_to_string(thread?.path().join("schedstat"))
            .context("this kernel counts no processor time")?;
        let first = text.split_ascii_whitespace().next().context("an empty schedstat")?;
        nanos += first.parse::<u64>().context("schedstat is not numbers")?;
    }
    Ok(Duration::from_nanos(nanos))
}
