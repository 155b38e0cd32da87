#![doc = include_str!("../README.md")]

pub mod base;
pub mod error;
pub mod event;
pub mod gateway;
pub mod oauth;
pub mod pace;
pub mod permissions;
pub mod report;
pub mod rest;
pub mod restricted;
pub mod secret;
pub mod signature;
pub mod transport;

/// The version of Stripe's API that Axiru speaks: sent with every call and pinned on the webhook endpoint.
pub const API_VERSION: &str = "2026-06-24.dahlia";
