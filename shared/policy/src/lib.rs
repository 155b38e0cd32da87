//! Plans and their evaluation: the Cedar schema, strict validation, verdicts, decisions. Pure.
