//! The same rules in two other engines. Their input is built from the movement each time, as ours is.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axiru_domain::{Fact, FactValue, Kind, Movement};
use cel::{Context, Program};
use regorus::{CompiledPolicy, Engine, Value};

use crate::rules::Rule;

/// The rules of one kind as a Rego module.
fn module(kind: Kind, rules: &[Rule]) -> String {
    let rules = rules.iter().filter(|rule| rule.kind == kind).map(Rule::rego);
    format!("package axiru\nimport rego.v1\n{}", rules.collect::<String>())
}

fn input(movement: &Movement) -> Value {
    let mut fields: BTreeMap<Value, Value> = BTreeMap::new();
    let mut put = |name: &str, value: Value| fields.insert(Value::from(name), value);
    put("amount_minor", Value::from(movement.money.amount_minor()));
    put("currency", Value::from(movement.money.currency().as_str()));
    put("mode", Value::from(movement.scope.mode().as_str()));
    put("account", Value::from(movement.scope.account().as_str()));
    put("actor", Value::from("agent:ag_1"));
    for (name, fact) in movement.facts.iter() {
        match fact {
            Fact::Known(FactValue::Text(text)) => drop(put(name, Value::from(text.as_str()))),
            Fact::Known(FactValue::Long(number)) => drop(put(name, Value::from(*number))),
            Fact::Known(FactValue::Bool(value)) => drop(put(name, Value::from(*value))),
            Fact::Absent | Fact::Unknown => {}
        }
    }
    Value::from(fields)
}

const ENTRY: &str = "data.axiru.fired";

fn compiled(kind: Kind, rules: &[Rule]) -> CompiledPolicy {
    let mut engine = Engine::new();
    engine.add_policy("rules.rego".into(), module(kind, rules)).unwrap();
    engine.compile_with_entrypoint(&ENTRY.into()).unwrap()
}

fn kinds(rules: &[Rule]) -> impl Iterator<Item = Kind> {
    Kind::ALL.into_iter().filter(|kind| rules.iter().any(|rule| rule.kind == *kind))
}

/// Rego, interpreted.
pub(crate) struct Rego {
    by_kind: BTreeMap<Kind, CompiledPolicy>,
}

impl Rego {
    pub(crate) fn of(rules: &[Rule]) -> Self {
        Self { by_kind: kinds(rules).map(|kind| (kind, compiled(kind, rules))).collect() }
    }

    pub(crate) fn decide(&self, movement: &Movement) -> usize {
        let fired = self.by_kind[&movement.kind()].eval_with_input(input(movement)).unwrap();
        fired.as_set().unwrap().len()
    }
}

/// One CEL program for each rule.
pub(crate) struct Cel {
    by_kind: BTreeMap<Kind, Vec<Program>>,
    env: Arc<cel::Env>,
}

impl Cel {
    pub(crate) fn of(rules: &[Rule]) -> Self {
        let env = Arc::new(cel::Env::stdlib());
        let mut by_kind: BTreeMap<Kind, Vec<Program>> = BTreeMap::new();
        for rule in rules {
            by_kind.entry(rule.kind).or_default().push(env.compile(&rule.cel()).unwrap());
        }
        Self { by_kind, env }
    }

    pub(crate) fn decide(&self, movement: &Movement) -> usize {
        let mut fields: HashMap<String, cel::Value> = HashMap::new();
        let mut put = |name: &str, value: cel::Value| fields.insert(name.to_owned(), value);
        put("amount_minor", movement.money.amount_minor().into());
        put("currency", movement.money.currency().as_str().into());
        put("mode", movement.scope.mode().as_str().into());
        put("account", movement.scope.account().as_str().into());
        put("actor", "agent:ag_1".into());
        for (name, fact) in movement.facts.iter() {
            match fact {
                Fact::Known(FactValue::Text(text)) => drop(put(name, text.as_str().into())),
                Fact::Known(FactValue::Long(number)) => drop(put(name, (*number).into())),
                Fact::Known(FactValue::Bool(value)) => drop(put(name, (*value).into())),
                Fact::Absent | Fact::Unknown => {}
            }
        }
        let mut context = Context::with_env(Arc::clone(&self.env));
        context.add_variable_from_value("m", fields);
        let fires = |rule: &&Program| matches!(rule.execute(&context), Ok(cel::Value::Bool(true)));
        self.by_kind[&movement.kind()].iter().filter(fires).count()
    }
}
