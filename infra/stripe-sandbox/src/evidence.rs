//! Evidence in a dispute: texts about the customer, staged or submitted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::StripeError;

/// The texts a dispute's evidence can hold. Most of them are personal data.
const FIELDS: [&str; 27] = [
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
];

/// Every field, given or null, as Stripe shows them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Evidence(BTreeMap<String, Value>);

impl Default for Evidence {
    fn default() -> Self {
        let mut fields: BTreeMap<String, Value> = FIELDS.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
        fields.insert("enhanced_evidence".into(), json!({}));
        Self(fields)
    }
}

impl Evidence {
    /// Sets texts; an empty one removes what was there.
    pub(crate) fn merge(&mut self, texts: BTreeMap<String, String>) -> Result<(), StripeError> {
        for (name, text) in texts {
            if !FIELDS.contains(&name.as_str()) {
                return Err(StripeError::unknown_param(&format!("evidence[{name}]")));
            }
            let value = if text.is_empty() { Value::Null } else { Value::String(text) };
            self.0.insert(name, value);
        }
        Ok(())
    }

    /// Whether no text is given.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        !self.0.values().any(Value::is_string)
    }
}

/// What Stripe says about the evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct EvidenceDetails {
    pub due_by: Option<i64>,
    pub enhanced_eligibility: Value,
    pub has_evidence: bool,
    pub past_due: bool,
    pub submission_count: i64,
}

impl EvidenceDetails {
    pub(crate) fn new(due_by: i64) -> Self {
        Self {
            due_by: Some(due_by),
            enhanced_eligibility: json!({}),
            has_evidence: false,
            past_due: false,
            submission_count: 0,
        }
    }
}

/// A change of evidence.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct EvidenceUpdate {
    /// Texts by field.
    pub evidence: Option<BTreeMap<String, String>>,
    /// Whether it goes to the bank; true if absent and there is evidence.
    pub submit: Option<bool>,
}
