//! One movement as Cedar sees it: principal, action, resource, context, and the entities behind them.
//!
//! Built once per decision and shared by every plan.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

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

/// The parts of a question that are the same for every movement of a kind, made once.
#[derive(Debug)]
struct Fixed {
    action: EntityUid,
    /// The action with its family: `action in` needs both.
    entities: Entities,
}

/// Names of types, parsed once: Cedar parses them as it parses policies.
#[derive(Debug)]
struct Names {
    agent: EntityTypeName,
    staff: EntityTypeName,
    external: EntityTypeName,
    stripe: EntityTypeName,
    account: EntityTypeName,
    claims: EntityTypeName,
    fixed: BTreeMap<Kind, Fixed>,
}

/// They are of our own making, so a failure is a bug of ours; it is kept as text so that nothing is decided then.
static NAMES: LazyLock<Result<Names, String>> = LazyLock::new(|| Names::new().map_err(|error| error.to_string()));

impl Names {
    fn new() -> Result<Self, QuestionError> {
        let name = |name: &str| format!("Axiru::{name}").parse::<EntityTypeName>().map_err(cedar);
        let actions = name("Action")?;
        let fixed = Kind::ALL.into_iter().map(|kind| {
            let (action, family) = (uid(&actions, kind.as_str()), uid(&actions, kind.family().as_str()));
            let entity = Entity::new_no_attrs(action.clone(), [family.clone()].into());
            let entities = Entities::from_entities([entity, Entity::with_uid(family)], None).map_err(cedar)?;
            Ok((kind, Fixed { action, entities }))
        });
        Ok(Self {
            agent: name("Agent")?,
            staff: name("Staff")?,
            external: name("External")?,
            stripe: name("Stripe")?,
            account: name("Account")?,
            claims: name("Claims")?,
            fixed: fixed.collect::<Result<_, QuestionError>>()?,
        })
    }

    fn principal(&self, actor: &Actor) -> Result<EntityUid, QuestionError> {
        match actor {
            Actor::Agent(id) => Ok(uid(&self.agent, id)),
            Actor::Staff(id) => Ok(uid(&self.staff, id)),
            Actor::External => Ok(uid(&self.external, "external")),
            Actor::Stripe => Ok(uid(&self.stripe, "stripe")),
            Actor::Operator(_) | Actor::Person(_) | Actor::Axiru => Err(QuestionError::Actor(actor.clone())),
        }
    }
}

/// One movement and actor, as Cedar sees them.
#[derive(Debug)]
pub(crate) struct Question<'a> {
    asked: &'a Asked<'a>,
    claims: EntityUid,
    entities: Entities,
    /// The request in the world where every unknown fact is absent: the only one where none is read.
    request: Request,
}

fn cedar(error: impl std::fmt::Display) -> QuestionError {
    QuestionError::Cedar(error.to_string())
}

fn uid(name: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(name.clone(), EntityId::new(id))
}

impl<'a> Question<'a> {
    pub(crate) fn new(asked: &'a Asked<'a>) -> Result<Self, QuestionError> {
        let movement = asked.movement;
        let kind = movement.kind();
        if movement.facts.kind() != kind {
            return Err(QuestionError::Kinds { facts: movement.facts.kind(), movement: kind });
        }
        let names = NAMES.as_ref().map_err(cedar)?;
        let fixed = names.fixed.get(&kind).ok_or_else(|| cedar("no such action"))?;
        let resource = uid(&names.account, &movement.scope.to_string());
        let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
        let attributes = [
            ("mode".to_owned(), text(movement.scope.mode().as_str())),
            ("account".to_owned(), text(movement.scope.account().as_str())),
        ];
        let account = Entity::new(resource.clone(), attributes.into(), [].into()).map_err(cedar)?;
        // Claims are tags of an entity of their own: their names are the caller's, and none can stand for a fact. An entity that
        // is not there has no tags.
        let claims = uid(&names.claims, "claimed");
        let claimed = (!asked.claimed.is_empty()).then(|| {
            let tags =
                asked.claimed.iter().map(|(name, text)| (name.to_owned(), RestrictedExpression::new_string(text)));
            Entity::new_with_tags(claims.clone(), [], [], tags).map_err(cedar)
        });
        let entities = fixed.entities.clone();
        let entities = entities.add_entities([account].into_iter().chain(claimed.transpose()?), None).map_err(cedar)?;
        let principal = names.principal(asked.actor)?;
        let context = context(asked, &claims, &[])?;
        let request = Request::new(principal, fixed.action.clone(), resource, context, None).map_err(cedar)?;
        Ok(Self { asked, claims, entities, request })
    }

    /// What it was made of.
    pub(crate) const fn asked(&self) -> &'a Asked<'a> {
        self.asked
    }

    /// What `action in`, `resource.mode` and the like look up.
    pub(crate) const fn entities(&self) -> &Entities {
        &self.entities
    }

    /// The request where no unknown fact is read.
    pub(crate) const fn known(&self) -> &Request {
        &self.request
    }

    /// The facts among `names` that are unknown.
    pub(crate) fn unknown(&self, names: &BTreeSet<&'static str>) -> Vec<&'static str> {
        names.iter().copied().filter(|name| *self.asked.movement.facts.get(name) == Fact::Unknown).collect()
    }

    /// The request in the world where the facts `present` have some value that nobody knows, and every other unknown fact
    /// is absent.
    pub(crate) fn world(&self, present: &[&'static str]) -> Result<Request, QuestionError> {
        let context = context(self.asked, &self.claims, present)?;
        let part = |uid: Option<&EntityUid>| uid.cloned().ok_or_else(|| cedar("no such request"));
        let (principal, action, resource) = (self.request.principal(), self.request.action(), self.request.resource());
        Request::new(part(principal)?, part(action)?, part(resource)?, context, None).map_err(cedar)
    }
}

/// The context where the facts `present` have a value that nobody knows.
fn context(asked: &Asked<'_>, claims: &EntityUid, present: &[&'static str]) -> Result<Context, QuestionError> {
    let money = asked.movement.money;
    let own = [
        ("amount_minor".to_owned(), RestrictedExpression::new_long(money.amount_minor())),
        ("currency".to_owned(), RestrictedExpression::new_string(money.currency().as_str().to_owned())),
        ("claimed".to_owned(), RestrictedExpression::new_entity_uid(claims.clone())),
    ];
    let known = asked.movement.facts.iter().filter_map(|(name, fact)| match fact {
        Fact::Known(value) => Some((name.to_owned(), expression(value))),
        Fact::Absent | Fact::Unknown => None,
    });
    let unknown = present.iter().map(|name| ((*name).to_owned(), RestrictedExpression::new_unknown(name)));
    Context::from_pairs(own.into_iter().chain(known).chain(unknown)).map_err(cedar)
}

fn expression(value: &FactValue) -> RestrictedExpression {
    match value {
        FactValue::Bool(value) => RestrictedExpression::new_bool(*value),
        FactValue::Long(value) => RestrictedExpression::new_long(*value),
        FactValue::Text(value) => RestrictedExpression::new_string(value.clone()),
    }
}
