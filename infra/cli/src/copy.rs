//! A copy of an export: a folder on disk, or a bucket that is read into memory.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use axiru_aws::export::Bucket;
use axiru_ledger::layout::{Name, ROOT};
use axiru_ledger::verify::{Fault, Folder};

/// Deepest path of an export: `v1/mode/account/lane/tile/entries/` and the groups of a number of a bundle, `.p/` and its width.
const MAX_DEPTH: usize = 16;

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
pub(crate) struct Fetched {
    files: BTreeMap<String, Vec<u8>>,
    /// What is wrong with the bucket rather than with a file's content.
    pub(crate) faults: Vec<Fault>,
}

impl Fetched {
    /// Every file of the export in `bucket`, telling `progress` how many of how many are there.
    pub(crate) async fn from_bucket(bucket: &str, progress: impl Fn(usize, usize)) -> Result<Self> {
        let clients = axiru_aws::Clients::load().await;
        let source = Bucket::new(clients.s3, bucket);
        let prefix = format!("{ROOT}/");
        // The newest checkpoints first: whatever they cover is there by the time the rest is listed.
        let mut files = BTreeMap::new();
        let listed = |error| format!("the bucket `{bucket}` cannot be listed: {error}");
        for name in source.names(&prefix).await.map_err(|error| anyhow::anyhow!(listed(error)))? {
            if matches!(Name::parse(&name), Some(Name::Newest(_))) {
                files.insert(name.clone(), read(&source, &name).await?);
            }
        }
        let versions = source.versions(&prefix).await.map_err(|error| anyhow::anyhow!(listed(error)))?;
        if versions.is_empty() {
            bail!("the bucket `{bucket}` holds no export: there is nothing below `{prefix}`");
        }
        if versions.len() > MAX_FILES {
            bail!("the export has {} files; fetch it with `aws s3 sync` and give the folder instead", versions.len());
        }
        let mut faults = Vec::new();
        for (i, (name, found)) in versions.iter().enumerate() {
            progress(i, versions.len());
            let once = is_written_once(name);
            if once && (found.versions > 1 || found.deleted) {
                let what = if found.deleted {
                    "it was deleted"
                } else {
                    "it was replaced: a newer version stands above the first"
                };
                faults.push(Fault { file: name.clone(), seq: None, what: what.to_owned() });
            }
            if files.contains_key(name) || found.deleted && !once {
                continue;
            }
            // Of what is written once, the first version is the one that counts.
            let bytes = match &found.first {
                Some(version) if once => source.read_version(name, version).await?,
                _ => read(&source, name).await?,
            };
            files.insert(name.clone(), bytes);
        }
        Ok(Self { files, faults })
    }

    /// Writes every file below `folder`.
    pub(crate) fn write_to(&self, folder: &Path) -> Result<usize> {
        for (name, bytes) in &self.files {
            if name.split('/').any(|part| matches!(part, "" | "." | "..")) {
                bail!("the bucket holds a file named `{name}`, which is no name of an export");
            }
            let path = folder.join(name);
            let parent = path.parent().context("a file without a folder")?;
            std::fs::create_dir_all(parent).with_context(|| format!("`{}` cannot be made", parent.display()))?;
            std::fs::write(&path, bytes).with_context(|| format!("`{}` cannot be written", path.display()))?;
        }
        Ok(self.files.len())
    }
}

impl Folder for Fetched {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.files.keys().cloned().collect())
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        self.files.get(name).cloned().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

async fn read(source: &Bucket, name: &str) -> Result<Vec<u8>> {
    let read = source.read(name).await.with_context(|| format!("`{name}` cannot be read"))?;
    Ok(read.with_context(|| format!("`{name}` is gone"))?.0)
}

/// Everything but the newest checkpoint, the list of keys, and tiles that are not full.
fn is_written_once(name: &str) -> bool {
    match Name::parse(name) {
        None | Some(Name::Newest(_) | Name::AllKeys) => false,
        Some(Name::Tile(_, path)) => path.is_full(),
        Some(_) => true,
    }
}

/// A copy that was opened.
pub(crate) struct Opened {
    pub(crate) folder: Box<dyn Folder>,
    /// What is wrong with the place rather than with a file's content.
    pub(crate) faults: Vec<Fault>,
    /// Whether the place shows what was replaced and deleted.
    pub(crate) versions_seen: bool,
}

/// Opens what the user named: a folder, or `s3://bucket`.
pub(crate) async fn open(place: &str, progress: impl Fn(usize, usize)) -> Result<Opened> {
    match bucket_of(place)? {
        Some(bucket) => {
            let mut fetched = Fetched::from_bucket(bucket, progress).await?;
            let faults = std::mem::take(&mut fetched.faults);
            Ok(Opened { folder: Box::new(fetched), faults, versions_seen: true })
        }
        None => {
            let folder = Box::new(Directory::open(Path::new(place))?);
            Ok(Opened { folder, faults: Vec::new(), versions_seen: false })
        }
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
