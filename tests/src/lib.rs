//! End-to-end and scenario tests.
