//! The key of a witness, in a file that nobody else may read.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, Result, bail};
use aws_lc_rs::rand;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use axiru_ledger::cosignature::{CosignerKey, message};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What a file with a private key begins with, as in the note package of the Go checksum database. Then name, hash and the base64 of
/// type byte and seed, as in the public key.
const HEAD: &str = "PRIVATE+KEY+";

/// Type byte of timestamped Ed25519 cosignatures (c2sp.org/tlog-cosignature).
const COSIGNATURE_TYPE: u8 = 0x04;

/// A witness that can sign.
pub(super) struct Cosigner {
    pair: Ed25519KeyPair,
    key: CosignerKey,
}

impl Cosigner {
    fn of_seed(name: &str, seed: &[u8; 32]) -> Result<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok().context("the seed makes no key")?;
        let public = pair.public_key().as_ref().try_into().context("the key is not 32 bytes long")?;
        Ok(Self { key: CosignerKey::new(name, public)?, pair })
    }

    /// Makes a key and writes it to a file that must not be there yet. Gives the key to check with.
    pub(super) fn create(path: &Path, name: &str) -> Result<CosignerKey> {
        let mut seed = [0_u8; 32];
        rand::fill(&mut seed).ok().context("no random bytes")?;
        let cosigner = Self::of_seed(name, &seed)?;
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let mut file = made.with_context(|| format!("`{}` cannot be made", path.display()))?;
        let written = file.write_all(cosigner.private_text(&seed).as_bytes()).and_then(|()| file.sync_all());
        written.with_context(|| format!("`{}` cannot be written", path.display()))?;
        Ok(cosigner.key)
    }

    fn private_text(&self, seed: &[u8; 32]) -> String {
        // Name and hash as in the public key. Base64 has `+` in it, names have none.
        let public = self.key.to_string();
        let head = public.splitn(3, '+').take(2).collect::<Vec<_>>().join("+");
        format!("{HEAD}{head}+{}\n", STANDARD.encode([&[COSIGNATURE_TYPE][..], seed].concat()))
    }

    /// Reads a key that [`Cosigner::create`] has written.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let failed = || format!("the key `{}` cannot be read", path.display());
        let mode = std::fs::metadata(path).with_context(failed)?.permissions().mode();
        if mode & 0o077 != 0 {
            bail!("others may read the key `{0}`; run `chmod 600 {0}`, or better make a new one", path.display());
        }
        let text = std::fs::read_to_string(path).with_context(failed)?;
        Self::parse(&text).with_context(|| {
            format!("`{}` holds no key of a witness; `axiru witness key new` makes one", path.display())
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let (name, rest) = text.strip_prefix(HEAD)?.split_once('+')?;
        let bytes = STANDARD.decode(rest.trim_end().split_once('+')?.1).ok()?;
        let seed = bytes.strip_prefix(&[COSIGNATURE_TYPE])?.try_into().ok()?;
        let cosigner = Self::of_seed(name, &seed).ok()?;
        (cosigner.private_text(&seed) == text).then_some(cosigner)
    }

    /// The note with this witness's signature behind the others.
    pub(super) fn cosign(&self, checkpoint: &str, note: &str, seconds: u64) -> Result<String> {
        let signature = self.pair.sign(message(checkpoint, seconds).as_bytes());
        Ok(format!("{note}{}", self.key.line(checkpoint, seconds, signature.as_ref())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_read_back_whatever_its_base64_holds() {
        for seed in 0..=255 {
            let text = Cosigner::of_seed("witness.example/w1", &[seed; 32]).unwrap().private_text(&[seed; 32]);
            assert!(Cosigner::parse(&text).is_some(), "{text}");
        }
    }

    #[test]
    fn a_key_is_for_its_owner_alone_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("witness.key");
        let key = Cosigner::create(&path, "witness.example/w1").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Cosigner::read(&path).unwrap().key, key);
        assert!(Cosigner::create(&path, "witness.example/w1").is_err(), "a key is never overwritten");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains(key.to_string().splitn(3, '+').nth(2).unwrap()));
        for at in 0..text.len() {
            assert!(Cosigner::parse(&text[..at]).is_none(), "cut at {at}");
        }
        for other in [text.replace("w1", "w2"), text.replace("PRIVATE", "PUBLIC"), format!("{text}\n")] {
            assert!(Cosigner::parse(&other).is_none(), "{other}");
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(Cosigner::read(&path).err().unwrap().to_string().contains("chmod 600"));
        assert!(Cosigner::create(&folder.path().join("other"), "two words").is_err());
    }
}
