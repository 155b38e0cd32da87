//! What Axiru asks of a Stripe account: one table.
//!
//! The Stripe App manifests in `infra/stripe-app/` and the page `/permissions` are both generated from it, so that what a merchant
//! reads is what Stripe enforces. Names are Stripe's own (Stripe docs, "Stripe Apps: permissions"); refunds have none of their own and
//! come with charges.

use axiru_domain::Family;
use serde::Serialize;

/// Which permissions an installed app asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// Reads only: observing, in shadow. What a new installation starts with.
    ReadOnly,
    /// Also writes: needed before Axiru itself may execute, cancel or answer anything.
    Enforcing,
}

/// One permission and what it is for.
#[derive(Clone, Copy, Debug)]
pub struct Permission {
    /// Stripe's name of the permission.
    pub name: &'static str,
    /// What Axiru needs it for; Stripe shows this on its consent page.
    pub purpose: &'static str,
    /// What is read with it.
    pub read: &'static str,
    /// What is never read, or dropped before anything is stored.
    pub never_read: &'static str,
    /// What enforcement would add; nothing for permissions that stay as they are.
    pub enforcement: Option<Enforcement>,
}

/// The writing permission that enforcement would ask for.
#[derive(Clone, Copy, Debug)]
pub struct Enforcement {
    /// Stripe's name of the permission.
    pub name: &'static str,
    /// What Axiru would need it for.
    pub purpose: &'static str,
}

/// Every permission, in the order of the page.
pub const PERMISSIONS: [Permission; 7] = [
    Permission {
        name: "charge_read",
        purpose: "See refunds as they are made, so that each can be checked against your policies and recorded.",
        read: "Each refund's amount, currency, status, reason and its charge; of that charge its age, amounts, customer id and whether it is disputed.",
        never_read: "Card numbers, brands or last digits, billing details, receipt addresses, descriptions and metadata.",
        enforcement: Some(Enforcement {
            name: "charge_write",
            purpose: "Make the refunds that your policies or approvers have allowed.",
        }),
    },
    Permission {
        name: "dispute_read",
        purpose: "See disputes being opened, answered and closed, so that each response can be checked and recorded.",
        read: "Each dispute's amount, currency, status, reason, deadline and how often evidence was submitted.",
        never_read: "The evidence itself: names, addresses, documents and messages of your customers.",
        enforcement: Some(Enforcement {
            name: "dispute_write",
            purpose: "Submit evidence or accept a dispute after your policies or approvers have allowed it.",
        }),
    },
    Permission {
        name: "payout_read",
        purpose: "See payouts as they are made, so that each can be checked against your policies and recorded.",
        read: "Each payout's amount, currency, status, method, whether it is automatic, and the id of its destination.",
        never_read: "Bank account numbers, routing numbers, account holders and trace ids.",
        enforcement: Some(Enforcement {
            name: "payout_write",
            purpose: "Make allowed payouts, and cancel a pending manual payout that your policies block.",
        }),
    },
    Permission {
        name: "transfer_read",
        purpose: "See transfers to connected accounts and their reversals, so that each can be checked and recorded.",
        read: "Each transfer's amount, currency, destination account id, and each reversal's amount.",
        never_read: "Anything about the people behind the destination account.",
        enforcement: Some(Enforcement { name: "transfer_write", purpose: "Make allowed transfers and reversals." }),
    },
    Permission {
        name: "event_read",
        purpose: "Be told by Stripe when a refund, dispute, payout or transfer is made or changes.",
        read: "Events of these four families, and the event that tells that Axiru was uninstalled.",
        never_read: "Events of any other kind: they are not subscribed to.",
        enforcement: None,
    },
    Permission {
        name: "balance_transaction_source_read",
        purpose: "Compare what left your balance with the ledger, so that a movement nobody recorded is found.",
        read: "Each balance transaction's type, amount, currency, time and the id of the refund, payout, transfer or dispute behind it.",
        never_read: "Lines of charges and fees, and the descriptions of all lines.",
        enforcement: None,
    },
    Permission {
        name: "connected_account_read",
        purpose: "Show you which account you are connecting, before you confirm it.",
        read: "The account's id, display name, country and default currency, once, while connecting.",
        never_read: "Owners, representatives, bank accounts, addresses, tax ids and requirements.",
        enforcement: None,
    },
];

impl Variant {
    /// Both variants.
    pub const ALL: [Self; 2] = [Self::ReadOnly, Self::Enforcing];

