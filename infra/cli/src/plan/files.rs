//! Finds the files of plans and reads them.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use axiru_policy::{Plan, PlanError, Problem};
use serde::Serialize;

/// Largest file that is read, in bytes; every bound of a plan is below it.
const MAX_FILE: u64 = 1 << 20;

/// Where one plan is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A folder with plan.json and policies.cedar.
    Folder(PathBuf),
    /// A plan document.
    Document(PathBuf),
}

/// A problem with the path of its file, as it is reported.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    file: PathBuf,
    line: usize,
    column: usize,
    policy: Option<String>,
    message: String,
    advice: String,
    #[serde(skip)]
    text: String,
}

impl Report {
    /// `file:line:column: what is wrong; what to do`.
    pub(crate) fn line(&self) -> String {
        format!("{}:{}:{}: {}", self.file.display(), self.line, self.column, self.text)
    }
}

/// The plans at a path: one, or those of every folder in it.
pub(crate) fn find(path: &Path) -> anyhow::Result<Vec<Place>> {
    let is_plan = |dir: &Path| dir.join("plan.json").is_file() || dir.join("policies.cedar").is_file();
    let kind = fs::metadata(path).with_context(|| format!("cannot open `{}`", path.display()))?;
    if kind.is_file() {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let parent = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        return match name {
            "plan.json" | "policies.cedar" | "cases.json" => Ok(vec![Place::Folder(parent.to_owned())]),
            _ if name.ends_with(".json") => Ok(vec![Place::Document(path.to_owned())]),
            _ => bail!(
                "`{}` is no part of a plan: expected plan.json, policies.cedar, cases.json, or an exported plan document",
                path.display()
            ),
        };
    }
    if is_plan(path) {
        return Ok(vec![Place::Folder(path.to_owned())]);
    }
    let mut folders = Vec::new();
    for entry in fs::read_dir(path).with_context(|| format!("cannot list `{}`", path.display()))? {
        let dir = entry?.path();
        if dir.is_dir() && is_plan(&dir) {
            folders.push(dir);
        }
    }
    if folders.is_empty() {
        bail!("no plan in `{}`: expected plan.json and policies.cedar in it or in its folders", path.display());
    }
    folders.sort();
    Ok(folders.into_iter().map(Place::Folder).collect())
}

/// Reads a text file, bounded.
pub(crate) fn text(path: &Path) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    let file = fs::File::open(path).with_context(|| format!("cannot open `{}`", path.display()))?;
    let length = file.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if u64::try_from(length).unwrap_or(u64::MAX) > MAX_FILE {
        bail!("`{}` is larger than {MAX_FILE} bytes", path.display());
    }
    String::from_utf8(bytes).map_err(|error| {
        anyhow::anyhow!("`{}` is not UTF-8 text: byte {}", path.display(), error.utf8_error().valid_up_to())
    })
}

impl Place {
    /// The path that the plan is named by.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Folder(path) | Self::Document(path) => path,
        }
    }

    /// Reads and validates the plan; the inner error is what is wrong with it.
    pub(crate) fn plan(&self) -> anyhow::Result<Result<Plan, PlanError>> {
        match self {
            Self::Folder(dir) => Ok(Plan::parse(&text(&dir.join("plan.json"))?, &text(&dir.join("policies.cedar"))?)),
            Self::Document(path) => Ok(Plan::from_document(text(path)?.as_bytes())),
        }
    }

    /// The problems with the paths of their files.
    pub(crate) fn reports(&self, error: &PlanError) -> Vec<Report> {
        let report = |problem: &Problem| Report {
            file: match self {
                Self::Folder(dir) => dir.join(problem.file),
                Self::Document(path) => path.clone(),
            },
            line: problem.line,
            column: problem.column,
            policy: problem.policy.clone(),
            message: problem.message.clone(),
            advice: problem.advice.clone(),
            text: problem.text(),
        };
        error.problems().iter().map(report).collect()
    }
}
