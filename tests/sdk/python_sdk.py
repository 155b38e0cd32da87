"""Stripe's official Python client against a running Stripe sandbox.

    python python_sdk.py http://127.0.0.1:8788

Creates (disputes by the control API), reads, lists with auto-paging and updates every object of the four families,
checks that each kind of error becomes the right exception, and verifies delivered webhooks. Exits with 1 at the first
thing that is off. Needs the packages of requirements.txt.
"""

import http.server
import json
import sys
import threading
import urllib.request

import stripe


class Failure(Exception):
    """Something is not as Stripe's client expects it."""


def check(condition, what):
    if not condition:
        raise Failure(what)


def raises(kind, action, code=None, status=None):
    """Runs `action`, which must end in exactly this exception."""
    try:
        action()
    except stripe.StripeError as error:
        check(type(error) is kind, f"expected {kind.__name__}, got {type(error).__name__}: {error}")
        # The client leaves `error.code` empty for some classes; the body always has it.
        found = (error.json_body or {}).get("error", {}).get("code")
        check(code is None or found == code, f"expected code {code}, got {found}: {error}")
        check(status is None or error.http_status == status, f"expected status {status}, got {error.http_status}")
        check((error.request_id or "").startswith("req_"), f"no request id on {error}")
        return error
    raise Failure(f"expected {kind.__name__}, but nothing was raised")


class Sandbox:
    """The control API."""

    def __init__(self, base):
        self.base = base

    def __call__(self, at, verb="POST", /, **body):
        data = json.dumps(body).encode() if verb == "POST" else None
        request = urllib.request.Request(f"{self.base}/_sandbox/{at}", data=data, method=verb)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)


