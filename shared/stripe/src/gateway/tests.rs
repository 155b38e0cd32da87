use std::collections::BTreeSet;

use axiru_domain::{Kind, Money};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use proptest::prelude::*;

use super::corpus::{Attempt, FOREIGN_ACCOUNT, corpus, example_form, example_path, example_write};
use super::*;

fn call(attempt: &Attempt) -> Result<Call, Refused> {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", HeaderValue::from_static("Bearer axk_test_canary"));
    for (name, value) in &attempt.headers {
        headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
    }
    let Attempt { method, path, query, body, .. } = attempt;
    parse(&Incoming { method, path, query, headers: &headers, body })
}

fn post(path: &str, body: &str) -> Result<Call, Refused> {
    let headers = vec![("content-type".to_owned(), "application/x-www-form-urlencoded; charset=utf-8".to_owned())];
    let (name, query, code) = (String::new(), String::new(), "");
    let (path, body) = (path.to_owned(), body.as_bytes().to_vec());
    call(&Attempt { name, method: Method::POST, path, query, headers, body, code })
}

fn get(path: &str, query: &str) -> Result<Call, Refused> {
    let (name, headers, code) = (String::new(), Vec::new(), "");
    let (path, query) = (path.to_owned(), query.to_owned());
    call(&Attempt { name, method: Method::GET, path, query, headers, body: Vec::new(), code })
}

pub(super) fn moves(path: &str, body: &str) -> Moves {
    match post(path, body).map(|call| call.doing) {
        Ok(Doing::Moves(moves)) => *moves,
        other => panic!("{path} {body}: {other:?}"),
    }
}

pub(super) fn stamp() -> Stamp {
    let request = "dec_cdc866b17fed81f5e37dc3078d81a5d8".parse().unwrap();
    Stamp { request, receipt: "live/acct_1#0 12 9f".to_owned() }
}

fn usd(amount: i64) -> Money {
    Money::new(amount, "usd".parse().unwrap()).unwrap()
}

fn text(outgoing: &Outgoing) -> String {
    url::form_urlencoded::parse(&outgoing.body)
        .map(|(name, value)| format!("{name}={value}"))
        .collect::<Vec<_>>()
        .join("|")
}

fn is_decided(route: &Route) -> bool {
    matches!(route.does, Does::Move(_) | Does::DisputeUpdate)
}

#[test]
fn a_call_is_written_anew_in_the_order_of_the_table() {
    let refund = moves("/v1/refunds", "metadata[order]=a%20b&amount=500&expand[]=balance_transaction&charge=ch_1");
    let sent = refund.outgoing(usd(500), Some(&stamp()));
    assert_eq!((sent.method.clone(), sent.path.as_str()), (Method::POST, "/v1/refunds"));
    assert_eq!(
        text(&sent),
        "charge=ch_1|amount=500|metadata[axiru_receipt]=live/acct_1#0 12 9f|\
         metadata[axiru_request]=dec_cdc866b17fed81f5e37dc3078d81a5d8|metadata[order]=a b|expand[0]=balance_transaction"
    );
    assert_eq!(
        (refund.needs(), refund.amount_minor(), refund.currency()),
        (Needs::Charge("ch_1".parse().unwrap()), Some(500), None)
    );
    // An amount left out is made explicit; an amount that was said is never exceeded.
    assert_eq!(text(&moves("/v1/charges/ch_1/refunds", "").outgoing(usd(70), None)), "amount=70");
    assert_eq!(text(&moves("/v1/charges/ch_1/refund", "amount=50").outgoing(usd(70), None)), "amount=50");
    assert_eq!(text(&moves("/v1/refunds", "charge=ch_1&amount=70").outgoing(usd(50), None)), "charge=ch_1|amount=50");
    // Closing a dispute takes no amount and no metadata.
    assert_eq!(text(&moves("/v1/disputes/dp_1/close", "").outgoing(usd(70), Some(&stamp()))), "");
}

