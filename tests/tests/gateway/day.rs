//! A day of calls of a merchant's backend and agents: what is usual, what is wrong, and what is done twice.

/// What a step leaves in the ledger.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Write {
    /// A read: nothing.
    No,
    /// A call that was decided before: nothing more.
    Again,
    /// A decision.
    Decided,
    /// That it was passed on.
    Passed,
}

/// One call, or what happens at Stripe to the account by itself (`CONTROL`). `{name}` stands for an id.
pub(super) struct Step {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) body: &'static str,
    pub(super) write: Write,
    /// The idempotency key.
    key: Option<&'static str>,
    kind: &'static str,
    /// What the object's id is called in later steps.
    pub(super) named: Option<&'static str>,
}

impl Step {
    const fn new(method: &'static str, path: &'static str, body: &'static str, write: Write) -> Self {
        let kind = if body.is_empty() { "" } else { "application/x-www-form-urlencoded" };
        Self { method, path, body, write, key: None, kind, named: None }
    }

    pub(super) const fn get(path: &'static str) -> Self {
        Self::new("GET", path, "", Write::No)
    }

    const fn named(mut self, name: &'static str) -> Self {
        self.named = Some(name);
        self
    }

    const fn key(mut self, key: &'static str) -> Self {
        self.key = Some(key);
        self
    }

    /// The headers but `Authorization`.
    pub(super) fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![("stripe-version", axiru_stripe::API_VERSION.to_owned())];
        if !self.kind.is_empty() {
            headers.push(("content-type", self.kind.to_owned()));
        }
        if let Some(key) = self.key {
            headers.push(("idempotency-key", key.to_owned()));
        }
        headers
    }
}

const fn decided(path: &'static str, body: &'static str) -> Step {
    Step::new("POST", path, body, Write::Decided)
}

const fn passed(path: &'static str, body: &'static str) -> Step {
    Step::new("POST", path, body, Write::Passed)
}

const fn happens(path: &'static str, body: &'static str) -> Step {
    Step::new("CONTROL", path, body, Write::No)
}

