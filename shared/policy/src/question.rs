//! One movement as Cedar sees it: principal, action, resource, context, and the entities behind them.
//!
//! Built once per decision and shared by every plan.

use std::collections::BTreeSet;

use axiru_domain::{Actor, Fact, FactValue, Kind};
use cedar_policy::{Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression};

use crate::asked::Asked;

/// The movement could not be put to Cedar. Every plan then blocks.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QuestionError {
    /// The actor is none that moves money.
    #[error("`{0}` does not move money")]
    Actor(Actor),
    /// The facts belong to another kind than the movement.
    #[error("the facts are those of a {facts}, the movement is a {movement}")]
    Kinds {
        /// The kind of the facts.
        facts: Kind,
        /// The kind of the movement.
        movement: Kind,
    },
    /// Cedar refuses a name or value.
    #[error("the movement cannot be put to the policies: {0}")]
    Cedar(String),
}

/// One movement and actor, as Cedar sees them.
#[derive(Debug)]
pub(crate) struct Question<'a> {
    asked: &'a Asked<'a>,
    principal: EntityUid,
    action: EntityUid,
    resource: EntityUid,
    claims: EntityUid,
    entities: Entities,
}

fn cedar(error: impl std::fmt::Display) -> QuestionError {
    QuestionError::Cedar(error.to_string())
}

fn uid(entity_type: &str, id: &str) -> Result<EntityUid, QuestionError> {
    let name: EntityTypeName = entity_type.parse().map_err(cedar)?;
    Ok(EntityUid::from_type_name_and_id(name, EntityId::new(id)))
}

fn principal(actor: &Actor) -> Result<EntityUid, QuestionError> {
    match actor {
        Actor::Agent(id) => uid("Axiru::Agent", id),
        Actor::Staff(id) => uid("Axiru::Staff", id),
        Actor::External => uid("Axiru::External", "external"),
        Actor::Stripe => uid("Axiru::Stripe", "stripe"),
        Actor::Operator(_) | Actor::Axiru => Err(QuestionError::Actor(actor.clone())),
    }
}

impl<'a> Question<'a> {
    pub(crate) fn new(asked: &'a Asked<'a>) -> Result<Self, QuestionError> {
        let movement = asked.movement;
        let kind = movement.kind();
        if movement.facts.kind() != kind {
            return Err(QuestionError::Kinds { facts: movement.facts.kind(), movement: kind });
        }
        let action = uid("Axiru::Action", kind.as_str())?;
        let family = uid("Axiru::Action", kind.family().as_str())?;
        let resource = uid("Axiru::Account", &movement.scope.to_string())?;
        let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
        let attributes = [
            ("mode".to_owned(), text(movement.scope.mode().as_str())),
            ("account".to_owned(), text(movement.scope.account().as_str())),
        ];
        let account = Entity::new(resource.clone(), attributes.into(), [].into()).map_err(cedar)?;
        // `action in` needs the action with its family; nothing else is looked up.
        let action_entity = Entity::new_no_attrs(action.clone(), [family.clone()].into());
        // Claims are tags of an entity of their own: their names are the caller's, and none can stand for a fact.
        let claims = uid("Axiru::Claims", "claimed")?;
        let tags = asked.claimed.iter().map(|(name, value)| (name.to_owned(), RestrictedExpression::new_string(value)));
        let claimed = Entity::new_with_tags(claims.clone(), [], [], tags).map_err(cedar)?;
        let entities = Entities::from_entities([account, action_entity, Entity::with_uid(family), claimed], None)
            .map_err(cedar)?;
        Ok(Self { asked, principal: principal(asked.actor)?, action, resource, claims, entities })
    }

    /// What it was made of.
    pub(crate) const fn asked(&self) -> &'a Asked<'a> {
        self.asked
    }

    /// What `action in`, `resource.mode` and the like look up.
    pub(crate) const fn entities(&self) -> &Entities {
        &self.entities
    }

    /// The facts among `names` that are unknown.
    pub(crate) fn unknown(&self, names: &BTreeSet<&'static str>) -> Vec<&'static str> {
        names.iter().copied().filter(|name| *self.asked.movement.facts.get(name) == Fact::Unknown).collect()
    }

    /// The request in the world where the facts `present` have some value that nobody knows, and every other unknown fact
    /// is absent.
    pub(crate) fn request(&self, present: &[&'static str]) -> Result<Request, QuestionError> {
        let money = self.asked.movement.money;
        let own = [
            ("amount_minor".to_owned(), RestrictedExpression::new_long(money.amount_minor())),
            ("currency".to_owned(), RestrictedExpression::new_string(money.currency().as_str().to_owned())),
            ("claimed".to_owned(), RestrictedExpression::new_entity_uid(self.claims.clone())),
        ];
        let known = self.asked.movement.facts.iter().filter_map(|(name, fact)| match fact {
            Fact::Known(value) => Some((name.to_owned(), expression(value))),
            Fact::Absent | Fact::Unknown => None,
        });
        let unknown = present.iter().map(|name| ((*name).to_owned(), RestrictedExpression::new_unknown(name)));
        let context = Context::from_pairs(own.into_iter().chain(known).chain(unknown)).map_err(cedar)?;
        let (principal, action, resource) = (self.principal.clone(), self.action.clone(), self.resource.clone());
        Request::new(principal, action, resource, context, None).map_err(cedar)
    }
}

fn expression(value: &FactValue) -> RestrictedExpression {
    match value {
        FactValue::Bool(value) => RestrictedExpression::new_bool(*value),
        FactValue::Long(value) => RestrictedExpression::new_long(*value),
        FactValue::Text(value) => RestrictedExpression::new_string(value.clone()),
    }
}