#[test]
fn what_must_be_read_first() {
    let id = |id: &str| id.parse().unwrap();
    for (path, body, kind, needs) in [
        ("/v1/refunds", "payment_intent=pi_1", Kind::Refund, Needs::PaymentIntent(id("pi_1"))),
        ("/v1/charges/py_1/refund", "", Kind::Refund, Needs::Charge(id("py_1"))),
        ("/v1/payouts", "amount=1&currency=usd&destination=ba_1", Kind::Payout, Needs::Nothing),
        (
            "/v1/transfers",
            "amount=1&currency=usd&destination=acct_1&source_transaction=ch_1",
            Kind::Transfer,
            Needs::Nothing,
        ),
        ("/v1/transfers/tr_1/reversals", "", Kind::TransferReversal, Needs::Transfer(id("tr_1"))),
        ("/v1/disputes/du_1", "evidence[receipt]=file_1", Kind::DisputeSubmit, Needs::Dispute(id("du_1"))),
        ("/v1/disputes/du_1/close", "", Kind::DisputeAccept, Needs::Dispute(id("du_1"))),
    ] {
        let moves = moves(path, body);
        assert_eq!((moves.kind(), moves.needs()), (kind, needs), "{path}");
    }
}

#[test]
fn only_evidence_that_is_submitted_is_decided() {
    let passes = |body: &str| match post("/v1/disputes/dp_1", body).unwrap().doing {
        Doing::Passes(passes) => (passes.kind(), text(&passes.outgoing())),
        other => panic!("{other:?}"),
    };
    assert_eq!(passes("metadata[a]=b"), ("dispute_metadata", "submit=false|metadata[a]=b".to_owned()));
    assert_eq!(
        passes("evidence[receipt]=file_1&submit=false"),
        ("dispute_stage", "submit=false|evidence[receipt]=file_1".to_owned())
    );
    for body in [
        "submit=true",
        "evidence[receipt]=file_1",
        "evidence[receipt]=",
        "evidence[receipt]=x&metadata[a]=b",
        "submit=true&metadata[a]=b",
    ] {
        let moves = moves("/v1/disputes/dp_1", body);
        assert_eq!(moves.kind(), Kind::DisputeSubmit);
        assert!(text(&moves.outgoing(usd(1), None)).starts_with("submit=true"), "{body}");
    }
    assert_eq!(
        moves("/v1/disputes/dp_1", "evidence[receipt]=x").canonical(),
        moves("/v1/disputes/dp_1", "submit=true&evidence[receipt]=x").canonical()
    );
    assert_eq!(post("/v1/disputes/dp_1", "").unwrap_err().code, "axiru_parameter_missing");
}

#[test]
fn calls_that_pass_and_reads_are_written_anew() {
    for (path, body, kind, object, sent) in [
        ("/v1/refunds/re_1/cancel", "", "refund_cancel", "re_1", ""),
        (
            "/v1/payouts/po_1/cancel",
            "expand[]=balance_transaction",
            "payout_cancel",
            "po_1",
            "expand[0]=balance_transaction",
        ),
        ("/v1/payouts/po_1/reverse", "metadata[a]=b", "payout_reverse", "po_1", "metadata[a]=b"),
        ("/v1/transfers/tr_1/reversals/trr_1", "metadata[a]=", "reversal_update", "trr_1", "metadata[a]="),
        ("/v1/transfers/tr_1", "metadata[b]=1&description=x", "transfer_update", "tr_1", "description=x|metadata[b]=1"),
    ] {
        let Doing::Passes(passes) = post(path, body).unwrap().doing else { panic!("{path}") };
        assert_eq!((passes.kind(), passes.object().unwrap().as_str()), (kind, object));
        assert_eq!((passes.outgoing().path.as_str(), text(&passes.outgoing()).as_str()), (path, sent));
    }
    let Doing::Reads(reads) =
        get("/v1/payouts", "expand[]=data.reversed_by&created[lt]=9&created[gte]=5&limit=3&status=paid").unwrap().doing
    else {
        panic!()
    };
    assert_eq!(reads.path(), "/v1/payouts");
    assert_eq!(
        reads.query(),
        "limit=3&status=paid&created%5Bgte%5D=5&created%5Blt%5D=9&expand%5B0%5D=data.reversed_by"
    );
    let Doing::SideDoor(door) = post("/v1/credit_notes", "invoice=in_1&refund_amount=5").unwrap().doing else {
        panic!()
    };
    assert_eq!((door.name(), door.refusal().code, door.refusal().status), ("credit_note", "axiru_side_door", 403));
}

