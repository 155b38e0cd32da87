//! Administration: persons, keys, plans, reviews, as an operator's signed requests do them.

mod crashes;
mod keys;
mod office;
mod persons;
mod plans;
mod races;
mod routes;
mod segregation;
