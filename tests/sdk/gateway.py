"""Stripe's official Python client through Axiru's gateway, unmodified but for its base address.

    python gateway.py shadow|enforced

The environment says where: AXIRU_URL, SANDBOX_URL, SCOPE, PARTNER, MANY (a charge with 105 refunds), AGENT_KEY, STAFF_KEY. In `shadow` no
plan is enforced and Stripe's own answers must come back; in `enforced` the starter plans of all but disputes are. Prints a line for each thing that was
tried, and exits with 1 at the first that is off.
"""

import os
import sys
import time

import stripe
from python_sdk import Failure, Sandbox, check

URL, SCOPE, PARTNER, MANY = (os.environ[name] for name in ("AXIRU_URL", "SCOPE", "PARTNER", "MANY"))
SANDBOX = Sandbox(os.environ["SANDBOX_URL"])
# Longest wait for Stripe's webhook to tell Axiru what a lost answer did not.
PATIENCE_SECS = 30


def client_for(key, retries=0):
    return stripe.StripeClient(key, base_addresses={"api": URL}, max_network_retries=retries)


def row(what, answer):
    print(f"    {what:44} {answer}")


def raises(what, kind, action, code=None, status=None):
    """Runs `action`, which must end in exactly this exception."""
    try:
        action()
    except stripe.StripeError as error:
        body = (error.json_body or {}).get("error", {})
        found = f"{type(error).__name__} {error.http_status} {body.get('code')}"
        check(type(error) is kind, f"{what}: expected {kind.__name__}, got {found}: {error}")
        check(code is None or body.get("code") == code, f"{what}: expected code {code}, got {found}: {error}")
        check(status is None or error.http_status == status, f"{what}: expected status {status}, got {found}")
        row(what, found)
        return error
    raise Failure(f"{what}: expected {kind.__name__}, but nothing was raised")


def charge(amount=50_000):
    return SANDBOX(f"{SCOPE}/charges", amount=amount, currency="usd")["id"]


def order(fault, times=1, path="/v1/refunds"):
    SANDBOX("faults", method="POST", path=path, fault=fault, times=times)


def marked(made, enforced, what):
    """What is made under enforcement bears Axiru's mark; in shadow nothing is changed."""
    has = "axiru_request" in (made.metadata or {})
    check(has == enforced, f"{what}: the mark is {'there' if has else 'missing'}")
    check(not has or made.metadata["axiru_request"].startswith("dec_"), f"{what}: the mark is {made.metadata}")


def refunds(agent, enforced):
    paid = charge()
    made = agent.v1.refunds.create({"charge": paid, "amount": 1_234, "metadata": {"order": "7"}})
    check(made.object == "refund" and made.amount == 1_234 and made.metadata["order"] == "7", "Stripe's own answer")
    check(made.last_response.headers.get("request-id", "").startswith("req_"), "Stripe's own headers")
    marked(made, enforced, "a refund")
    row("create a refund of 12.34", f"{made.status}, {'marked' if enforced else 'unmarked'}")
    read = agent.v1.refunds.retrieve(made.id, {"expand": ["balance_transaction"]})
    check(read.balance_transaction.object == "balance_transaction", "an expanded balance transaction")
    row("retrieve it with an allowed expand", read.balance_transaction.object)
    raises("retrieve it with the charge expanded", stripe.InvalidRequestError, lambda: agent.v1.refunds.retrieve(made.id, {"expand": ["charge"]}), "axiru_expand", 400)
    changed = agent.v1.refunds.update(made.id, {"metadata": {"case": "12"}})
    check(changed.metadata["case"] == "12" and changed.metadata["order"] == "7", "metadata")
    row("update its metadata", "updated")
    held = {"charge": charge(), "amount": 6_100}
    blocked = {"charge": charge(900_000), "amount": 610_000}
    if enforced:
        error = raises("create one of 61.00", stripe.InvalidRequestError, lambda: agent.v1.refunds.create(held), "approval_required", 400)
        asked = error.json_body["error"]["approval_request"]
        check(asked["id"].startswith("dec_") and asked["status"] == "pending", f"an approval request, got {asked}")
        check(asked["expires_at"] > time.time(), f"an approval that can still be given, got {asked}")
        error = raises("create one of 6100.00", stripe.PermissionError, lambda: agent.v1.refunds.create(blocked), "axiru_blocked", 403)
        check("block-above-5000" in str(error), f"the reason is not told: {error}")
        for none in (held, blocked):
            check(not agent.v1.refunds.list({"charge": none["charge"]}).data, "something was refunded all the same")
    else:
        for what in (held, blocked):
            check(agent.v1.refunds.create(what).amount == what["amount"], "in shadow everything passes")
            row(f"create one of {what['amount'] / 100:.2f}", "passes")


