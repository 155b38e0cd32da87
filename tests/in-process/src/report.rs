//! What the enumerator found.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::clients::Retries;
use crate::fault::Fault;

/// Where a fault was put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// Whether the SDK retried.
    pub retries: Retries,
    /// The attempt of the scenario, and the operation that was called there when nothing went wrong.
    pub first: (usize, String),
    /// What went wrong there.
    pub fault: Fault,
    /// A second fault, during the recovery: its attempt (counted from the start of the recovery), operation and kind.
    pub second: Option<(usize, String, Fault)>,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, operation) = &self.first;
        write!(f, "call {number} ({operation}): {}; SDK retries {:?}", self.fault, self.retries)?;
        if let Some((number, operation, fault)) = &self.second {
            write!(f, "; then call {number} of the recovery ({operation}): {fault}")?;
        }
        Ok(())
    }
}

/// A point after which the check did not hold.
#[derive(Debug, Clone)]
pub struct Violation {
    /// Where; `None` if it happened without any fault.
    pub point: Option<Point>,
    /// What the check, the recovery or the harness said.
    pub reason: String,
    /// The calls of the run, one a line.
    pub calls: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.point {
            Some(point) => write!(f, "{point}: ")?,
            None => f.write_str("without any fault: ")?,
        }
        write!(f, "{}\n{}", self.reason, self.calls)
    }
}

impl std::error::Error for Violation {}

/// The count of an enumeration that found no violation.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The name of the scenario.
    pub name: String,
    /// The calls of the scenario without a fault, with SDK retries on.
    pub calls: Vec<String>,
    /// Points tried, those with a second fault among them.
    pub points: usize,
    /// Points with a second fault.
    pub second_points: usize,
    /// Points per fault.
    pub by_fault: BTreeMap<String, usize>,
    /// Points of which the scenario ended with success in spite of the fault.
    pub survived: usize,
    /// Points of which the scenario ended with an error, and the recovery mended it.
    pub recovered: usize,
    /// Points of which the process died.
    pub crashed: usize,
    /// How long it took.
    pub took: Duration,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} calls, {} points ({} with a second fault): {} survived, {} failed and recovered, {} crashed and recovered; {:.1?}",
            self.name,
            self.calls.len(),
            self.points,
            self.second_points,
            self.survived,
            self.recovered,
            self.crashed,
            self.took
        )
    }
}