    /// The variant's word in the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "read_only",
            Self::Enforcing => "enforcing",
        }
    }

    /// Name of the manifest's file in `infra/stripe-app/`.
    #[must_use]
    pub const fn file(self) -> &'static str {
        match self {
            Self::ReadOnly => "stripe-app.json",
            Self::Enforcing => "stripe-app.enforcing.json",
        }
    }

    /// The permissions asked for, each with its purpose.
    pub fn asked(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let writes = PERMISSIONS.iter().filter_map(|permission| permission.enforcement.as_ref());
        let writes = writes.filter(move |_| self == Self::Enforcing).map(|write| (write.name, write.purpose));
        PERMISSIONS.iter().map(|permission| (permission.name, permission.purpose)).chain(writes)
    }
}

/// What Axiru needs a permission for; nothing of those that it has no use for.
#[must_use]
pub fn purpose(name: &str) -> Option<&'static str> {
    Variant::Enforcing.asked().find(|(asked, _)| *asked == name).map(|(_, purpose)| purpose)
}

/// The permission with which movements of a family are made.
#[must_use]
pub const fn write_permission(family: Family) -> &'static str {
    match family {
        Family::Refunds => "charge_write",
        Family::Disputes => "dispute_write",
        Family::Payouts => "payout_write",
        Family::Transfers => "transfer_write",
    }
}

#[derive(Serialize)]
struct Manifest {
    id: &'static str,
    version: &'static str,
    name: &'static str,
    distribution_type: &'static str,
    stripe_api_access_type: &'static str,
    sandbox_install_compatible: bool,
    allowed_redirect_uris: [&'static str; 1],
    permissions: Vec<Asked>,
}

#[derive(Serialize)]
struct Asked {
    permission: &'static str,
    purpose: &'static str,
}

/// The Stripe App manifest of a variant, as it is uploaded, but for `id` and `allowed_redirect_uris`, which each merchant makes their own.
///
/// # Errors
/// Never in practice: the table is plain text.
pub fn manifest(variant: Variant) -> serde_json::Result<String> {
    let manifest = Manifest {
        id: "com.example.axiru",
        version: env!("CARGO_PKG_VERSION"),
        name: "Axiru",
        // Stripe offers OAuth to publicly distributed apps only; an app need not be listed for external testing.
        distribution_type: "public",
        stripe_api_access_type: "oauth",
        sandbox_install_compatible: true,
        allowed_redirect_uris: ["https://axiru.example.com/stripe/callback"],
        permissions: variant.asked().map(|(permission, purpose)| Asked { permission, purpose }).collect(),
    };
    serde_json::to_string_pretty(&manifest).map(|text| text + "\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Names that Stripe knows, of those that could ever concern Axiru.
    const KNOWN: [&str; 15] = [
        "balance_read",
        "balance_transaction_source_read",
        "charge_read",
        "charge_write",
        "connected_account_read",
        "dispute_read",
        "dispute_write",
        "event_read",
        "payment_intent_read",
        "payout_read",
        "payout_write",
        "transfer_read",
        "transfer_write",
        "webhook_read",
        "webhook_write",
    ];

    #[test]
    fn the_committed_manifests_are_current() {
        let committed = [
            include_str!("../../../infra/stripe-app/stripe-app.json"),
            include_str!("../../../infra/stripe-app/stripe-app.enforcing.json"),
        ];
        for (variant, text) in Variant::ALL.into_iter().zip(committed) {
            assert_eq!(
                manifest(variant).unwrap(),
                text,
                "{}: run `cargo run -p axiru-stripe --example stripe_app_manifests`",
                variant.file()
            );
        }
    }

    #[test]
    fn only_permissions_that_exist_are_asked_for_and_none_twice() {
        for variant in Variant::ALL {
            let names: Vec<_> = variant.asked().map(|(name, _)| name).collect();
            assert!(names.iter().all(|name| KNOWN.contains(name)), "{names:?}");
            assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        }
    }

    #[test]
    fn every_family_can_be_enforced_with_the_enforcing_variant_only() {
        for family in Family::ALL {
            let granted = |variant: Variant| variant.asked().any(|(name, _)| name == write_permission(family));
            assert!(granted(Variant::Enforcing) && !granted(Variant::ReadOnly), "{family}");
        }
    }

    #[test]
    fn read_only_means_that_nothing_can_be_written() {
        assert!(Variant::ReadOnly.asked().all(|(name, _)| name.ends_with("_read")));
        let read: BTreeSet<_> = Variant::ReadOnly.asked().collect();
        assert!(Variant::Enforcing.asked().collect::<BTreeSet<_>>().is_superset(&read));
    }

    #[test]
    fn every_row_says_something_a_person_can_read() {
        for row in &PERMISSIONS {
            for text in [row.purpose, row.read, row.never_read] {
                assert!(text.ends_with('.') && text.len() > 20 && text.len() < 160, "{}: {text}", row.name);
            }
        }
    }
}