#[test]
fn headers_are_read() {
    let mut attempt = example_write(&ROUTES[0]);
    for (name, value) in
        [("Stripe-Account", "acct_1"), ("Idempotency-Key", "order-1"), ("Stripe-Version", "2025-04-30.basil")]
    {
        attempt.headers.push((name.to_owned(), value.to_owned()));
    }
    let call = call(&attempt).unwrap();
    assert_eq!((call.account.unwrap().as_str(), call.version.as_deref()), ("acct_1", Some("2025-04-30.basil")));
    assert_eq!((call.idempotency_key, call.route.name), (Some("order-1".parse().unwrap()), "refund_create"));
}

#[test]
fn every_attempt_is_refused_with_its_own_code() {
    let all = corpus();
    let mut names = BTreeSet::new();
    let mut wrong = Vec::new();
    for attempt in &all {
        assert!(names.insert(&attempt.name), "{} twice", attempt.name);
        let code = match call(attempt) {
            Err(refused) => refused.code,
            Ok(Call { doing: Doing::SideDoor(door), .. }) => door.refusal().code,
            // Which accounts are foreign knows who knows the key.
            Ok(Call { account: Some(account), .. }) if account.as_str() == FOREIGN_ACCOUNT => "axiru_account",
            Ok(_) => "taken",
        };
        if code != attempt.code {
            wrong.push(format!("{}: {code}, not {}", attempt.name, attempt.code));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), all.len(), wrong.join("\n"));
    // The rest are values of single parameters: `values_that_are_none`.
    let tried: BTreeSet<_> = all.iter().map(|attempt| attempt.code).collect();
    let untried: Vec<_> = CODES.iter().map(|code| code.word).filter(|word| !tried.contains(word)).collect();
    assert_eq!(untried, ["axiru_currency", "axiru_id", "axiru_parameter_missing"]);
    assert!(all.len() > 3_000, "{}", all.len());
}

#[test]
fn values_that_are_none() {
    for (path, body, code, param) in [
        ("/v1/refunds", "", "axiru_parameter_missing", "charge"),
        ("/v1/refunds", "amount=5", "axiru_parameter_missing", "charge"),
        ("/v1/refunds", "charge=pi_1", "axiru_id", "charge"),
        ("/v1/refunds", "charge=../ch_1", "axiru_id", "charge"),
        ("/v1/refunds", "charge=ch_1&reason=because", "axiru_value", "reason"),
        ("/v1/refunds", "charge=ch_1&reverse_transfer=1", "axiru_value", "reverse_transfer"),
        ("/v1/refunds", "charge=ch_1&instructions_email=jo", "axiru_value", "instructions_email"),
        ("/v1/payouts", "currency=usd", "axiru_parameter_missing", "amount"),
        ("/v1/payouts", "amount=5", "axiru_parameter_missing", "currency"),
        ("/v1/payouts", "amount=5&currency=USD", "axiru_currency", "currency"),
        ("/v1/payouts", "amount=5&currency=xxx", "axiru_currency", "currency"),
        ("/v1/payouts", "amount=150&currency=huf", "axiru_amount", "amount"),
        ("/v1/payouts", "amount=5&currency=usd&destination=acct_1", "axiru_id", "destination"),
        ("/v1/payouts", "amount=5&currency=usd&method=fast", "axiru_value", "method"),
        (
            "/v1/payouts",
            "amount=5&currency=usd&statement_descriptor=aaaaaaaaaaaaaaaaaaaaaaa",
            "axiru_value",
            "statement_descriptor",
        ),
        ("/v1/transfers", "amount=5&currency=usd", "axiru_parameter_missing", "destination"),
        ("/v1/transfers", "amount=5&currency=usd&destination=ba_1", "axiru_id", "destination"),
        ("/v1/transfers", "amount=5&currency=usd&destination=acct_1&metadata[a]=", "axiru_empty_parameter", "metadata"),
        ("/v1/disputes/dp_1", "evidence[enhanced_evidence]=1", "axiru_unknown_parameter", "evidence"),
        ("/v1/disputes/dp_1", "submit=yes", "axiru_value", "submit"),
    ] {
        let refused = post(path, body).unwrap_err();
        assert_eq!((refused.code, refused.param.as_deref()), (code, Some(param)), "{path} {body}");
        assert!(refused.family.is_some());
    }
    for query in [
        "created=x",
        "created[eq]=1",
        "created=1&created[lt]=2",
        "created[lt]=12345678901",
        "destination=acct_1",
        "status=Paid",
        "starting_after=re_1",
    ] {
        assert!(get("/v1/payouts", query).is_err(), "{query}");
    }
}

