//! Days and months: what is compared, by whom, and what makes no second entry.

use axiru_aws::reconcile::Task;
use axiru_domain::Scope;
use axiru_in_process::{InProcess, RECONCILE_QUEUE_URL};
use serde_json::json;

use super::shop::{ACCOUNT, DAY, Setup, Shop, at, log, numbers, scope};
use crate::played::{MODE, mode, other_mode};

#[tokio::test(start_paused = true)]
async fn a_day_of_every_kind_matches() {
    let shop = Shop::simple().await;
    shop.day();
    shop.webhooks().await;
    shop.night().await;
    let (entry, report) = shop.reports().await.pop().unwrap();
    assert_eq!(numbers(&entry), [Shop::OF_THE_DAY, 0, 0, 0], "{report:#}");
    assert_eq!((super::shop::text(&entry, "actor"), &report["complete"]), ("axiru".to_owned(), &json!(true)));
    assert_eq!((&report["recovered"], &report["not_compared"]), (&json!(0), &json!([])));
    // Counts and sums are of one kind and currency, and the same on both sides and in the balance.
    let totals: Vec<String> = report["totals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| {
            assert_eq!((&t["stripe_count"], &t["stripe_minor"]), (&t["ledger_count"], &t["ledger_minor"]), "{t}");
            format!(
                "{} {} {} {} {}",
                t["kind"], t["currency"], t["stripe_count"], t["stripe_minor"], t["balance_minor"]
            )
        })
        .collect();
    assert_eq!(
        totals,
        [
            r#""refund" "eur" 1 300 300"#,
            r#""refund" "usd" 1 4500 4500"#,
            r#""payout" "usd" 2 21000 21000"#,
            r#""transfer" "usd" 1 5000 5000"#,
            r#""transfer_reversal" "usd" 1 1000 1000"#,
            r#""dispute_submit" "usd" 1 9000 0"#,
            r#""dispute" "usd" 1 9000 0"#,
        ]
    );
    assert_eq!(report["balance"]["unmatched"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn the_same_result_is_one_entry_and_another_is_another() {
    let shop = Shop::simple().await;
    shop.day();
    shop.webhooks().await;
    let month = Task { scope: scope(), period: "2026-10".parse().unwrap(), run: None };
    for _ in 0..2 {
        shop.night().await;
        assert!(shop.task(&month).await);
    }
    // One of the day, one of the month; each read what the other has written, which says nothing of it.
    assert_eq!(shop.reports().await.len(), 2);
    // A movement of the day that is found later makes another report of the same period.
    shop.clock_at(at(22, 0));
    shop.refund(100);
    shop.webhooks().await;
    shop.night().await;
    let reports = shop.reports().await;
    assert_eq!(reports.iter().map(|(entry, _)| numbers(entry)[0]).collect::<Vec<_>>(), [8, 8, 9]);
}

#[tokio::test(start_paused = true)]
async fn two_runs_at_once_make_one_entry() {
    let shop = Shop::simple().await;
    shop.day();
    let day = Task { scope: scope(), period: "2026-10-31".parse().unwrap(), run: None };
    let (one, other) = tokio::join!(shop.task(&day), shop.task(&day));
    assert!(one && other);
    let reports = shop.reports().await;
    assert_eq!(reports.len(), 1);
    assert_eq!(numbers(&reports[0].0), [Shop::OF_THE_DAY, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn movements_of_the_days_around_are_theirs() {
    let shop = Shop::simple().await;
    for secs in [DAY - 1, DAY, DAY + 86_399, DAY + 86_400] {
        shop.clock_at(secs);
        shop.refund(100);
        let transfer = shop.does("transfers", json!({"amount": 500, "destination": "acct_2"}));
        shop.does(&format!("transfers/{transfer}/reversals"), json!({"amount": 100}));
    }
    shop.webhooks().await;
    shop.night().await;
    let (entry, report) = shop.reports().await.pop().unwrap();
    assert_eq!(numbers(&entry), [6, 0, 0, 0], "{report:#}");
    let [from, until] = ["from", "until"].map(|name| report[name].as_str().unwrap());
    assert_eq!((from, until), ("2026-10-31T00:00:00.000Z", "2026-11-01T00:00:00.000Z"));
}

#[tokio::test(start_paused = true)]
async fn a_reversal_of_an_older_transfer_and_an_answer_to_an_older_dispute_are_found() {
    let shop = Shop::simple().await;
    shop.clock_at(DAY - 5 * 86_400);
    let transfer = shop.does("transfers", json!({"amount": 5_000, "destination": "acct_2"}));
    let charge = shop.does("charges", json!({"amount": 900}));
    let dispute = shop.does("disputes", json!({ "charge": charge }));
    shop.clock_at(at(9, 0));
    shop.does(&format!("transfers/{transfer}/reversals"), json!({"amount": 100}));
    shop.does(
        &format!("disputes/{dispute}/evidence"),
        json!({"evidence": {"uncategorized_text": "x"}, "submit": true}),
    );
    shop.webhooks().await;
    shop.night().await;
    let (entry, report) = shop.reports().await.pop().unwrap();
    assert_eq!(numbers(&entry), [2, 0, 0, 0], "{report:#}");
}

#[tokio::test(start_paused = true)]
async fn all_lanes_are_read() {
    let shop = Shop::new(InProcess::new().unwrap(), Setup { lanes: 4, ..Setup::default() }).await;
    shop.day();
    shop.webhooks().await;
    shop.night().await;
    let (entry, report) = shop.reports().await.pop().unwrap();
    assert_eq!(numbers(&entry), [Shop::OF_THE_DAY, 0, 0, 0], "{report:#}");
    assert_eq!(report["ledger"].as_array().unwrap().len(), 4);
    assert!(shop.entries(&log()).await.len() < 10, "the movements are in several lanes");
}

#[tokio::test(start_paused = true)]
async fn what_has_not_begun_or_was_not_connected_is_not_compared() {
    let shop = Shop::simple().await;
    shop.refund(100);
    for period in ["2026-11-02", "2026-12", "2026-08"] {
        assert!(shop.task(&Task { scope: scope(), period: period.parse().unwrap(), run: None }).await, "{period}");
    }
    assert!(shop.reports().await.is_empty());
    // Of a month under way, what is older than ten minutes.
    fn mid_month() -> axiru_domain::Timestamp {
        axiru_domain::Timestamp::from_secs(DAY - 10 * 86_400 + 40_000).unwrap()
    }
    let shop = Shop::new(InProcess::new().unwrap(), Setup { clock: mid_month, ..Setup::default() }).await;
    shop.clock_at(mid_month().secs());
    assert!(shop.task(&Task { scope: scope(), period: "2026-10".parse().unwrap(), run: None }).await);
    assert_eq!(shop.report().await["until"], "2026-10-21T10:56:00.000Z");
}

#[tokio::test(start_paused = true)]
async fn every_scope_in_use_has_its_night_and_no_other() {
    let shop = Shop::simple().await;
    let update = shop.clients.dynamodb.update_item().table_name(axiru_in_process::STATE_TABLE);
    let update =
        update.key("pk", super::shop::s(format!("{}#connections", other_mode()))).key("sk", super::shop::s(ACCOUNT));
    let update = update.update_expression("SET #s = :s").expression_attribute_names("#s", "state");
    update.expression_attribute_values(":s", super::shop::s("revoked")).send().await.unwrap();
    shop.night().await;
    let queued = shop.account.queued(RECONCILE_QUEUE_URL);
    assert_eq!(queued, [format!(r#"{{"scope":"{MODE}/acct_1","period":"2026-10-31"}}"#)]);
    // A task of a scope that has ended meanwhile is done: there is nothing to compare with.
    let other = Scope::new(other_mode(), ACCOUNT.parse().unwrap());
    assert!(shop.task(&Task { scope: other, period: "2026-10-31".parse().unwrap(), run: None }).await);
    assert!(shop.entries(&format!("{}#acct_1#0", other_mode())).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn test_and_live_never_mix() {
    let shop = Shop::simple().await;
    shop.account.any_scope();
    shop.clock_at(at(9, 0));
    shop.refund(100);
    shop.does("payouts", json!({"amount": 100}));
    shop.webhooks().await;
    let day = |mode| Task {
        scope: Scope::new(mode, ACCOUNT.parse().unwrap()),
        period: "2026-10-31".parse().unwrap(),
        run: None,
    };
    // The other mode has nothing of it.
    assert!(shop.task(&day(other_mode())).await);
    let other = shop.entries(&format!("{}#acct_1#0", other_mode())).await;
    assert_eq!(
        other.iter().map(|entry| (entry.ty(), numbers(entry))).collect::<Vec<_>>(),
        [("reconcile.reported", [0; 4])]
    );
    // A token of the other mode gives the other mode's objects: they are refused, and nothing is told of them.
    let crossed = Shop::simple().await;
    crossed.account.any_scope();
    crossed.clock_at(at(9, 0));
    crossed.does("payouts", json!({"amount": 100}));
    crossed.clock_at(super::shop::night().secs());
    let tokens = crossed.sandbox.control("POST", &format!("{MODE}/{ACCOUNT}/install"), json!({})).unwrap();
    let token = tokens["tokens"]["access_token"].as_str().unwrap().to_owned();
    crossed.seal_tokens(other_mode(), &token, mode()).await;
    assert!(!crossed.task(&day(other_mode())).await);
    assert!(crossed.entries(&format!("{}#acct_1#0", other_mode())).await.is_empty());
    assert!(crossed.account.objects(axiru_in_process::EXPORT_BUCKET).is_empty());
}
