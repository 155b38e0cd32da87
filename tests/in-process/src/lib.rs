//! AWS in one process: dynoxide tables, doubles for SQS, KMS, S3 and Secrets Manager, and a connector that injects faults.
