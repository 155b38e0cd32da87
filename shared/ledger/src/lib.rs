#![doc = include_str!("../README.md")]

pub mod canonical;
pub mod checkpoint;
pub mod daily;
pub mod entry;
pub mod growth;
pub mod hash;
pub mod layout;
pub mod merkle;
pub mod note;
pub mod proof;
pub mod readers;
pub mod segment;
pub mod tile;
pub mod types;
pub mod verify;