class Receiver(http.server.BaseHTTPRequestHandler):
    """Keeps the webhooks it is sent."""

    received = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.received.append((body, self.headers["stripe-signature"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def client_for(base, key):
    return stripe.StripeClient(key, base_addresses={"api": base}, max_network_retries=0)


def refunds(client, sandbox, at):
    charge = client.v1.charges.create({"amount": 9_000, "currency": "usd", "source": "tok_visa", "metadata": {"order": "7"}})
    check(charge.paid and charge.metadata["order"] == "7", "the charge is paid and keeps its metadata")
    part = client.v1.refunds.create({"charge": charge.id, "amount": 1_000, "reason": "duplicate", "expand": ["charge"]})
    check(part.amount == 1_000 and part.charge.amount_refunded == 1_000, "a partial refund, its charge expanded")
    check(not hasattr(part, "livemode"), "a refund has no livemode")
    rest = client.v1.refunds.create({"payment_intent": charge.payment_intent})
    check(rest.amount == 8_000, "without an amount the remaining amount is refunded")
    check(client.v1.charges.retrieve(charge.id).refunded, "the charge is refunded")
    raises(stripe.InvalidRequestError, lambda: client.v1.refunds.create({"charge": charge.id}), "charge_already_refunded", 400)
    updated = client.v1.refunds.update(part.id, {"metadata": {"case": "12"}})
    check(client.v1.refunds.retrieve(part.id).metadata == updated.metadata, "metadata of a refund")
    client.v1.refunds.update(part.id, {"metadata": {"case": ""}})
    check("case" not in client.v1.refunds.retrieve(part.id).metadata, "an empty value removes the key")
    for _ in range(12):
        small = client.v1.charges.create({"amount": 500, "currency": "usd", "source": "tok_visa"})
        client.v1.refunds.create({"charge": small.id})
    ids = [refund.id for refund in client.v1.refunds.list({"limit": 5}).auto_paging_iter()]
    check(len(ids) == 14 and len(set(ids)) == 14, f"auto-paging finds 14 refunds once each, found {len(ids)}")
    back = client.v1.refunds.list({"limit": 5, "ending_before": ids[-1]})
    check([refund.id for refund in back.data] == ids[8:13], "paging backwards")
    check(len(client.v1.refunds.list({"charge": charge.id}).data) == 2, "refunds of one charge")
    raises(stripe.InvalidRequestError, lambda: client.v1.refunds.cancel(part.id), status=400)
    other = client.v1.charges.create({"amount": 700, "currency": "usd", "source": "tok_visa"})
    waiting = sandbox(f"{at}/refunds", charge=other.id, status="requires_action")
    check(client.v1.refunds.cancel(waiting["id"]).status == "canceled", "a refund in requires_action can be cancelled")
    raises(stripe.InvalidRequestError, lambda: client.v1.refunds.create({"charge": other.id, "amount": 701}), status=400)
    return charge


def disputes(client, sandbox, at):
    charge = client.v1.charges.create({"amount": 4_200, "currency": "usd", "source": "tok_visa"})
    made = sandbox(f"{at}/disputes", charge=charge.id, reason="product_not_received")
    dispute = client.v1.disputes.retrieve(made["id"])
    check(dispute.status == "needs_response" and dispute.amount == 4_200, "an open dispute")
    check(len(dispute.balance_transactions) == 1, "the disputed money was withdrawn")
    raises(stripe.InvalidRequestError, lambda: client.v1.refunds.create({"charge": charge.id}), "charge_disputed")
    staged = client.v1.disputes.update(dispute.id, {"evidence": {"customer_name": "Pat"}, "submit": False})
    check(staged.status == "needs_response" and staged.evidence_details.submission_count == 0, "staged evidence")
    client.v1.disputes.update(dispute.id, {"metadata": {"owner": "ops"}})
    check(client.v1.disputes.retrieve(dispute.id).evidence_details.submission_count == 0, "metadata submits nothing")
    sent = client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "It arrived."}})
    check(sent.status == "under_review" and sent.evidence_details.submission_count == 1, "submitted evidence")
    again = {"evidence": {"uncategorized_text": "It did."}}
    raises(stripe.InvalidRequestError, lambda: client.v1.disputes.update(dispute.id, again), status=400)
    raises(stripe.InvalidRequestError, lambda: client.v1.disputes.close(dispute.id), status=400)
    second = client.v1.charges.create({"amount": 900, "currency": "usd", "source": "tok_visa"})
    lost = client.v1.disputes.close(sandbox(f"{at}/disputes", charge=second.id)["id"])
    check(lost.status == "lost", "closing gives up")
    check(len(list(client.v1.disputes.list({"limit": 1}).auto_paging_iter())) == 2, "all disputes")


def payouts(client, sandbox, at):
    payout = client.v1.payouts.create({"amount": 5_000, "currency": "usd", "metadata": {"run": "1"}, "expand": ["destination"]})
    check(payout.status == "pending" and payout.destination.object == "bank_account", "a manual payout, expanded")
    check(client.v1.payouts.retrieve(payout.id).destination.startswith("ba_"), "not expanded")
    check(client.v1.payouts.update(payout.id, {"metadata": {"run": "2"}}).metadata["run"] == "2", "payout metadata")
    check(client.v1.payouts.cancel(payout.id).status == "canceled", "a pending payout can be cancelled")
    raises(stripe.InvalidRequestError, lambda: client.v1.payouts.cancel(payout.id), status=400)
    automatic = sandbox(f"{at}/payouts", amount=100, automatic=True)
    raises(stripe.InvalidRequestError, lambda: client.v1.payouts.cancel(automatic["id"]), status=400)
    sandbox(f"{at}/payouts/{automatic['id']}/status", status="paid")
    reversal = client.v1.payouts.reverse(automatic["id"], {"metadata": {"why": "mistake"}})
    check(reversal.amount == -100 and reversal.original_payout == automatic["id"], "a reversal is a negative payout")
    check(client.v1.payouts.retrieve(automatic["id"]).reversed_by == reversal.id, "the payout names its reversal")
    raises(stripe.InvalidRequestError, lambda: client.v1.payouts.reverse(automatic["id"]), status=400)
    too_much = {"amount": 10**12, "currency": "usd"}
    raises(stripe.InvalidRequestError, lambda: client.v1.payouts.create(too_much), "balance_insufficient", 400)
    check(len(list(client.v1.payouts.list({"limit": 1}).auto_paging_iter())) == 3, "all payouts")


