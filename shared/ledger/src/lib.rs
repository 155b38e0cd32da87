#![doc = include_str!("../README.md")]

pub mod canonical;
pub mod checkpoint;
pub mod entry;
pub mod hash;
pub mod layout;
pub mod merkle;
pub mod note;
pub mod proof;
pub mod segment;
pub mod tile;
pub mod types;
pub mod verify;
