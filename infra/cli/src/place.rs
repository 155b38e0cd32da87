//! A place that holds an export, read file by file: a folder, or a bucket of which only what is needed is fetched.

use std::io;
use std::path::Path;

use anyhow::{Context, Result};
use axiru_aws::export::Bucket;
use axiru_ledger::layout::{Name, ROOT};
use axiru_ledger::verify::Folder as _;

use crate::copy::{Directory, bucket_of};

/// The place.
pub(crate) enum Place {
    /// A folder on disk.
    Folder(Directory),
    /// A bucket.
    Bucket(Bucket),
}

impl Place {
    /// Opens what the user named: a folder, or `s3://bucket`.
    pub(crate) async fn open(place: &str) -> Result<Self> {
        Ok(match bucket_of(place)? {
            Some(bucket) => Self::Bucket(Bucket::new(axiru_aws::Clients::load().await.s3, bucket)),
            None => Self::Folder(Directory::open(Path::new(place))?),
        })
    }

    /// A file's bytes; nothing when it is not there.
    pub(crate) async fn read(&self, name: &Name) -> Result<Option<Vec<u8>>> {
        let file = name.text();
        let failed = || format!("`{file}` cannot be read");
        match self {
            Self::Folder(folder) => match folder.read(&file) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error).with_context(failed),
            },
            Self::Bucket(bucket) => Ok(bucket.read(&file).await.with_context(failed)?.map(|(bytes, _)| bytes)),
        }
    }

    /// The names of everything that is part of the export, in order.
    pub(crate) async fn names(&self) -> Result<Vec<Name>> {
        let mut names = match self {
            Self::Folder(folder) => folder.names().context("the folder cannot be listed")?,
            Self::Bucket(bucket) => bucket.names(&format!("{ROOT}/")).await.context("the bucket cannot be listed")?,
        };
        names.sort();
        Ok(names.iter().filter_map(|name| Name::parse(name)).collect())
    }
}