def transfers(client, sandbox):
    seller = sandbox("accounts", business_name="Seller")["account"]["id"]
    transfer = client.v1.transfers.create({"amount": 3_000, "currency": "usd", "destination": seller, "transfer_group": "g"})
    check(transfer.destination == seller and not transfer.reversed, "a transfer")
    changed = client.v1.transfers.update(transfer.id, {"description": "May", "metadata": {"k": "v"}})
    check(changed.description == "May" and changed.metadata["k"] == "v", "a changed transfer")
    reversal = client.v1.transfers.reversals.create(transfer.id, {"amount": 1_000})
    check(reversal.object == "transfer_reversal" and reversal.transfer == transfer.id, "a reversal")
    check(not client.v1.transfers.retrieve(transfer.id).reversed, "a part is not the whole")
    too_much = {"amount": 2_001}
    raises(stripe.InvalidRequestError, lambda: client.v1.transfers.reversals.create(transfer.id, too_much), status=400)
    client.v1.transfers.reversals.update(transfer.id, reversal.id, {"metadata": {"why": "mistake"}})
    check(client.v1.transfers.reversals.retrieve(transfer.id, reversal.id).metadata["why"] == "mistake", "reversal metadata")
    client.v1.transfers.reversals.create(transfer.id)
    whole = client.v1.transfers.retrieve(transfer.id)
    check(whole.reversed and whole.amount_reversed == 3_000 and len(whole.reversals.data) == 2, "a reversed transfer")
    check(len(list(client.v1.transfers.reversals.list(transfer.id, {"limit": 1}).auto_paging_iter())) == 2, "reversals")
    check(len(client.v1.transfers.list({"transfer_group": "g"}).data) == 1, "transfers of a group")
    nobody = {"amount": 1, "currency": "usd", "destination": "acct_Nobody"}
    raises(stripe.InvalidRequestError, lambda: client.v1.transfers.create(nobody), "resource_missing")


def failures(client, base, sandbox, keys):
    """Each ordered failure becomes the right exception, and the client's own retries do nothing twice."""
    charge = client.v1.charges.create({"amount": 800, "currency": "usd", "source": "tok_visa"})
    intent = client.v1.payment_intents.retrieve(charge.payment_intent, {"expand": ["latest_charge"]})
    check(intent.latest_charge.id == charge.id and intent.amount_received == 800, "the intent of a charge")

    def refund(key=None, using=client):
        return using.v1.refunds.create({"charge": charge.id, "amount": 1}, options={"idempotency_key": key} if key else {})

    def order(fault, times=1):
        sandbox("faults", method="POST", path="/v1/refunds", fault=fault, times=times)

    order("rate_limit")
    raises(stripe.RateLimitError, refund, "rate_limit", 429)
    order("lock_timeout")
    raises(stripe.RateLimitError, refund, "lock_timeout", 429)
    order("key_in_use")
    raises(stripe.APIError, refund, "idempotency_key_in_use", 409)
    order("error_500_after_effect")
    raises(stripe.APIError, lambda: refund("sticky"), status=500)
    raises(stripe.APIError, lambda: refund("sticky"), status=500)
    check(len(client.v1.refunds.list({"charge": charge.id}).data) == 1, "the effect stayed, and once")
    patient = stripe.StripeClient(keys["test"]["secret"], base_addresses={"api": base}, max_network_retries=2)
    order("drop_after_effect", times=2)
    check(refund(using=patient).amount == 1, "the client's retry is given the answer that was lost")
    order("key_in_use", times=2)
    check(refund(using=patient).amount == 1, "409 is tried again")
    check(len(client.v1.refunds.list({"charge": charge.id}).data) == 3, "three calls that were answered or lost, three refunds")


