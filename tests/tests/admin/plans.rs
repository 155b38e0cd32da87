//! Plans: pushed, switched, taken back.

use axiru_domain::Mode;
use axiru_in_process::{InProcess, Retries};
use serde_json::{Value, json};

use super::office::{JO, LIVE, Office, PER_ANA, PER_JO, ROSA, chg, plan, push_body, run};

/// Two texts of the starter plan for refunds, as they stand in its policies.
const AMOUNT: &str = "20000";

fn push(change: u32) -> Value {
    push_body(change, "refunds", "", "")
}

fn push_other(change: u32, amount: &str) -> Value {
    push_body(change, "refunds", AMOUNT, amount)
}

fn enforce(change: u32) -> Value {
    json!({"change": chg(change), "policy_mode": "enforce", "why": "four weeks without a canary"})
}

async fn heads(office: &Office) -> Vec<(String, String)> {
    let heads = office.app.store.plan_heads(&LIVE.parse().unwrap()).await.unwrap();
    heads.list().iter().map(|head| (head.sha256.clone(), head.policy_mode.as_str().to_owned())).collect()
}

#[test]
fn a_new_plan_begins_in_shadow_and_the_same_content_changes_nothing() {
    run(async |office| {
        office.with_ana().await;
        let first = office.done(ROSA, "plans", push(1)).await;
        assert_eq!(
            (&first["changed"], &first["policy_mode"], &first["before"]),
            (&json!(true), &json!("shadow"), &json!(null))
        );
        let again = office.done(ROSA, "plans", push(2)).await;
        assert_eq!((&again["changed"], &again["sha256"]), (&json!(false), &first["sha256"]));
        let other = office.done(ROSA, "plans", push_other(3, "19000")).await;
        assert_eq!((&other["before"], &other["changed"]), (&first["sha256"], &json!(true)));
        assert_eq!(office.types(LIVE).await[2..], ["plan.pushed", "plan.pushed"].map(str::to_owned));
        let shown = office.get(LIVE, "plans/refunds-starter").await;
        assert_eq!(shown["versions"].as_array().unwrap().len(), 2);
        assert!(shown["document"]["policies"].as_str().unwrap().contains("19000"));
        let prefix = &first["sha256"].as_str().unwrap()[..8];
        let earlier = office.get(LIVE, &format!("plans/refunds-starter?version={prefix}")).await;
        assert_eq!(earlier["sha256"], first["sha256"]);
        let list = office.get(LIVE, "plans").await;
        assert_eq!((&list["plans"][0]["plan"], &list["plans"][0]["usable"]), (&json!("refunds-starter"), &json!(true)));
    });
}

#[test]
fn a_version_can_be_taken_back_and_pushed_again() {
    run(async |office| {
        office.with_ana().await;
        let first = office.done(ROSA, "plans", push(1)).await["sha256"].as_str().unwrap().to_owned();
        let second = office.done(ROSA, "plans", push_other(2, "19000")).await["sha256"].as_str().unwrap().to_owned();
        let back = json!({"change": chg(3), "version": &first[..10]});
        assert_eq!(office.done(ROSA, "plans/refunds-starter/rollback", back.clone()).await["sha256"], json!(first));
        assert_eq!(office.done(ROSA, "plans/refunds-starter/rollback", back).await["changed"], true, "told again");
        assert_eq!(heads(office).await, [(first.clone(), "shadow".to_owned())]);
        let same = json!({"change": chg(4), "version": first});
        assert_eq!(office.done(ROSA, "plans/refunds-starter/rollback", same).await["changed"], false);
        assert_eq!(office.done(ROSA, "plans", push_other(5, "19000")).await["sha256"], json!(second));
        assert_eq!(
            office.types(LIVE).await[2..],
            ["plan.pushed", "plan.pushed", "plan.rolled_back", "plan.pushed"].map(str::to_owned)
        );
        for (route, body, code) in [
            ("plans/refunds-starter/rollback", json!({"change": chg(6), "version": "00000000"}), "no_such_version"),
            ("plans/refunds-starter/rollback", json!({"change": chg(6), "version": "0"}), "version"),
            ("plans/refunds-starter/rollback", json!({"change": chg(6), "version": "ABCDEF00"}), "version"),
            ("plans/payouts/rollback", json!({"change": chg(6), "version": first}), "no_such_plan"),
        ] {
            assert_eq!(office.refused(ROSA, route, body).await.1, code);
        }
    });
}

