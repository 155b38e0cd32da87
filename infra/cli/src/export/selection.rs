//! Which entries a list holds.

use std::collections::BTreeSet;
use std::fmt;

use anyhow::{Result, bail};
use axiru_domain::{Date, LogId, Scope};
use axiru_ledger::entry::Entry;
use axiru_ledger::types::EntryType;
use axiru_ledger::verify::Report;

use super::ExportArguments;

/// What was asked for. Empty and open means all.
pub(super) struct Selection {
    scopes: BTreeSet<Scope>,
    types: BTreeSet<String>,
    from: Option<Date>,
    to: Option<Date>,
}

impl Selection {
    /// What the arguments ask for, of a copy that was checked. A scope that is not in it, or a type that nobody knows, is a slip of
    /// the pen and not an empty list.
    pub(super) fn of(arguments: &ExportArguments, report: &Report) -> Result<Self> {
        let there: BTreeSet<_> = report.logs.iter().map(|log| log.log.scope.clone()).collect();
        if let Some(scope) = arguments.scope.iter().find(|scope| !there.contains(scope)) {
            let there: Vec<_> = there.iter().map(ToString::to_string).collect();
            bail!("there is no log of `{scope}` in the copy; it holds {}", there.join(", "));
        }
        let known =
            |ty: &String| ty.parse::<EntryType>().is_ok() || report.logs.iter().any(|log| log.types.contains_key(ty));
        if let Some(ty) = arguments.types.iter().find(|ty| !known(ty)) {
            let there: BTreeSet<_> = report.logs.iter().flat_map(|log| log.types.keys().cloned()).collect();
            let there: Vec<_> = there.into_iter().collect();
            bail!("`{ty}` is not a type of entries; the copy holds {}", there.join(", "));
        }
        let scopes = arguments.scope.iter().cloned().collect();
        let types = arguments.types.iter().cloned().collect();
        Ok(Self { scopes, types, from: arguments.from, to: arguments.to })
    }

    /// Whether entries of this log and day can be in it.
    pub(super) fn holds_day(&self, log: &LogId, day: Date) -> bool {
        let scope = self.scopes.is_empty() || self.scopes.contains(&log.scope);
        scope && self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day <= to)
    }

    /// Whether this entry, of a log and day that are in it, is.
    pub(super) fn holds(&self, entry: &Entry) -> bool {
        self.types.is_empty() || self.types.contains(entry.ty())
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let join = |texts: Vec<String>, all: &str| if texts.is_empty() { all.to_owned() } else { texts.join(", ") };
        let types = join(self.types.iter().cloned().collect(), "every type");
        let scopes = join(self.scopes.iter().map(ToString::to_string).collect(), "every scope");
        write!(f, "{types} of {scopes}")?;
        match (self.from, self.to) {
            (None, None) => write!(f, ", every day"),
            (Some(from), None) => write!(f, ", from {from} on"),
            (None, Some(to)) => write!(f, ", up to {to}"),
            (Some(from), Some(to)) if from == to => write!(f, ", on {from}"),
            (Some(from), Some(to)) => write!(f, ", {from} to {to}"),
        }
    }
}