def ledgers(client, account):
    check(client.v1.balance.retrieve().available[0].currency == "usd", "the balance")
    kinds = {line.type for line in client.v1.balance_transactions.list({"limit": 3}).auto_paging_iter()}
    expected = {"charge", "refund", "adjustment", "payout", "payout_cancel", "transfer", "transfer_refund"}
    check(expected <= kinds, f"balance transactions of every kind, missing {expected - kinds}")
    newest = client.v1.balance_transactions.list({"limit": 1}).data[0]
    check(client.v1.balance_transactions.retrieve(newest.id).net == newest.net, "one balance transaction")
    check(client.v1.accounts.retrieve_current().id == account, "the key's own account")
    check(client.v1.accounts.retrieve(account).settings.dashboard.display_name == "SDK & Sons", "the account by id")
    events = list(client.v1.events.list({"limit": 20, "types": ["refund.created"]}).auto_paging_iter())
    check(len(events) == 15 and all(event.type == "refund.created" for event in events), "events of one type")
    check(client.v1.events.retrieve(events[0].id).data.object["object"] == "refund", "one event")


def errors(client, base, sandbox, keys, charge, account):
    raises(stripe.AuthenticationError, lambda: client_for(base, "sk_test_wrong").v1.charges.list(), status=401)
    live = client_for(base, keys["live"]["secret"])
    error = raises(stripe.InvalidRequestError, lambda: live.v1.charges.retrieve(charge.id), "resource_missing", 404)
    check("exists in test mode" in str(error), "the hint about the other mode")
    stranger = {"stripe_account": "acct_SandboxDeveloper"}
    raises(stripe.PermissionError, lambda: client.v1.charges.list(options=stranger), "account_invalid", 403)
    unknown = {"amount": 100, "currency": "usd", "ammount": 1}
    check(raises(stripe.InvalidRequestError, lambda: client.v1.payouts.create(unknown), "parameter_unknown").param == "ammount", "param")
    raises(stripe.InvalidRequestError, lambda: client.v1.payouts.create({"currency": "usd"}), "parameter_missing", 400)

    # Idempotency: the same answer twice, failures included; other parameters are refused; validation is not kept.
    same = {"idempotency_key": "payout-1"}
    first = client.v1.payouts.create({"amount": 100, "currency": "usd"}, same)
    second = client.v1.payouts.create({"currency": "usd", "amount": 100}, same)
    check(first.id == second.id, "the same key gives the same payout")
    check(second.last_response.headers.get("Idempotent-Replayed") == "true", "and says so")
    raises(stripe.IdempotencyError, lambda: client.v1.payouts.create({"amount": 101, "currency": "usd"}, same), status=400)
    poor = {"idempotency_key": "payout-2"}
    for _ in range(2):
        too_much = {"amount": 10**12, "currency": "usd"}
        raises(stripe.InvalidRequestError, lambda: client.v1.payouts.create(too_much, poor), "balance_insufficient")
    typo = {"idempotency_key": "payout-3"}
    raises(stripe.InvalidRequestError, lambda: client.v1.payouts.create({"amount": 0, "currency": "usd"}, typo))
    check(client.v1.payouts.create({"amount": 1, "currency": "usd"}, typo).amount == 1, "a failed validation is forgotten")

    # A developer key acts for an account that installed the app; an access token is as good as a key until it dies.
    developer = client_for(base, "sk_test_SandboxDeveloperKeyTest")
    tokens = sandbox(f"test/{account}/install")["tokens"]
    check(developer.v1.charges.retrieve(charge.id, options={"stripe_account": account}).id == charge.id, "Stripe-Account")
    connected = client_for(base, tokens["access_token"])
    check(connected.v1.accounts.retrieve_current().id == account, "an access token")
    raises(stripe.PermissionError, lambda: connected.v1.webhook_endpoints.create({"url": "http://127.0.0.1:9", "enabled_events": ["*"]}), status=403)
    sandbox(f"test/{account}/uninstall")
    raises(stripe.AuthenticationError, lambda: connected.v1.charges.list(), status=401)
    raises(stripe.PermissionError, lambda: developer.v1.charges.list(options={"stripe_account": account}), "account_invalid")