fn refunds() -> Vec<Step> {
    let json = r#"{"charge": "{c1}", "amount": 100}"#;
    vec![
        decided("/v1/refunds", "charge={c1}&amount=700").key("one").named("r1"),
        Step { write: Write::Again, ..decided("/v1/refunds", "charge={c1}&amount=700").key("one") },
        passed("/v1/refunds", "charge={c1}&amount=701").key("one"),
        decided("/v1/refunds", "charge={c1}&amount=700").key("two"),
        decided("/v1/refunds", "charge={c1}&amount=700").key("three"),
        decided("/v1/refunds", "charge={c1}&amount=50"),
        decided("/v1/refunds", "payment_intent={pi_c2}&amount=300").key("intent"),
        decided("/v1/charges/{c2}/refunds", "amount=100&reason=duplicate").key("nested"),
        decided("/v1/charges/{c2}/refund", "amount=110").key("singular"),
        decided("/v1/refunds", "charge={c3}").key("whole").named("r3"),
        passed("/v1/refunds", "charge={c3}").key("whole again"),
        passed("/v1/refunds", "charge={c3}&amount=5&reason=none").key("reason"),
        decided("/v1/refunds", "charge={c2}&amount=99999999").key("over"),
        passed("/v1/refunds", "charge=ch_1Unknown111111111111111&amount=5").key("unknown"),
        passed("/v1/refunds", "charge=ch_1Unknown111111111111111").key("unknown whole"),
        passed("/v1/refunds", "amount=5").key("no charge"),
        passed("/v1/refunds", "charge={c1}&payment_intent={pi_c1}&amount=5").key("both"),
        passed("/v1/refunds", "charge={c1}&amount=5&unknown=1").key("parameter"),
        passed("/v1/refunds", "charge={c1}&amount=5&currency=usd").key("currency"),
        passed("/v1/refunds", "charge={c1}&amount=-5").key("negative"),
        passed("/v1/refunds", "charge={c1}&amount=1e2").key("float"),
        passed("/v1/refunds", "charge={c1}&amount=11&amount=12").key("twice"),
        passed("/v1/refunds?amount=13", "charge={c1}").key("query"),
        passed("/v1/refunds?charge={c1}&amount=14", "").key("only query"),
        passed("/v1/refunds?amount=15", "charge={c1}&amount=16").key("query and body"),
        Step { kind: "application/json", ..passed("/v1/refunds", json).key("json") },
        passed("/v1/refunds", "charge={c1}&amount=17&expand[]=charge").key("expand"),
        decided("/v1/refunds", "charge={c1}&amount=18&expand[]=balance_transaction").key("expand known"),
        decided("/v1/refunds", "charge={c1}&amount=20000&metadata[order]=6735").key("large"),
        decided("/v1/refunds", "charge={c4}&amount=200000&metadata[order]=6736").key("huge"),
        passed("/v1/refunds/{r1}", "metadata[order]=1").key("update"),
        passed("/v1/refunds/{r1}", "metadata[order]=").key("unset"),
        passed("/v1/refunds/re_1Unknown111111111111111", "metadata[a]=1").key("update unknown"),
        happens("refunds", r#"{"charge": "{c4}", "amount": 900, "status": "requires_action"}"#).named("r4"),
        passed("/v1/refunds/{r4}/cancel", "").key("cancel"),
        passed("/v1/refunds/{r4}/cancel", "").key("cancel again"),
        passed("/v1/refunds/{r1}/cancel", "").key("cancel made"),
    ]
}

fn payouts_and_transfers() -> Vec<Step> {
    vec![
        decided("/v1/payouts", "amount=1000&currency=usd&description=rent").key("p1").named("p1"),
        decided("/v1/payouts", "amount=2000&currency=usd&method=standard").key("p2").named("p2"),
        passed("/v1/payouts", "amount=3000").key("no currency"),
        passed("/v1/payouts", "amount=3000&currency=xxx").key("no such currency"),
        decided("/v1/payouts", "amount=3000&currency=eur").key("euro"),
        decided("/v1/payouts", "amount=900000000&currency=usd").key("too much"),
        passed("/v1/payouts/{p1}", "metadata[month]=may").key("note"),
        passed("/v1/payouts/{p1}/cancel", "").key("p1 cancel"),
        passed("/v1/payouts/{p1}/cancel", "").key("p1 cancel again"),
        happens("payouts/{p2}/status", r#"{"status": "paid"}"#),
        passed("/v1/payouts/{p2}/reverse", "").key("p2 reverse"),
        passed("/v1/payouts/{p2}/reverse", "").key("p2 reverse again"),
        decided("/v1/transfers", "amount=4000&currency=usd&destination=acct_payee").key("t1").named("t1"),
        decided("/v1/transfers", "amount=4100&currency=usd&destination=acct_payee&transfer_group=g").key("t2"),
        decided("/v1/transfers", "amount=4200&currency=usd&destination=acct_payee").key("t3").named("t3"),
        decided("/v1/transfers", "amount=4000&currency=usd&destination=acct_nobody").key("nobody"),
        decided("/v1/transfers/{t1}/reversals", "amount=100").key("v1").named("v1"),
        decided("/v1/transfers/{t1}/reversals", "amount=99999").key("v over"),
        decided("/v1/transfers/{t1}/reversals", "").key("v rest"),
        passed("/v1/transfers/{t1}/reversals", "").key("v nothing left"),
        passed("/v1/transfers/{t1}", "description=paid&metadata[a]=1").key("t update"),
        passed("/v1/transfers/{t1}/reversals/{v1}", "metadata[a]=1").key("v update"),
    ]
}

fn disputes() -> Vec<Step> {
    vec![
        happens("disputes", r#"{"charge": "{c5}"}"#).named("d1"),
        happens("disputes", r#"{"charge": "{c6}"}"#).named("d2"),
        happens("disputes", r#"{"charge": "{c7}", "amount": 4000}"#).named("d3"),
        passed("/v1/disputes/{d1}", "evidence[product_description]=socks&submit=false").key("stage"),
        passed("/v1/disputes/{d1}", "metadata[a]=1").key("d note"),
        decided("/v1/disputes/{d1}", "evidence[product_description]=socks&submit=true").key("submit"),
        passed("/v1/disputes/{d1}", "evidence[no_such]=x&submit=true").key("no such evidence"),
        decided("/v1/disputes/{d2}/close", "").key("close"),
        decided("/v1/disputes/{d2}/close", "").key("close again"),
        decided("/v1/disputes/{d3}", "evidence[product_description]=hats").key("submit unsaid"),
        passed("/v1/disputes/du_1Unknown111111111111111/close", "").key("close unknown"),
        passed("/v1/credit_notes", "invoice=in_1&refund_amount=5").key("credit note"),
        passed("/v1/account/external_accounts", "external_account=btok_1").key("bank"),
    ]
}

fn reads() -> Vec<Step> {
    vec![
        Step::get("/v1/refunds?limit=3"),
        Step::get("/v1/refunds?limit=2&starting_after={r3}"),
        Step::get("/v1/refunds?limit=2&ending_before={r1}"),
        Step::get("/v1/refunds?charge={c1}&limit=100"),
        Step::get("/v1/refunds?payment_intent={pi_c2}"),
        Step::get("/v1/refunds?created[gte]=1&expand[]=data.balance_transaction"),
        Step::get("/v1/refunds/{r1}?expand[]=balance_transaction"),
        Step::get("/v1/refunds/re_1Unknown111111111111111"),
        Step::get("/v1/charges/{c2}/refunds"),
        Step::get("/v1/payouts?status=canceled&limit=5"),
        Step::get("/v1/payouts/{p2}"),
        Step::get("/v1/transfers?destination=acct_payee"),
        Step::get("/v1/transfers/{t1}"),
        Step::get("/v1/transfers/{t1}/reversals?limit=1"),
        Step::get("/v1/transfers/{t1}/reversals/{v1}"),
        Step::get("/v1/disputes?charge={c5}"),
        Step::get("/v1/disputes/{d1}"),
    ]
}

/// The day.
pub(super) fn day() -> Vec<Step> {
    let mut day = refunds();
    day.extend(payouts_and_transfers());
    day.extend(disputes());
    day.extend(reads());
    day
}
