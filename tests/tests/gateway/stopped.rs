//! What an operator has stopped: refused at the next call, whatever the plans say, and nothing of it is sent.

use axiru_in_process::{Fault, InProcess, Retries, Service};

use super::ground::{ACCOUNT, Ground, pass};

async fn ground(mode: &str) -> Ground {
    Ground::new(InProcess::new().unwrap(), Retries::Off, mode).await
}

#[tokio::test(start_paused = true)]
async fn nothing_moves_while_it_is_stopped_whatever_the_plans_say() {
    for mode in ["enforce", "shadow"] {
        for (of, told) in [("*", "deployment"), (ACCOUNT, "scope"), (&format!("{ACCOUNT}#agent:ag_1"), "agent:ag_1")] {
            let ground = ground(mode).await;
            let first = ground.refund("k1", 500).await;
            assert_eq!(first.status, 200, "{mode}: {}", first.text);
            // Somebody else, and another account.
            for other in [format!("{ACCOUNT}#agent:ag_2"), "acct_payee".to_owned()] {
                ground.turn_switch(&other, true).await;
            }
            assert_eq!(ground.refund("k2", 600).await.status, 200, "{mode} {told}");
            let before = ground.entries().await.len();
            ground.turn_switch(of, true).await;
            let refund = format!("charge={}&amount=700", ground.charge);
            for (path, form) in [
                ("/v1/refunds", refund.as_str()),
                ("/v1/payouts", "amount=500&currency=usd"),
                // Neither understood nor governed: in shadow it would be Stripe's to say what is wrong with it.
                ("/v1/refunds", "charge=ch_1&amount=x&nonsense[]=1"),
            ] {
                let answer = ground.post("k3", path, form).await;
                let understood = !form.contains("nonsense") || mode == "shadow";
                let word = if understood { "axiru_stopped" } else { &answer.word() };
                assert_eq!(
                    (answer.word().as_str(), answer.again()),
                    (word, Some(false)),
                    "{mode} {told} {path}: {}",
                    answer.text
                );
                assert_eq!(
                    answer.body["error"]["axiru_stopped"].as_str(),
                    understood.then_some(told),
                    "{}",
                    answer.text
                );
                assert!((400..500).contains(&answer.status));
            }
            assert_eq!(ground.at_stripe("/v1/refunds").len(), 2, "{mode} {told}");
            assert!(ground.at_stripe("/v1/payouts").is_empty());
            assert_eq!(ground.entries().await.len(), before, "what is stopped is not decided");
            // Reading goes on, and in force what was made is told again; in shadow every call would be sent anew.
            assert_eq!(ground.call("GET", "/v1/refunds", &[], "").await.status, 200);
            let again = ground.refund("k1", 500).await;
            let expected = if mode == "enforce" { 200 } else { 403 };
            assert_eq!(again.status, expected, "{mode} {told}: {}", again.text);
            ground.turn_switch(of, false).await;
            assert_eq!(ground.post("k3", "/v1/refunds", &refund).await.status, 200, "{mode} {told}: started again");
            assert_eq!(ground.at_stripe("/v1/refunds").len(), 3);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_brings_money_back_goes_on() {
    for mode in ["enforce", "shadow"] {
        let ground = ground(mode).await;
        let made = ground.post("k1", "/v1/payouts", "amount=500&currency=usd").await;
        assert_eq!(made.status, 200, "{}", made.text);
        ground.turn_switch(ACCOUNT, true).await;
        let cancelled = ground.post("k2", &format!("/v1/payouts/{}/cancel", made.word()), "").await;
        assert_eq!(
            (cancelled.status, cancelled.body["status"].as_str()),
            (200, Some("canceled")),
            "{}",
            cancelled.text
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_does_not_let_through_what_was_stopped() {
    for of in ["*", ACCOUNT, &format!("{ACCOUNT}#agent:ag_1")] {
        let ground = ground("shadow").await;
        // While nothing is stopped, the store's trouble is not the caller's: by what is remembered.
        assert_eq!(ground.refund("k1", 500).await.status, 200);
        ground.turn_switch(of, true).await;
        assert_eq!(ground.refund("k2", 600).await.word(), "axiru_stopped");
        ground.account.faults().decide(|call| (call.service == Service::DynamoDb).then_some(Fault::Fail));
        let answer = ground.refund("k3", 700).await;
        assert_eq!((answer.status, answer.word().as_str()), (503, "axiru_unavailable"), "{of}: {}", answer.text);
        assert_eq!(ground.at_stripe("/v1/refunds").len(), 1, "{of}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_have_been_sent_is_not_sent_again_and_is_found_out() {
    for (fault, made) in [(Fault::TimeOut, 0), (Fault::ApplyThenTimeOut, 1)] {
        let ground = ground("enforce").await;
        ground.account.faults().decide(move |call| {
            (call.service == Service::Stripe && call.operation.starts_with("POST")).then_some(fault)
        });
        let first = ground.refund("k1", 500).await;
        assert_eq!(first.word(), "axiru_outcome_unknown", "{fault}: {}", first.text);
        ground.account.faults().clear();
        ground.turn_switch(ACCOUNT, true).await;
        pass(60).await;
        let again = ground.refund("k1", 500).await;
        assert_eq!((again.status, again.word().as_str()), (503, "axiru_outcome_unknown"), "{fault}: {}", again.text);
        assert_eq!(ground.at_stripe("/v1/refunds").len(), made, "{fault}");
        for _ in 0..30 {
            pass(60).await;
            ground.sweep().await.unwrap();
        }
        let outcome = if made == 1 { "execution.succeeded" } else { "execution.failed" };
        assert_eq!(ground.types().await.last().map(String::as_str), Some(outcome), "{fault}");
        assert_eq!(ground.at_stripe("/v1/refunds").len(), made, "{fault}");
    }
}
