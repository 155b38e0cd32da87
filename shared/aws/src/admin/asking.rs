//! Whether there is somebody to ask: before a plan is taken that asks people, and before one counts.

use std::collections::BTreeMap;

use axiru_domain::{PolicyMode, Scope};
use axiru_policy::Plan;
use serde_json::{Value, json};

use crate::admin::refusal::AdminError;
use crate::groups::Group;
use crate::store::Store;

/// How many must approve where neither the plan nor the group says.
const DEFAULT_QUORUM: u32 = 1;

/// What to do where no mail is sent.
const MAIL: &str = "deploy with an address to send from (the parameter `MailFrom` is empty)";

/// A group that has fewer members than a plan asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Short {
    pub(crate) group: String,
    /// The rule or limit that asks for the most.
    pub(crate) rule: String,
    pub(crate) asked: u32,
    pub(crate) members: usize,
}

impl Short {
    fn told(&self) -> String {
        let Self { group, rule, asked, members } = self;
        let members = match members {
            0 => "no member".to_owned(),
            1 => "1 member".to_owned(),
            members => format!("{members} members"),
        };
        format!("`{rule}` asks for {asked} of `{group}`, which has {members}")
    }
}

/// The groups that have too few members for a plan, each once, by name.
pub(crate) fn short(plan: &Plan, groups: &[Group]) -> Vec<Short> {
    let mut most: BTreeMap<String, Short> = BTreeMap::new();
    for demand in plan.demands() {
        let group = groups.iter().find(|group| group.name == demand.group);
        let asked = demand.quorum.or(group.and_then(|group| group.quorum)).unwrap_or(DEFAULT_QUORUM);
        let members = group.map_or(0, |group| group.members.len());
        if most.get(&demand.group).is_none_or(|other| other.asked < asked) {
            most.insert(demand.group.clone(), Short { group: demand.group, rule: demand.rule, asked, members });
        }
    }
    most.into_values().filter(|short| usize::try_from(short.asked).is_ok_and(|asked| asked > short.members)).collect()
}

impl Store {
    /// Refuses a version that asks a group which the scope does not know: its name is misspelt, or nobody would ever be asked.
    pub(crate) async fn asks_known(&self, scope: &Scope, plan: &Plan) -> Result<(), AdminError> {
        if plan.demands().next().is_none() {
            return Ok(());
        }
        let groups = self.groups(scope).await?;
        let knows = |name: &str| groups.iter().any(|group| group.name == name);
        plan.asks_only(knows, |group| add_approver(scope, group))?;
        Ok(())
    }

    /// Refuses to let a version count while those it asks could not be asked, or could never be enough. `mail` is whether the deployment
    /// sends any.
    pub(crate) async fn can_ask(&self, scope: &Scope, plan: &Plan, mail: bool) -> Result<(), AdminError> {
        let Some(first) = plan.demands().next() else { return Ok(()) };
        if !mail {
            return Err(AdminError::conflict(
                "mail_off",
                format!(
                    "the plan asks people (`{}` asks `{}`), and this deployment sends no mail; {MAIL}",
                    first.rule, first.group
                ),
            ));
        }
        let short = short(plan, &self.groups(scope).await?);
        if short.is_empty() {
            return Ok(());
        }
        let told: Vec<String> = short.iter().map(Short::told).collect();
        let remedies: Vec<String> = short.iter().map(|short| add_approver(scope, &short.group)).collect();
        let detail = format!("what it holds could never be approved: {}; {}", told.join("; "), remedies.join("; "));
        Err(AdminError::conflict("approvers_missing", detail))
    }

    /// What an operator should know of the enforced plans of a scope: that they hold what nobody could approve; and of its approvers: that
    /// mail does not reach them.
    pub(crate) async fn warnings(&self, scope: &Scope, mail: bool) -> Result<Vec<Value>, AdminError> {
        let groups = self.groups(scope).await?;
        let mut warnings = Vec::new();
        for head in self.plan_heads(scope).await?.list().iter().filter(|head| head.policy_mode == PolicyMode::Enforce) {
            let Some(plan) = self.usable_plan(scope, &head.sha256).await? else { continue };
            for short in short(&plan, &groups) {
                let text = format!("what {} holds cannot be approved: {}", head.plan, short.told());
                warnings.push(json!({"text": text, "advice": add_approver(scope, &short.group)}));
            }
            if !mail && plan.demands().next().is_some() {
                let text = format!("what {} holds cannot be approved: the deployment sends no mail", head.plan);
                warnings.push(json!({"text": text, "advice": MAIL}));
            }
        }
        for person in self.persons(scope).await? {
            let Some(why) = person.mail.filter(|_| groups.iter().any(|group| group.members.contains(&person.id)))
            else {
                continue;
            };
            let text =
                format!("{} is an approver, and an address of theirs gets no more mail ({})", person.id, why.as_str());
            let advice = format!(
                "put the address right with `axiru person alias {} --scope {scope}`, and take it off SES's suppression list",
                person.id
            );
            warnings.push(json!({"text": text, "advice": advice}));
        }
        Ok(warnings)
    }
}

/// How a group gets a member.
pub(crate) fn add_approver(scope: &Scope, group: &str) -> String {
    format!("add who approves with `axiru approver add <person> --group {group} --scope {scope}`")
}

#[cfg(test)]
mod tests {
    use axiru_domain::PersonId;

    use super::*;

    fn group(name: &str, members: u8, quorum: Option<u32>) -> Group {
        let members = (0..members).map(|number| PersonId::from_random([number; 16])).collect();
        Group { name: name.to_owned(), members, quorum, expires_secs: None, version: Default::default() }
    }

    #[test]
    fn the_plan_s_word_counts_before_the_group_s() {
        let head = r#"{"v": 1, "name": "p", "description": "P.", "kinds": ["refund"]}"#;
        let scope = "principal, action == Axiru::Action::\"refund\", resource";
        let rule = |id: &str, more: &str, group: &str| {
            format!("@id(\"{id}\") @require_approval(\"{group}\") {more} forbid({scope});\n")
        };
        let policies =
            rule("two", "@quorum(\"2\")", "finance") + &rule("silent", "", "finance") + &rule("legal", "", "legal");
        let policies = format!("@id(\"allow\") permit({scope});\n{policies}");
        let plan = Plan::parse(head, &policies).unwrap();
        let found = |groups: &[Group]| -> Vec<(String, String, u32, usize)> {
            short(&plan, groups).into_iter().map(|s| (s.group, s.rule, s.asked, s.members)).collect()
        };
        let line = |group: &str, rule: &str, asked, members| (group.to_owned(), rule.to_owned(), asked, members);
        assert_eq!(found(&[]), [line("finance", "two", 2, 0), line("legal", "legal", 1, 0)]);
        assert_eq!(found(&[group("finance", 1, None), group("legal", 1, None)]), [line("finance", "two", 2, 1)]);
        assert_eq!(found(&[group("finance", 2, None), group("legal", 1, None)]), []);
        // The group's own number counts where the plan is silent, and only there.
        assert_eq!(
            found(&[group("finance", 2, Some(3)), group("legal", 1, Some(1))]),
            [line("finance", "silent", 3, 2)]
        );
        assert_eq!(found(&[group("finance", 2, Some(1)), group("legal", 1, Some(2))]), [line("legal", "legal", 2, 1)]);
    }
}