#[test]
fn what_is_refused_always_and_what_may_pass_in_shadow() {
    let family = |path: &str, body: &str| post(path, body).unwrap_err().family;
    assert_eq!(family("/v1/refunds", "charge=ch_1&origin=customer_balance"), Some(axiru_domain::Family::Refunds));
    assert_eq!(family("/v1/refunds", "charge=ch_1&metadata[axiru_request]=dec_1"), None);
    assert_eq!(family("/v1/customers", ""), None);
    assert_eq!(family("/v1/refunds/", "charge=ch_1"), None);
    assert_eq!(get("/v1/refunds", "expand[]=data.charge").unwrap_err().family, None);
}

#[test]
fn nothing_that_was_sent_is_repeated() {
    let canary = "4242424242424242";
    for refused in [
        post("/v1/refunds", &format!("charge={canary}")).unwrap_err(),
        post("/v1/refunds", &format!("{canary}=1")).unwrap_err(),
        post("/v1/refunds", &format!("charge=ch_1&metadata[axiru_{canary}]=1")).unwrap_err(),
        post(&format!("/v1/refunds/{canary}"), "").unwrap_err(),
        get("/v1/refunds", &format!("expand[]={canary}")).unwrap_err(),
    ] {
        assert!(!format!("{refused} {refused:?}").contains(canary), "{refused:?}");
    }
    let call = post("/v1/refunds", &format!("charge=ch_1&metadata[a]={canary}")).unwrap();
    assert!(!format!("{call:?}").contains(canary));
    let Doing::Moves(moves) = call.doing else { panic!() };
    assert!(!format!("{:?}", moves.outgoing(usd(1), None)).contains(canary));
}

#[test]
fn the_table_is_sound() {
    let names: BTreeSet<_> = ROUTES.iter().map(|route| route.name).collect();
    assert_eq!(names.len(), ROUTES.len());
    let places: BTreeSet<_> = ROUTES.iter().map(|route| (route.verb.as_str(), route.path)).collect();
    assert_eq!(places.len(), ROUTES.len());
    let words: BTreeSet<_> = CODES.iter().map(|code| code.word).collect();
    assert_eq!(words.len(), CODES.len());
    for route in ROUTES {
        for expand in route.expand {
            for never in ["destination", "payment", "external", "source_transaction", "charge", "customer", "evidence"]
            {
                assert!(!expand.contains(never), "{}: {expand}", route.name);
            }
        }
        if route.verb == Verb::Post && !matches!(route.does, Does::SideDoor(_)) {
            assert!(post(&example_path(route), &example_form(route)).is_ok(), "{}", route.name);
        } else if route.verb == Verb::Get {
            assert!(get(&example_path(route), &example_form(route)).is_ok(), "{}", route.name);
        }
    }
    for kind in Kind::ALL {
        let decides = |route: &&Route| {
            route.does == Does::Move(kind) || (kind == Kind::DisputeSubmit && route.does == Does::DisputeUpdate)
        };
        assert!(ROUTES.iter().any(|route| decides(&route)), "{kind}");
    }
    assert!(RELEASES.iter().any(|release| crate::API_VERSION.ends_with(release.name)));
    let said = format!("releases {} to {},", RELEASES[0].name, RELEASES[RELEASES.len() - 1].name);
    assert!(include_str!("refused.rs").contains(&said), "the refusal names other releases");
}

#[test]
fn every_code_in_the_sources_is_in_the_table() {
    let sources = [
        include_str!("../gateway.rs"),
        include_str!("corpus.rs"),
        include_str!("corpus/attack.rs"),
        include_str!("form.rs"),
        include_str!("headers.rs"),
        include_str!("moves.rs"),
        include_str!("params.rs"),
        include_str!("passes.rs"),
        include_str!("path.rs"),
    ];
    for word in sources.iter().flat_map(|source| source.split('"')).filter(|word| word.starts_with("axiru_")) {
        let is_metadata = matches!(word, "axiru_" | "axiru_request" | "axiru_receipt");
        assert!(is_metadata || CODES.iter().any(|code| code.word == word), "{word}");
    }
}

