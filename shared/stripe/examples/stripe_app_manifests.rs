//! Writes the Stripe App manifests from the table of permissions.

use std::path::Path;

use axiru_stripe::permissions::{Variant, manifest};

fn main() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/stripe-app");
    for variant in Variant::ALL {
        std::fs::write(folder.join(variant.file()), manifest(variant)?)?;
    }
    Ok(())
}
