//! Ports on the loopback address.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, Result};

/// A port that nothing listens on now. Somebody else may take it before it is used; whoever binds it then says so.
pub(crate) fn free() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port on 127.0.0.1")?;
    Ok(listener.local_addr()?.port())
}

/// The asked port if nothing listens on it, or any free one if none is asked.
pub(crate) fn choose(asked: Option<u16>, purpose: &str) -> Result<u16> {
    let Some(port) = asked else { return free() };
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .with_context(|| format!("port {port} for {purpose} is taken; is another `cargo xtask up` running?"))?;
    Ok(port)
}