#[test]
fn enforcing_waits_for_the_permission_at_stripe_and_for_a_reason() {
    run(async |office| {
        office.with_ana().await;
        office.done(ROSA, "plans", push(1)).await;
        let (status, code, detail) = office.refused(ROSA, "plans/refunds-starter/mode", enforce(2)).await;
        assert_eq!((status, code.as_str()), (409, "permission_missing"));
        for told in ["charge_write", "stripe-app.enforcing.json", "StripeAppPermissions", "axiru connect --mode live"] {
            assert!(detail.contains(told), "{told}: {detail}");
        }
        assert!(!detail.contains("payout_write"), "only what this plan needs");
        office.connect(Mode::Live, "acct_1", "enforcing").await;
        for why in [json!(""), json!("  "), json!("a\nb"), json!("x".repeat(501)), json!(7), json!(null)] {
            let body = json!({"change": chg(3), "policy_mode": "enforce", "why": why});
            assert_eq!(office.refused(ROSA, "plans/refunds-starter/mode", body).await.0, 400);
        }
        let body = json!({"change": chg(3), "policy_mode": "off", "why": "x"});
        assert_eq!(office.refused(ROSA, "plans/refunds-starter/mode", body).await.0, 400);
        assert_eq!(office.done(ROSA, "plans/refunds-starter/mode", enforce(4)).await["policy_mode"], "enforce");
        assert_eq!(office.done(ROSA, "plans/refunds-starter/mode", enforce(4)).await["changed"], true, "told again");
        assert_eq!(office.done(ROSA, "plans/refunds-starter/mode", enforce(5)).await["changed"], false);
        let entries = office.entries(LIVE).await;
        let entry = entries.last().unwrap();
        assert_eq!((entry.ty(), &entry.fields()["before"]), ("plan.mode_changed", &json!("shadow")));
        assert!(!String::from_utf8_lossy(entry.bytes()).contains("canary"));
        assert_eq!(
            office.account.dump().unwrap().find("without a canary").len(),
            1,
            "the words stand beside, once, erasable"
        );
        // Pushing does not switch enforcement off.
        assert_eq!(office.done(ROSA, "plans", push_other(6, "19000")).await["policy_mode"], "enforce");
    });
}

#[test]
fn a_403_from_stripe_takes_the_permission_back_once() {
    run(async |office| {
        office.with_ana().await;
        let scope = LIVE.parse().unwrap();
        assert!(!office.app.store.permission_refused(&scope, office.app.now).await.unwrap());
        office.connect(Mode::Live, "acct_1", "enforcing").await;
        office.done(ROSA, "plans", push(1)).await;
        for first in [true, false] {
            assert_eq!(office.app.store.permission_refused(&scope, office.app.now).await.unwrap(), first);
        }
        assert_eq!(office.types(LIVE).await.last().map(String::as_str), Some("connection.permissions_changed"));
        assert_eq!(office.refused(ROSA, "plans/refunds-starter/mode", enforce(2)).await.1, "permission_missing");
        assert_eq!(office.get(LIVE, "status").await["permissions"], "read_only");
    });
}

#[test]
fn a_broken_plan_is_told_every_problem_with_its_place() {
    run(async |office| {
        let (head, policies) = plan("refunds");
        let broken = policies.replace("context has reason && ", "").replacen("@id(\"", "@ide(\"", 1);
        let body = json!({"change": chg(1), "plan": head, "policies": broken});
        let (status, answer) = office.post(ROSA, LIVE, "plans", &body).await;
        assert_eq!((status.as_u16(), &answer["code"]), (422, &json!("plan_refused")));
        let problems = answer["problems"].as_array().unwrap();
        assert!(problems.len() >= 2, "{answer}");
        assert!(
            problems.iter().all(|problem| problem["file"] == "policies.cedar" && problem["line"].as_u64() > Some(0))
        );
        for (head, policies) in [("", ""), ("{}", ""), ("[]", "permit(principal, action, resource);")] {
            let body = json!({"change": chg(2), "plan": head, "policies": policies});
            assert_eq!(office.refused(ROSA, "plans", body).await.0, 422);
        }
        assert_eq!(office.types(LIVE).await, ["person.added"]);
    });
}

