//! `axiru pull`: copies an export from its bucket to a folder.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::bar::bar;
use crate::copy::{Fetched, bucket_of};

/// Copy the exported ledger from its S3 bucket into a folder, to check or read it there.
///
/// Reads with the AWS credentials of the environment. Any other tool that copies a bucket does as well.
#[derive(Debug, clap::Args)]
pub(crate) struct PullArguments {
    /// The bucket: `s3://bucket`.
    #[arg(value_name = "S3")]
    from: String,
    /// The folder. Files of the same name are replaced, others stay.
    #[arg(value_name = "DIR")]
    to: PathBuf,
}

/// Copies.
pub(crate) async fn run(arguments: &PullArguments, out: &mut dyn Write) -> Result<ExitCode> {
    let Some(bucket) = bucket_of(&arguments.from)? else {
        bail!("`{}` is not an S3 address: expected `s3://bucket`", arguments.from);
    };
    let bar = bar("files copied");
    let fetched = Fetched::from_bucket(bucket, |done, _| bar.set_position(done as u64)).await;
    bar.finish_and_clear();
    let fetched = fetched?;
    for fault in &fetched.faults {
        writeln!(out, "note: {}: {}; the first version is the one that was copied", fault.file, fault.what)?;
    }
    let count = fetched.write_to(&arguments.to)?;
    writeln!(out, "{count} files are in {}", arguments.to.display())?;
    Ok(ExitCode::SUCCESS)
}
