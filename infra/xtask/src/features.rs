//! Whether the functions are built from the same packages with the same features.
//!
//! `sam build` calls cargo in one function's folder after the other, and each time cargo resolves the features of that function alone. Where two
//! functions want one package with different features it is compiled twice, and with it all that stands above it: a feature of a small package
//! may cost the AWS SDK and Cedar once more.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::build::cargo;
use crate::folders::Folders;

/// The processor for which it is looked at; `sam build` resolves the same for the other one.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Package and version -> the sets of features with which it is built: one for what runs, maybe another for what runs while building.
type Built = BTreeMap<String, BTreeSet<String>>;

/// Fails with every package that two functions build differently.
pub(crate) async fn check(folders: &Folders) -> Result<String> {
    let functions = functions(&folders.root.join("functions"))?;
    let (mut first, mut different) = (BTreeMap::<String, (String, BTreeSet<String>)>::new(), Vec::new());
    for function in &functions {
        let name = function.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for (package, built) in tree(folders, function).await? {
            let (before, as_before) = first.entry(package.clone()).or_insert_with(|| (name.clone(), built.clone()));
            if *as_before != built {
                different.push(format!("{package}: {before} {as_before:?}, {name} {built:?}"));
            }
        }
    }
    ensure!(
        different.is_empty(),
        "functions build these with different features, so that `sam build` compiles them and all above them more than once; turn the \
         features on for all, as `shared/runtime/Cargo.toml` does:\n      {}",
        different.join("\n      ")
    );
    Ok(format!("{} functions build {} packages the same", functions.len(), first.len()))
}

/// The folders that are a package.
fn functions(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).context("no folder of functions")?;
    let mut all = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    all.retain(|folder| folder.join("Cargo.toml").is_file());
    all.sort();
    ensure!(all.len() > 1, "fewer than two functions in {}", folder.display());
    Ok(all)
}

async fn tree(folders: &Folders, function: &Path) -> Result<Built> {
    let mut tree = cargo(folders);
    tree.current_dir(function).args(["tree", "--locked", "--target", TARGET, "--edges", "normal,build"]);
    tree.args(["--prefix", "none", "--format", "{p}|{f}"]).kill_on_drop(true);
    let output = tree.output().await.context("cargo does not start")?;
    ensure!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(read(&String::from_utf8(output.stdout)?))
}

/// The lines of `cargo tree`: `name v1.2.3 (proc-macro)|feature,feature (*)`.
fn read(lines: &str) -> Built {
    let mut built = Built::new();
    for line in lines.lines() {
        let Some((package, features)) = line.split_once('|') else { continue };
        let features = features.trim_end_matches(" (*)");
        built.entry(package.to_owned()).or_default().insert(features.to_owned());
    }
    built
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_has_every_set_of_features_with_which_it_is_built() {
        let built = read("a v1.0.0|std\nb v2.0.0 (proc-macro)|\n\na v1.0.0|\na v1.0.0|std (*)\n");
        let sets = |package: &str| built[package].iter().map(String::as_str).collect::<Vec<_>>();
        assert_eq!(sets("a v1.0.0"), ["", "std"]);
        assert_eq!(sets("b v2.0.0 (proc-macro)"), [""]);
        assert_eq!(built.len(), 2);
    }
}
