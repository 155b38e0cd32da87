#![doc = include_str!("../README.md")]

pub mod band;
mod document;
mod ending;
mod fields;
pub mod form;
pub mod mail;
mod page;
pub mod reason;
pub mod samples;
pub mod sheet;
#[cfg(test)]
mod snapshot;
mod style;
pub mod text;

pub use document::{Frame, document};
pub use ending::{Answered, Ending, Standing};
pub use fields::{Fields, FieldsError};
pub use page::{Page, secure};
pub use style::STYLE;
