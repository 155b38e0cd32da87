//! The words of Axiru: money, scope, movement, actor, decision, time. Pure.
