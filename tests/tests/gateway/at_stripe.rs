//! What stands at Stripe, and what somebody does there with a key of their own.

use axiru_stripe_sandbox::ApiRequest;
use serde_json::{Value, json};

use super::ground::{ACCOUNT, Ground, bearer};
use crate::played::MODE;

impl Ground {
    /// Somebody changes an object with a key of their own.
    pub(crate) fn write_at_stripe(&self, path: &str, form: &[(&str, &str)]) {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.ask_stripe("POST", path, "", body);
    }

    /// What exists at Stripe of a kind of object, newest first.
    pub(crate) fn at_stripe(&self, path: &str) -> Vec<Value> {
        let page = self.ask_stripe("GET", path, "limit=100", String::new());
        page["data"].as_array().unwrap_or_else(|| panic!("{page}")).clone()
    }

    /// The refunds that Axiru made: those that bear its mark.
    pub(crate) fn made_refunds(&self) -> Vec<Value> {
        let all = self.at_stripe("/v1/refunds").into_iter();
        all.filter(|refund| refund["metadata"].get("axiru_request").is_some()).collect()
    }

    /// A call past Axiru.
    fn ask_stripe(&self, method: &str, path: &str, query: &str, body: String) -> Value {
        let granted = self.control(&format!("{MODE}/{ACCOUNT}/install"), json!({}));
        let request = ApiRequest {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: bearer(granted["tokens"]["access_token"].as_str().unwrap()),
            body: body.into_bytes(),
        };
        let answer = self.stripe.sandbox().api(&request);
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }
}
