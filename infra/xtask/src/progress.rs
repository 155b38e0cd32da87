//! Progress on standard error: a spinner per step on a terminal, one line at the beginning and one at the end of a step elsewhere.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Shows steps, one after the other.
pub(crate) struct Progress {
    terminal: bool,
}

/// A step that is under way. Dropped without [`Step::done`], it shows as failed.
pub(crate) struct Step {
    bar: Option<ProgressBar>,
    label: String,
    started: Instant,
    finished: bool,
}

impl Progress {
    /// Looks once whether standard error is a terminal.
    pub(crate) fn new() -> Self {
        Self { terminal: std::io::IsTerminal::is_terminal(&std::io::stderr()) }
    }

    /// Begins a step.
    pub(crate) fn step(&self, label: &str) -> Step {
        let bar = self.terminal.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
                bar.set_style(style);
            }
            bar.set_message(label.to_owned());
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        if bar.is_none() {
            eprintln!("  … {label}");
        }
        Step { bar, label: label.to_owned(), started: Instant::now(), finished: false }
    }

    /// A step whose program writes to the terminal itself, such as cargo: no spinner in its way.
    pub(crate) fn loud_step(&self, label: &str) -> Step {
        eprintln!("  … {label}");
        Step { bar: None, label: label.to_owned(), started: Instant::now(), finished: false }
    }
}

impl Step {
    /// Says how far a long step is.
    pub(crate) fn detail(&self, detail: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(format!("{}: {detail}", self.label)),
            None => eprintln!("    {detail}"),
        }
    }

    /// Ends the step well.
    pub(crate) fn done(mut self) {
        self.finish("✓");
    }

    fn finish(&mut self, mark: &str) {
        if self.finished {
            return;
        }
        self.finished = true;
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        eprintln!("  {mark} {} ({:.1} s)", self.label, self.started.elapsed().as_secs_f64());
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        self.finish("✗");
    }
}