def webhooks(base, sandbox, client, account, at):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    developer = client_for(base, "sk_test_SandboxDeveloperKeyTest")
    sandbox(f"{at}/install")
    wanted = {"url": f"http://127.0.0.1:{server.server_port}/hooks", "enabled_events": ["refund.created", "payout.created"], "connect": True}
    raises(stripe.InvalidRequestError, lambda: developer.v1.webhook_endpoints.create({**wanted, "enabled_events": ["refund.succeeded"]}))
    endpoint = developer.v1.webhook_endpoints.create(wanted)
    check(endpoint.secret.startswith("whsec_"), "the secret is shown once")
    check(not hasattr(developer.v1.webhook_endpoints.retrieve(endpoint.id), "secret"), "and never again")
    charge = client.v1.charges.create({"amount": 100, "currency": "usd", "source": "tok_visa"})
    refund = client.v1.refunds.create({"charge": charge.id})
    check(sandbox("deliveries/wait", timeout_ms=10_000)["settled"], "all deliveries are attempted")
    check(len(Receiver.received) == 1, f"one delivery, got {len(Receiver.received)}")
    body, signature = Receiver.received.pop()
    event = stripe.Webhook.construct_event(body, signature, endpoint.secret)
    check(event.data.object["id"] == refund.id and event.account == account, "the event is about the refund, in the account")
    check(event.request.id.startswith("req_") and event.request.idempotency_key, "the event knows its request")

    rolled = sandbox(f"endpoints/{endpoint.id}/roll")["secret"]
    client.v1.payouts.create({"amount": 1, "currency": "usd"})
    sandbox("deliveries/wait", timeout_ms=10_000)
    body, signature = Receiver.received.pop()
    for secret in (endpoint.secret, rolled):
        stripe.Webhook.construct_event(body, signature, secret)

    last = sandbox("deliveries", "GET")["deliveries"][-1]["id"]
    for copy in ("forge_copy", "alter_copy", "stale_copy"):
        sandbox(f"deliveries/{last}/{copy}")
        sandbox("deliveries/wait", timeout_ms=10_000)
        body, signature = Receiver.received.pop()
        raises_signature(body, signature, rolled)
    check(developer.v1.webhook_endpoints.update(endpoint.id, {"disabled": True}).status == "disabled", "a disabled endpoint")
    check(developer.v1.webhook_endpoints.delete(endpoint.id).deleted, "a deleted endpoint")
    server.shutdown()


def raises_signature(body, signature, secret):
    try:
        stripe.Webhook.construct_event(body, signature, secret)
    except stripe.SignatureVerificationError:
        return
    raise Failure("a tampered delivery was accepted")


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: python_sdk.py BASE_URL")
    base = sys.argv[1].rstrip("/")
    sandbox = Sandbox(base)
    made = sandbox("accounts", business_name="SDK & Sons")
    account, keys = made["account"]["id"], made["keys"]
    client = client_for(base, keys["test"]["secret"])
    at = f"test/{account}"
    try:
        charge = refunds(client, sandbox, at)
        disputes(client, sandbox, at)
        payouts(client, sandbox, at)
        transfers(client, sandbox)
        ledgers(client, account)
        errors(client, base, sandbox, keys, charge, account)
        failures(client, base, sandbox, keys)
        webhooks(base, sandbox, client, account, at)
    except Failure as failure:
        sys.exit(f"not as Stripe's client expects: {failure}")
    print(f"stripe {stripe.VERSION} for Python: four families, errors, failures, idempotency, webhooks: as expected")


if __name__ == "__main__":
    main()
