//! What crosses to and from Stripe: signatures, projections, OAuth and REST.
