//! Writes `docs/gateway.md` from the table of routes.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/gateway.md");
    std::fs::write(page, axiru_stripe::gateway::page::page())
}