def lists(agent):
    found = [refund.id for refund in agent.v1.refunds.list({"charge": MANY, "limit": 25}).auto_paging_iter()]
    check(len(found) == len(set(found)) == 105, f"105 refunds, found {len(found)}")
    row("list with auto-paging, 25 a page", f"{len(found)} refunds")


def mistakes(agent, enforced):
    raises("a wrong key", stripe.AuthenticationError, lambda: client_for("axk_test_wrong").v1.refunds.list(), status=401)
    raises("a Stripe key", stripe.AuthenticationError, lambda: client_for("sk_test_wrong").v1.refunds.list(), status=401)
    raises("an unknown refund", stripe.InvalidRequestError, lambda: agent.v1.refunds.retrieve("re_Nowhere"), "resource_missing", 404)
    nowhere = {"charge": "ch_Nowhere", "amount": 100}
    raises("a refund of an unknown charge", stripe.InvalidRequestError, lambda: agent.v1.refunds.create(nowhere), "resource_missing", 404)
    paid, same = charge(), {"idempotency_key": f"order-{time.time_ns()}"}
    first = agent.v1.refunds.create({"charge": paid, "amount": 700}, same)
    again = agent.v1.refunds.create({"charge": paid, "amount": 700}, same)
    check(first.id == again.id, "the same key gives the same refund")
    row("the same key and parameters again", "the same refund")
    other = {"charge": paid, "amount": 701}
    raises("the same key, other parameters", stripe.IdempotencyError, lambda: agent.v1.refunds.create(other, same), status=400)
    raises("a route that is not proxied", stripe.InvalidRequestError, lambda: agent.v1.customers.create({}), "axiru_route_unknown", 404)
    raises("API v2", stripe.InvalidRequestError, lambda: agent.raw_request("get", "/v2/core/events"), "axiru_api_v2", 404)
    code = "axiru_parameter_not_taken" if enforced else None
    refused = {"charge": charge(), "amount": 100, "currency": "usd"}
    error = raises("a refused parameter", stripe.InvalidRequestError, lambda: agent.v1.refunds.create(refused), code, 400)
    check(error.param == "currency", f"the parameter is not named: {error.param}")
    code = "axiru_unknown_parameter" if enforced else "parameter_unknown"
    typo = {"charge": charge(), "ammount": 100}
    raises("a misspelt parameter", stripe.InvalidRequestError, lambda: agent.v1.refunds.create(typo), code, 400)
    kind = stripe.PermissionError if enforced else stripe.InvalidRequestError
    raises("a side door", kind, lambda: agent.v1.credit_notes.create({"invoice": "in_1"}), "axiru_side_door" if enforced else None)


def faults(key, enforced):
    hasty, patient = client_for(key), client_for(key, retries=4)

    def refund(client, paid, **options):
        return client.v1.refunds.create({"charge": paid, "amount": 321}, options)

    def once(paid, what):
        found = len(hasty.v1.refunds.list({"charge": paid}).data)
        check(found == 1, f"{what}: {found} refunds instead of one")
        row(what, "exactly one refund")

    paid = charge()
    order("rate_limit")
    raises("Stripe is busy, no retries", stripe.RateLimitError, lambda: refund(hasty, paid), status=429)
    # Another charge: the equal call that Stripe was too busy for may still be made by whoever asked for it.
    paid = charge()
    order("key_in_use", times=2)
    refund(patient, paid)
    once(paid, "a 409, and the client tries again")
    paid = charge()
    order("drop_after_effect", times=3)
    refund(patient, paid)
    once(paid, "the answer is lost three times")
    # Stripe remembers a 500 under the key: only what happened tells that it happened.
    paid, same = charge(), {"idempotency_key": f"late-{time.time_ns()}"}
    order("error_500_after_effect")
    error = raises("made, and answered with a 500", stripe.APIError, lambda: refund(hasty, paid, **same))
    check(error.http_status == (503 if enforced else 500), f"status {error.http_status}")
    if enforced:
        made, started = None, time.monotonic()
        while made is None:
            try:
                made = refund(hasty, paid, **same)
            except stripe.APIError as error:
                check(time.monotonic() - started < PATIENCE_SECS, f"never told what became of it: {error}")
                time.sleep(0.5)
        check(made.object == "refund" and made.amount == 321, "the refund that was made")
    once(paid, "and asked again")


