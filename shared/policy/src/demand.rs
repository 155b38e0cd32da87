//! What a plan says of the people it asks for: only what it says. Where it is silent, the group's own defaults hold, which are no part of a
//! plan and so no part of a verdict.

/// What one rule or limit asks of people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The rule or limit.
    pub rule: String,
    /// Whom it asks.
    pub group: String,
    /// How many of them, where it says.
    pub quorum: Option<u32>,
    /// How long they have, in seconds, where it says.
    pub expires_secs: Option<u32>,
    /// Why, in its author's words.
    pub why: Option<String>,
}

#[cfg(test)]
mod tests {
    use crate::Plan;

    #[test]
    fn a_group_that_nobody_knows_is_told_with_its_place() {
        let head = "{\"v\": 1, \"name\": \"p\", \"description\": \"P.\", \"kinds\": [\"refund\"], \"limits\": [\n  {\"id\": \"day\", \
                    \"per\": \"account\", \"kinds\": [\"refund\"], \"currency\": \"usd\", \"window\": {\"rolling\": \"24h\"}, \
                    \"max_count\": 5, \"on_exceed\": \"require_approval\", \"approvers\": \"legal\"}]}";
        let scope = "principal, action == Axiru::Action::\"refund\", resource";
        let policies = format!(
            "@id(\"allow\") permit({scope});\n\n  @id(\"hold\") @require_approval(\"finanec\")\nforbid({scope}) when {{ context has reason }};\n\
             @id(\"block\") forbid({scope}) when {{ context has reason }};\n"
        );
        let plan = Plan::parse(head, &policies).unwrap();
        let advice = |group: &str| format!("add somebody to {group}");
        let error = plan.asks_only(|_| false, advice).unwrap_err();
        let told: Vec<String> = error.problems().iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "plan.json:2:10: limit `day`: asks the group `legal`, which has never had a member; add somebody to legal",
                "policies.cedar:3:3: policy `hold`: asks the group `finanec`, which has never had a member; add somebody to finanec",
            ]
        );
        let error = plan.asks_only(|group| group == "legal", advice).unwrap_err();
        assert_eq!(error.problems().len(), 1);
        assert!(plan.asks_only(|group| matches!(group, "legal" | "finanec"), advice).is_ok());
    }
}
