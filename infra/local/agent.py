"""An agent that refunds with Stripe's own package, pointed at Axiru by one line. The demo's third act.

    AXIRU_KEY=axk_test_… python agent.py URL CHARGE

Tries three refunds of the charge and prints what it was told of each as JSON.
"""

import json
import os
import sys

import stripe


def main() -> None:
    url, charge = sys.argv[1:]
    # The one line: everything else is as it would be without Axiru.
    client = stripe.StripeClient(os.environ["AXIRU_KEY"], base_addresses={"api": url})
    told = []
    for amount in (4_200, 6_200, 620_000):
        what = f"a refund of {amount / 100:.2f} USD"
        try:
            refund = client.v1.refunds.create({"charge": charge, "amount": amount})
            told.append({
                "outcome": "allowed",
                "line": f"{what}: {refund.status} as {refund.id}",
                "decision": refund.metadata["axiru_request"],
            })
        except stripe.StripeError as error:
            body = error.json_body["error"]
            outcome = {"approval_required": "held", "axiru_blocked": "blocked"}.get(body["code"], body["code"])
            told.append({
                "outcome": outcome,
                "line": f"{what}: {outcome}, {type(error).__name__}: {body['message']}",
                "decision": body.get("axiru", {}).get("decision_id"),
            })
    made = client.v1.refunds.list({"charge": charge}).data
    if [refund.amount for refund in made] != [4_200]:
        sys.exit(f"expected one refund of 42.00, found {[refund.amount for refund in made]}")
    print(json.dumps(told))


if __name__ == "__main__":
    main()