def payouts(agent, staff, enforced):
    bank = SANDBOX(f"{SCOPE}/external_accounts", bank_name="Test Bank")["id"]
    made = staff.v1.payouts.create({"amount": 5_000, "currency": "usd", "destination": bank, "metadata": {"run": "1"}})
    check(made.status == "pending" and made.metadata["run"] == "1", "a payout")
    marked(made, enforced, "a payout")
    canceled = staff.v1.payouts.cancel(made.id)
    check(canceled.status == "canceled", "a cancelled payout")
    row("create a payout, and cancel it", canceled.status)
    raises("cancel it twice", stripe.InvalidRequestError, lambda: staff.v1.payouts.cancel(made.id), status=400)
    alone = {"amount": 5_100, "currency": "usd", "destination": bank}
    if enforced:
        raises("an agent pays out", stripe.InvalidRequestError, lambda: agent.v1.payouts.create(alone), "approval_required", 400)
    else:
        agent.v1.payouts.create(alone)
        row("an agent pays out", "passes")


def transfers(staff, enforced):
    made = staff.v1.transfers.create({"amount": 3_000, "currency": "usd", "destination": PARTNER})
    check(made.object == "transfer" and made.destination == PARTNER, "a transfer")
    marked(made, enforced, "a transfer")
    row("create a transfer", made.id[:3] + "…")
    back = {"amount": 1_000}
    if enforced:
        raises("reverse a part", stripe.InvalidRequestError, lambda: staff.v1.transfers.reversals.create(made.id, back), "approval_required", 400)
    else:
        reversal = staff.v1.transfers.reversals.create(made.id, back)
        check(reversal.object == "transfer_reversal" and reversal.amount == 1_000, "a reversal")
        row("reverse a part", reversal.id[:4] + "…")


def disputes(staff):
    dispute = SANDBOX(f"{SCOPE}/disputes", charge=charge(4_200), reason="product_not_received")["id"]
    staged = staff.v1.disputes.update(dispute, {"evidence": {"customer_name": "Pat"}, "submit": False})
    check(staged.status == "needs_response", f"staged evidence is not submitted: {staged.status}")
    sent = staff.v1.disputes.update(dispute, {"evidence": {"uncategorized_text": "It arrived."}, "submit": True})
    check(sent.status == "under_review", f"submitted evidence: {sent.status}")
    row("stage evidence, and submit", sent.status)
    lost = staff.v1.disputes.close(SANDBOX(f"{SCOPE}/disputes", charge=charge(900))["id"])
    check(lost.status == "lost", f"a closed dispute: {lost.status}")
    row("close a dispute", lost.status)


def main():
    if sys.argv[1:] not in (["shadow"], ["enforced"]):
        sys.exit("usage: gateway.py shadow|enforced")
    enforced = sys.argv[1] == "enforced"
    agent, staff = client_for(os.environ["AGENT_KEY"]), client_for(os.environ["STAFF_KEY"])
    print(f"    stripe {stripe.VERSION} for Python, {sys.argv[1]}")
    try:
        refunds(agent, enforced)
        lists(agent)
        mistakes(agent, enforced)
        faults(os.environ["AGENT_KEY"], enforced)
        payouts(agent, staff, enforced)
        transfers(staff, enforced)
        disputes(staff)
    except (Failure, stripe.StripeError) as failure:
        sys.exit(f"not as Stripe's client expects: {type(failure).__name__}: {failure}")


if __name__ == "__main__":
    main()
