//! What is wrong with a plan, where, and what to do about it.

use std::fmt;

/// One thing wrong with a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The part of the plan: `plan.json`, `policies.cedar` or `document`.
    pub file: &'static str,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The policy's id, where it has one.
    pub policy: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do about it; empty where the message says it.
    pub advice: String,
}

/// The problem after its place: `` policy `x`: what is wrong; what to do ``.
impl Problem {
    /// The text without file, line and column.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        if let Some(id) = &self.policy {
            text.push_str(&format!("policy `{id}`: "));
        }
        text.push_str(&self.message);
        if !self.advice.is_empty() {
            text.push_str("; ");
            text.push_str(&self.advice);
        }
        text
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.text())
    }
}

/// A plan that is refused, with every problem found, in the order of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError {
    problems: Vec<Problem>,
}

impl PlanError {
    pub(crate) fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort_by(|a, b| {
            (a.file == "policies.cedar", a.line, a.column, &a.message).cmp(&(
                b.file == "policies.cedar",
                b.line,
                b.column,
                &b.message,
            ))
        });
        problems.dedup();
        Self { problems }
    }

    /// The problems, never none.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the plan is refused")?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n{problem}"))
    }
}

impl std::error::Error for PlanError {}

/// A text of a plan, and the places in it.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) file: &'static str,
    pub(crate) text: &'a str,
}

impl Source<'_> {
    /// Line and column of a byte offset, both from 1.
    fn place(&self, offset: usize) -> (usize, usize) {
        let before = self.text.char_indices().take_while(|(at, _)| *at < offset).map(|(_, c)| c);
        before.fold((1, 1), |(line, column), c| if c == '\n' { (line + 1, 1) } else { (line, column + 1) })
    }

    /// A problem at a byte offset.
    pub(crate) fn problem(&self, offset: usize, policy: Option<&str>, message: String, advice: &str) -> Problem {
        let (line, column) = self.place(offset);
        self.problem_at(line, column, policy, message, advice)
    }

    /// A problem at a line and column.
    pub(crate) fn problem_at(
        &self,
        line: usize,
        column: usize,
        policy: Option<&str>,
        message: String,
        advice: &str,
    ) -> Problem {
        Problem { file: self.file, line, column, policy: policy.map(str::to_owned), message, advice: advice.to_owned() }
    }
}
