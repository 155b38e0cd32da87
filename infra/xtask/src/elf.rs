//! What a program demands of the machine that starts it: read from its file, without starting it.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use object::Endianness;
use object::elf::{DT_NEEDED, EM_X86_64, ET_DYN, ET_EXEC, FileHeader64};
use object::read::elf::{Dyn as _, FileHeader as _};

/// The C library of Amazon Linux 2023, and so of `provided.al2023`.
const GLIBC: (u32, u32) = (2, 34);

/// What a bare Amazon Linux 2023 has of what Rust programs link to.
const LIBRARIES: [&str; 7] =
    ["ld-linux-x86-64.so.2", "libc.so.6", "libdl.so.2", "libgcc_s.so.1", "libm.so.6", "libpthread.so.0", "librt.so.1"];

/// Checks that a file is a program for x86_64 which starts on Amazon Linux 2023, and says what it needs.
pub(crate) fn check(program: &Path) -> Result<String> {
    let file = std::fs::read(program).with_context(|| format!("no {}", program.display()))?;
    let data = file.as_slice();
    let header = FileHeader64::<Endianness>::parse(data).context("it is no ELF file of 64 bits")?;
    let endian = header.endian()?;
    let kind = header.e_type(endian);
    ensure!(kind == ET_EXEC || kind == ET_DYN, "it is no program");
    ensure!(header.e_machine(endian) == EM_X86_64, "it is no program for x86_64");
    let sections = header.sections(endian, data)?;
    if let Some((entries, link)) = sections.dynamic(endian, data)? {
        let strings = sections.strings(endian, data, link)?;
        for entry in entries.iter().filter(|entry| entry.d_tag(endian) == DT_NEEDED) {
            let name = strings.get(u32::try_from(entry.d_val(endian))?).ok().context("a library without a name")?;
            let name = std::str::from_utf8(name)?;
            ensure!(LIBRARIES.contains(&name), "it needs the library {name}");
        }
    }
    let mut versions = BTreeSet::new();
    if let Some((mut needs, link)) = sections.gnu_verneed(endian, data)? {
        let strings = sections.strings(endian, data, link)?;
        while let Some((_, mut wanted)) = needs.next()? {
            while let Some(one) = wanted.next()? {
                versions.extend(glibc(std::str::from_utf8(one.name(endian, strings)?)?)?);
            }
        }
    }
    let newest = versions.last().copied().unwrap_or_default();
    ensure!(
        newest <= GLIBC,
        "it needs glibc {}.{}, and Amazon Linux 2023 has {}.{}",
        newest.0,
        newest.1,
        GLIBC.0,
        GLIBC.1
    );
    Ok(format!("x86_64, glibc {}.{} or later", newest.0, newest.1))
}

/// The version of glibc in the name of a symbol version, such as `GLIBC_2.2.5`; none for the names of other libraries.
fn glibc(name: &str) -> Result<Option<(u32, u32)>> {
    let Some(version) = name.strip_prefix("GLIBC_") else { return Ok(None) };
    let mut parts = version.split('.').map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (parts.next(), parts.next()) else {
        bail!("it needs `{name}`, which only glibc itself may");
    };
    Ok(Some((major, minor)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers_and_what_is_private_is_refused() {
        assert_eq!(glibc("GLIBC_2.2.5").unwrap(), Some((2, 2)));
        assert_eq!(glibc("GLIBC_2.34").unwrap(), Some((2, 34)));
        assert_eq!(glibc("GCC_3.3").unwrap(), None);
        assert!(glibc("GLIBC_PRIVATE").is_err());
        assert!(GLIBC < (2, 35));
    }

    #[test]
    fn a_text_is_no_program() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        assert!(check(&file).is_err());
    }
}
