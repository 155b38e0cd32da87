//! Files that are whole or not there: written beside their place, and moved into it when they are done.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// A file on its way. Dropped before [`NewFile::finish`], it leaves nothing behind.
pub(crate) struct NewFile {
    path: PathBuf,
    part: PathBuf,
    file: BufWriter<File>,
}

impl NewFile {
    /// Begins a file that must not be there yet.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        if path.symlink_metadata().is_ok() {
            bail!("`{}` exists already; give another name, or move it away", path.display());
        }
        let part = part_of(path)?;
        let file = OpenOptions::new().write(true).create_new(true).open(&part);
        let file = file.with_context(|| format!("`{}` cannot be made", part.display()))?;
        Ok(Self { path: path.to_owned(), part, file: BufWriter::new(file) })
    }

    /// Gives the file its name. It never replaces one that appeared meanwhile.
    pub(crate) fn finish(mut self) -> Result<()> {
        let failed = || format!("`{}` cannot be written", self.path.display());
        self.file.flush().and_then(|()| self.file.get_ref().sync_all()).with_context(failed)?;
        std::fs::hard_link(&self.part, &self.path).with_context(failed)
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // Behind a hard link, only the second name goes.
        let _ = std::fs::remove_file(&self.part);
    }
}

/// Puts `bytes` in the place of the file at `path`, in one step: whoever reads sees the old file or the new one.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let part = part_of(path)?;
    let written = File::create(&part).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    let moved = written.and_then(|()| std::fs::rename(&part, path)).and_then(|()| sync_folder(path));
    moved.with_context(|| format!("`{}` cannot be written", path.display()))
}

/// A rename lasts only when the folder is written too.
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The name under which a file is written, beside its place.
pub(crate) fn part_of(path: &Path) -> Result<PathBuf> {
    let name = path.file_name().with_context(|| format!("`{}` is no name of a file", path.display()))?;
    Ok(folder_of(path).join(format!(".{}.{}.part", name.to_string_lossy(), std::process::id())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        std::fs::read_dir(folder).unwrap().map(|found| found.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_is_whole_or_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.csv");
        let mut file = NewFile::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        assert!(!path.exists());
        drop(file);
        assert!(names(folder.path()).is_empty());
        let mut file = NewFile::create(&path).unwrap();
        file.write_all(b"whole").unwrap();
        file.finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        assert_eq!(names(folder.path()), ["list.csv"]);
    }

    #[test]
    fn nothing_is_overwritten_but_by_replace() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.csv");
        let mut late = NewFile::create(&path).unwrap();
        late.write_all(b"second").unwrap();
        std::fs::write(&path, b"first").unwrap();
        assert!(NewFile::create(&path).is_err());
        assert!(late.finish().is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"first");
        replace(&path, b"third").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"third");
        assert_eq!(names(folder.path()), ["list.csv"]);
    }
}