#[test]
fn a_plan_that_asks_a_group_nobody_knows_is_refused_with_its_place() {
    run(async |office| {
        let (status, answer) = office.post(ROSA, LIVE, "plans", &push(1)).await;
        assert_eq!((status.as_u16(), &answer["code"]), (422, &json!("plan_refused")));
        let problems = answer["problems"].as_array().unwrap();
        // Seven rules and three limits ask finance.
        assert_eq!(problems.len(), 10, "{answer}");
        for problem in problems {
            let text = problem["text"].as_str().unwrap();
            let remedy = format!("axiru approver add <person> --group finance --scope {LIVE}");
            assert!(
                problem["line"].as_u64() > Some(1) && text.contains("`finance`") && text.contains(&remedy),
                "{text}"
            );
        }
        let told = problems.iter().map(|problem| problem["text"].as_str().unwrap());
        assert!(told.clone().any(|text| text.starts_with("plan.json") && text.contains("limit `actor-day-usd`")));
        assert!(
            told.clone()
                .any(|text| text.starts_with("policies.cedar") && text.contains("policy `hold-agent-above-50`"))
        );
        // A plan that asks nobody needs nobody.
        office.done(ROSA, "plans", limited(2, "one", 1..3)).await;
        office.with_ana().await;
        office.done(ROSA, "plans", push(3)).await;
        let misspelt = push_body(4, "refunds", "@require_approval(\"finance\")", "@require_approval(\"finanec\")");
        let (status, answer) = office.post(ROSA, LIVE, "plans", &misspelt).await;
        assert_eq!((status.as_u16(), answer["problems"].as_array().map(Vec::len)), (422, Some(1)), "{answer}");
    });
}

/// Ana leaves.
fn ana_leaves(change: u32) -> Value {
    json!({"change": chg(change), "person": PER_ANA, "added": false})
}

#[test]
fn enforcing_waits_for_enough_people_who_can_be_asked() {
    run(async |office| {
        office.connect(Mode::Live, "acct_1", "enforcing").await;
        office.with_ana().await;
        let pushed = office.done(ROSA, "plans", push(1)).await["sha256"].as_str().unwrap().to_owned();
        office.done(ROSA, "plans", push_body(2, "payouts", "", "")).await;
        // One of two: the plan's own word.
        let (status, code, detail) = office.refused(ROSA, "plans/payouts-starter/mode", enforce(3)).await;
        assert_eq!((status, code.as_str()), (409, "approvers_missing"));
        for told in [
            "asks for 2 of `finance`, which has 1 member",
            "axiru approver add <person> --group finance --scope live/acct_1",
        ] {
            assert!(detail.contains(told), "{told}: {detail}");
        }
        // Where the plan is silent the group's own number counts.
        office.done(ROSA, "groups/finance", json!({"change": chg(4), "quorum": 2})).await;
        assert_eq!(office.refused(ROSA, "plans/refunds-starter/mode", enforce(5)).await.1, "approvers_missing");
        let jo = json!({"change": chg(6), "person": PER_JO, "emails": ["jo@example.com"], "principals": [JO], "groups": ["finance"]});
        office.done(ROSA, "persons", jo).await;
        office.done(ROSA, "plans/refunds-starter/mode", enforce(7)).await;
        office.done(ROSA, "plans/payouts-starter/mode", enforce(8)).await;
        // Whoever leaves leaves: but nothing new is enforced on those who are left.
        office.done(ROSA, "groups/finance/members", ana_leaves(9)).await;
        assert_eq!(office.refused(ROSA, "plans", push_other(10, "19000")).await.1, "approvers_missing");
        office.done(ROSA, "groups/finance", json!({"change": chg(11), "quorum": null})).await;
        office.done(ROSA, "plans", push_other(12, "19000")).await;
        office.done(ROSA, "groups/finance", json!({"change": chg(13), "quorum": 2})).await;
        let back = json!({"change": chg(14), "version": pushed});
        assert_eq!(office.refused(ROSA, "plans/refunds-starter/rollback", back.clone()).await.1, "approvers_missing");
        // Back to shadow goes always, and there the rollback too.
        let shadow = json!({"change": chg(15), "policy_mode": "shadow", "why": "nobody is left"});
        office.done(ROSA, "plans/refunds-starter/mode", shadow).await;
        let back = json!({"change": chg(16), "version": pushed});
        office.done(ROSA, "plans/refunds-starter/rollback", back).await;
    });
}

