//! Every fault at every I/O call of a call that is made.
