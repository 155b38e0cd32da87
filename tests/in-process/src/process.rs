//! A process that calls AWS and may die at a call, as a Lambda does.

use std::future::Future;

use tokio::sync::watch;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome<T> {
    /// It came to its end.
    Ended(T),
    /// The process died at a call; the future was dropped there.
    Crashed,
}

#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) number: usize,
    dead: watch::Sender<bool>,
}

impl Process {
    pub(crate) fn new(number: usize) -> Self {
        Self { number, dead: watch::Sender::new(false) }
    }

    fn die(&self) {
        self.dead.send_replace(true);
    }

    /// Dies at a call, which never returns.
    pub(crate) async fn crash<T>(&self) -> T {
        self.die();
        std::future::pending().await
    }

    /// Never returns while the process is dead: its calls go nowhere.
    pub(crate) async fn alive(&self) {
        if *self.dead.borrow() {
            std::future::pending::<()>().await;
        }
    }

    /// Runs a future until it ends or the process dies, then lets the process live again.
    pub(crate) async fn run<T>(&self, future: impl Future<Output = T>) -> Outcome<T> {
        let mut dead = self.dead.subscribe();
        let outcome = tokio::select! {
            biased;
            _ = dead.wait_for(|dead| *dead) => Outcome::Crashed,
            value = future => Outcome::Ended(value),
        };
        self.dead.send_replace(false);
        outcome
    }
}
