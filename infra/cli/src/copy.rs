//! A copy of an export: a folder on disk, or a bucket that is read into memory.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use axiru_aws::export::Bucket;
use axiru_ledger::layout::ROOT;
use axiru_ledger::verify::Folder;

/// Deepest path of an export: `v1/mode/account/lane/entries/day/file`.
const MAX_DEPTH: usize = 8;

/// Largest copy that is read from a bucket into memory, in files.
const MAX_FILES: usize = 100_000;

/// A folder on disk.
pub(crate) struct Directory(PathBuf);

impl Directory {
    /// The folder at `path`, which must hold an export.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        if !path.is_dir() {
            bail!("`{}` is not a folder; give the folder that holds `{ROOT}/`", path.display());
        }
        if !path.join(ROOT).is_dir() {
            bail!("`{}` holds no export: there is no `{ROOT}/` in it", path.display());
        }
        Ok(Self(path.to_owned()))
    }

    fn walk(&self, below: &Path, depth: usize, names: &mut Vec<String>) -> io::Result<()> {
        for found in std::fs::read_dir(self.0.join(below))? {
            let found = found?;
            let path = below.join(found.file_name());
            // Links are named as files and not followed: what they point at is not part of the copy.
            if found.file_type()?.is_dir() && depth > 0 {
                self.walk(&path, depth - 1, names)?;
            } else {
                let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
                names.push(parts.join("/"));
            }
        }
        Ok(())
    }
}

impl Folder for Directory {
    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        self.walk(Path::new(""), MAX_DEPTH, &mut names)?;
        Ok(names)
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        std::fs::read(self.0.join(name))
    }
}

/// The files of a bucket, read once.
pub(crate) struct Fetched(BTreeMap<String, Vec<u8>>);

impl Fetched {
    /// Every file of the export in `bucket`, telling `progress` how many of how many are there.
    pub(crate) async fn from_bucket(bucket: &str, progress: impl Fn(usize, usize)) -> Result<Self> {
        let clients = axiru_aws::Clients::load().await;
        let source = Bucket::new(clients.s3, bucket);
        let prefix = format!("{ROOT}/");
        let names = source.names(&prefix).await.with_context(|| format!("the bucket `{bucket}` cannot be listed"))?;
        if names.is_empty() {
            bail!("the bucket `{bucket}` holds no export: there is nothing below `{prefix}`");
        }
        if names.len() > MAX_FILES {
            bail!("the export has {} files; fetch it with `aws s3 sync` and give the folder instead", names.len());
        }
        let mut files = BTreeMap::new();
        for (i, name) in names.iter().enumerate() {
            progress(i, names.len());
            let read = source.read(name).await.with_context(|| format!("`{name}` cannot be read"))?;
            let (bytes, _) = read.with_context(|| format!("`{name}` is gone"))?;
            files.insert(name.clone(), bytes);
        }
        Ok(Self(files))
    }

    /// Writes every file below `folder`.
    pub(crate) fn write_to(&self, folder: &Path) -> Result<usize> {
        for (name, bytes) in &self.0 {
            if name.split('/').any(|part| matches!(part, "" | "." | "..")) {
                bail!("the bucket holds a file named `{name}`, which is no name of an export");
            }
            let path = folder.join(name);
            let parent = path.parent().context("a file without a folder")?;
            std::fs::create_dir_all(parent).with_context(|| format!("`{}` cannot be made", parent.display()))?;
            std::fs::write(&path, bytes).with_context(|| format!("`{}` cannot be written", path.display()))?;
        }
        Ok(self.0.len())
    }
}

impl Folder for Fetched {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.0.keys().cloned().collect())
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        self.0.get(name).cloned().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

/// Opens what the user named: a folder, or `s3://bucket`.
pub(crate) async fn open(place: &str, progress: impl Fn(usize, usize)) -> Result<Box<dyn Folder>> {
    match bucket_of(place)? {
        Some(bucket) => Ok(Box::new(Fetched::from_bucket(bucket, progress).await?)),
        None => Ok(Box::new(Directory::open(Path::new(place))?)),
    }
}

/// The bucket in `s3://bucket`; none for anything that is not an S3 address.
pub(crate) fn bucket_of(place: &str) -> Result<Option<&str>> {
    let Some(bucket) = place.strip_prefix("s3://") else {
        return Ok(None);
    };
    let bucket = bucket.trim_end_matches('/');
    if bucket.is_empty() || bucket.contains('/') {
        bail!("`{place}` is not the bucket of an export: expected `s3://bucket` without a path");
    }
    Ok(Some(bucket))
}