#[test]
fn without_mail_nobody_is_asked_and_what_asks_nobody_can_be_enforced() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut office = Office::with_rosa(InProcess::new().unwrap(), Retries::Off).await;
        office.app.mail = false;
        office.connect(Mode::Live, "acct_1", "enforcing").await;
        office.with_ana().await;
        office.done(ROSA, "plans", push(1)).await;
        let (status, code, detail) = office.refused(ROSA, "plans/refunds-starter/mode", enforce(2)).await;
        assert_eq!((status, code.as_str()), (409, "mail_off"));
        assert!(detail.contains("MailFrom"), "{detail}");
        office.done(ROSA, "plans", limited(3, "one", 1..3)).await;
        office.done(ROSA, "plans/one/mode", enforce(4)).await;
    });
}

/// A plan with this many limits, each in a window of its own.
fn limited(change: u32, name: &str, hours: std::ops::Range<u32>) -> Value {
    let limit = |hour: u32| {
        json!({"id": format!("{name}-{hour}"), "per": "account", "kinds": ["refund"], "currency": "usd",
            "window": {"rolling": format!("{hour}h")}, "max_count": 5, "on_exceed": "block"})
    };
    let limits: Vec<Value> = hours.map(limit).collect();
    let head = json!({"v": 1, "name": name, "description": "Limits.", "kinds": ["refund"], "limits": limits});
    let policies =
        format!("@id(\"allow-{name}\")\npermit(principal, action == Axiru::Action::\"refund\", resource);\n");
    json!({"change": chg(change), "plan": head.to_string(), "policies": policies})
}

#[test]
fn the_windows_of_all_plans_together_are_bounded() {
    run(async |office| {
        office.done(ROSA, "plans", limited(1, "one", 1..16)).await;
        let (status, code, detail) = office.refused(ROSA, "plans", limited(2, "two", 16..22)).await;
        assert_eq!((status, code.as_str()), (409, "too_many_windows"), "{detail}");
        // Windows that are the same are one; a new version of a plan replaces the old one.
        office.done(ROSA, "plans", limited(3, "two", 11..21)).await;
        office.done(ROSA, "plans", limited(4, "two", 16..21)).await;
        let limits = office.get(LIVE, "limits").await;
        assert_eq!(limits["limits"].as_array().unwrap().len(), 20);
        assert_eq!((&limits["limits"][0]["left_count"], &limits["limits"][0]["used_count"]), (&json!(5), &json!(0)));
    });
}

#[test]
fn an_account_under_review_is_so_until_it_is_not() {
    run(async |office| {
        let body = |change: u32, on: bool| json!({"change": chg(change), "connected": "acct_9", "under_review": on, "why": "a canary told us"});
        assert_eq!(office.done(ROSA, "review", body(1, false)).await["changed"], false);
        assert_eq!(office.done(ROSA, "review", body(2, true)).await["changed"], true);
        assert_eq!(office.done(ROSA, "review", body(2, true)).await["changed"], true);
        assert_eq!(office.done(ROSA, "review", body(3, true)).await["changed"], false);
        assert_eq!(office.get(LIVE, "status").await["under_review"], json!(["acct_9"]));
        office.done(ROSA, "review", body(4, false)).await;
        assert_eq!(office.get(LIVE, "status").await["under_review"], json!([]));
        assert_eq!(office.types(LIVE).await, ["person.added", "account.review_changed", "account.review_changed"]);
        for entry in office.entries(LIVE).await {
            assert!(!String::from_utf8_lossy(entry.bytes()).contains("canary"));
        }
        for bad in [json!("cus_1"), json!(""), json!(null)] {
            let mut body = body(5, true);
            body["connected"] = bad;
            assert_eq!(office.refused(ROSA, "review", body).await.0, 400);
        }
    });
}
