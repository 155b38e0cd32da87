"""Verifies one signed event many times with Stripe's official Python package; prints nanoseconds for each, as JSON.

    python webhook.py FOLDER ROUNDS        (FOLDER holds `body`, `header` and `secret`)
"""

import json
import pathlib
import sys
import time

import stripe

folder, rounds = pathlib.Path(sys.argv[1]), int(sys.argv[2])
body, header, secret = ((folder / name).read_text() for name in ("body", "header", "secret"))


def timed(work):
    work()
    started = time.perf_counter_ns()
    for _ in range(rounds):
        work()
    return (time.perf_counter_ns() - started) / rounds


def refused():
    try:
        stripe.WebhookSignature.verify_header(body + " ", header, secret, tolerance=300)
    except stripe.SignatureVerificationError:
        return True
    return False


assert refused(), "a changed body was accepted"
print(json.dumps({
    "version": stripe.VERSION,
    "verify_ns": timed(lambda: stripe.WebhookSignature.verify_header(body, header, secret, tolerance=300)),
    "event_ns": timed(lambda: stripe.Webhook.construct_event(body, header, secret)),
}))
