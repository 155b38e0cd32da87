//! Administration: persons, keys, plans, reviews, as an operator's signed requests do them.

mod approvals;
mod crashes;
mod disconnect;
mod groups;
mod keys;
mod office;
mod persons;
mod plans;
mod races;
mod routes;
mod segregation;
mod switches;