#[test]
fn what_is_kept_is_checked_again() {
    let kept = moves("/v1/refunds", "amount=5&charge=ch_1&metadata[a]=b&expand[]=balance_transaction");
    let stored = kept.to_stored();
    assert_eq!(Moves::from_stored(&stored), Ok(kept));
    let stored = String::from_utf8(stored).unwrap();
    for (from, to) in [
        ("\"v\":1", "\"v\":2"),
        ("{", "{\"more\":1,"),
        ("amount=5", "amount=-5"),
        ("amount=5", "amount=5&amount=6"),
        ("/v1/refunds", "/v1/customers"),
        ("/v1/refunds", "/v1/refunds/re_1/cancel"),
        ("/v1/refunds", "/v1/credit_notes"),
        ("%5Ba%5D", "%5Baxiru_request%5D"),
        ("charge=ch_1&amount=5", "amount=5&charge=ch_1"),
        ("ch_1", "re_1"),
    ] {
        assert!(stored.contains(from));
        assert!(Moves::from_stored(stored.replacen(from, to, 1).as_bytes()).is_err(), "{from} -> {to}");
    }
    for bad in [&b""[..], b"null", b"{}", b"[1]"] {
        assert!(Moves::from_stored(bad).is_err());
    }
}

/// Characters that parsers disagree on.
const SHARP: &[u8] = b"&=;[]%+._-/?#:@,\\ \0\n\t\"'0159aAeExX{}\xc0\xff";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// A call spoilt in any way is refused, or moves what a plain reader of forms reads in it, and no more.
    #[test]
    fn a_spoilt_call_moves_no_more_than_asked(
        which in any::<prop::sample::Index>(),
        spoils in prop::collection::vec((0..3_u8, any::<prop::sample::Index>(), 0..3_u8, prop::sample::select(SHARP)), 0..4),
    ) {
        let routes: Vec<_> = ROUTES.iter().filter(|route| is_decided(route)).collect();
        let mut attempt = example_write(routes[which.index(routes.len())]);
        for (part, at, how, byte) in spoils {
            let mut bytes = match part {
                0 => attempt.path.clone().into_bytes(),
                1 => attempt.query.clone().into_bytes(),
                _ => attempt.body.clone(),
            };
            let i = at.index(bytes.len() + 1);
            match how {
                0 => bytes.insert(i, byte),
                1 if i < bytes.len() => bytes[i] = byte,
                _ if i < bytes.len() => { bytes.remove(i); }
                _ => {}
            }
            match part {
                0 => attempt.path = String::from_utf8_lossy(&bytes).into_owned(),
                1 => attempt.query = String::from_utf8_lossy(&bytes).into_owned(),
                _ => attempt.body = bytes,
            }
        }
        if let Ok(Call { doing: Doing::Moves(moves), .. }) = call(&attempt) {
            let asked: Vec<(String, String)> = url::form_urlencoded::parse(&attempt.body).into_owned().collect();
            let amount = asked.iter().find(|(name, _)| name == "amount").map(|(_, amount)| amount.parse::<i64>().unwrap());
            prop_assert_eq!(moves.amount_minor(), amount);
            let decided = usd(amount.unwrap_or(1_000_000));
            let sent = moves.outgoing(decided, None);
            let again: Vec<(String, String)> = url::form_urlencoded::parse(&sent.body).into_owned().collect();
            for (name, value) in &again {
                let added = (name == "submit") || (name == "amount" && amount.is_none());
                prop_assert!(added || asked.contains(&(name.clone(), value.clone())) || name.starts_with("expand["), "{name}");
            }
            prop_assert_eq!(&sent.path, &attempt.path);
            let reread = post(&sent.path, std::str::from_utf8(&sent.body).unwrap()).unwrap();
            let Doing::Moves(reread) = reread.doing else { panic!() };
            if amount.is_some() || moves.route().param("amount").is_none() {
                prop_assert_eq!(reread.canonical(), moves.canonical());
                prop_assert_eq!(&*reread, &*moves);
            }
            prop_assert_eq!(Moves::from_stored(&moves.to_stored()), Ok(*moves.clone()));
if amount.is_some() {
                let more = usd(decided.amount_minor().saturating_add(1).min(axiru_domain::MAX_SAFE_INTEGER));
                prop_assert_eq!(moves.outgoing(more, None), sent);
            }
        }
    }

    #[test]
    fn arbitrary_calls_never_panic(path in ".{0,60}", query in ".{0,60}", body in prop::collection::vec(any::<u8>(), 0..200), read: bool) {
        let method = if read { Method::GET } else { Method::POST };
        let _ = parse(&Incoming { method: &method, path: &path, query: &query, headers: &HeaderMap::new(), body: &body });
        let _ = Moves::from_stored(&body);
    }
}
