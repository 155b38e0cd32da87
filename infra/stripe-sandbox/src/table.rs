//! A table of objects in creation order, found by id.

use std::collections::HashMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::world::World;

/// An object that a [`World`] stores.
pub(crate) trait Stored: Serialize + DeserializeOwned + Clone {
    /// What Stripe's messages call it: `No such refund: …`.
    const NOUN: &'static str;
    /// Its id.
    fn id(&self) -> &str;
    /// When it was made, in Unix seconds.
    fn created(&self) -> i64;
    /// The table it lives in.
    fn table(world: &World) -> &Table<Self>;
    /// The same, to change it.
    fn table_mut(world: &mut World) -> &mut Table<Self>;
    /// The JSON Stripe would answer.
    fn render(&self) -> Value {
        render(self)
    }
}

/// The JSON of any of our types; all of them serialise.
pub(crate) fn render<T: Serialize>(object: &T) -> Value {
    serde_json::to_value(object).unwrap_or(Value::Null)
}

/// Rows in creation order with an index by id.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    from = "Vec<(String, T)>",
    into = "Vec<(String, T)>",
    bound(serialize = "T: Clone + Serialize", deserialize = "T: Deserialize<'de>")
)]
pub struct Table<T> {
    rows: Vec<(String, T)>,
    index: HashMap<String, usize>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), index: HashMap::new() }
    }
}

impl<T> From<Vec<(String, T)>> for Table<T> {
    fn from(rows: Vec<(String, T)>) -> Self {
        let index = rows.iter().enumerate().map(|(at, (id, _))| (id.clone(), at)).collect();
        Self { rows, index }
    }
}

impl<T> From<Table<T>> for Vec<(String, T)> {
    fn from(table: Table<T>) -> Self {
        table.rows
    }
}

impl<T> Table<T> {
    /// Adds a row at the end, or replaces the row with this id where it stands.
    pub fn insert(&mut self, id: impl Into<String>, row: T) {
        let id = id.into();
        match self.index.get(&id).and_then(|at| self.rows.get_mut(*at)) {
            Some(slot) => slot.1 = row,
            None => {
                self.index.insert(id.clone(), self.rows.len());
                self.rows.push((id, row));
            }
        }
    }

    /// Finds a row.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&T> {
        self.index.get(id).and_then(|at| self.rows.get(*at)).map(|(_, row)| row)
    }

    /// Finds a row to change it.
    pub fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        let at = *self.index.get(id)?;
        self.rows.get_mut(at).map(|(_, row)| row)
    }

    /// Takes a row out.
    pub fn remove(&mut self, id: &str) -> Option<T> {
        let at = self.index.remove(id)?;
        let (_, row) = self.rows.remove(at);
        self.index = self.rows.iter().enumerate().map(|(at, (id, _))| (id.clone(), at)).collect();
        Some(row)
    }

    /// All rows, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.rows.iter().map(|(_, row)| row)
    }

    /// All rows, oldest first, to change them.
    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut T> {
        self.rows.iter_mut().map(|(_, row)| row)
    }

    /// How many rows there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}
