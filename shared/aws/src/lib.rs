//! The only crate that names an AWS SDK type: tables, queues, keys, buckets, and the use cases that commit.
