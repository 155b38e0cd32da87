//! An account: its doubles, its gate, and the handle that tests hold.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use axiru_stripe_sandbox::Sandbox;
use bytes::Bytes;
use dynoxide::{DynoxideError, Item};
use serde_json::Value;

use crate::call::{Call, Calls, Service};
use crate::connector::Connector;
use crate::dump::Dump;
use crate::dynamodb::DynamoDb;
use crate::gate::{Faults, Gate};
use crate::kms::Kms;
use crate::latency::Latencies;
use crate::names::EXPORT_BUCKET;
use crate::process::{Outcome, Process};
use crate::s3::S3;
use crate::scopes::OnlyScope;
use crate::secrets::Secrets;
use crate::ses::{SentMail, Ses};
use crate::sqs::Sqs;
use crate::stripe::Stripe;
use crate::tables;
use crate::wire::{Reply, WireRequest};

/// What all processes of an account share.
pub(crate) struct World {
    dynamodb: DynamoDb,
    sqs: Sqs,
    kms: Kms,
    s3: S3,
    secrets: Secrets,
    ses: Ses,
    pub(crate) gate: Arc<Gate>,
    latencies: Mutex<Latencies>,
    processes: AtomicUsize,
    only: Mutex<Option<OnlyScope>>,
}

impl World {
    /// Does what the request asks, at once.
    pub(crate) fn apply(&self, request: &WireRequest, twice: bool) -> Reply {
        match request.service {
            Service::DynamoDb => self.dynamodb.answer(request),
            Service::Sqs => self.sqs.answer(request, twice),
            Service::Kms => self.kms.answer(request),
            Service::S3 => self.s3.answer(request),
            Service::SecretsManager => self.secrets.answer(request),
            Service::Ses => self.ses.answer(request),
            Service::Stripe => crate::refusals::failed(Service::Stripe),
        }
    }

    pub(crate) fn only(&self) -> Option<OnlyScope> {
        self.only.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn latency_of(&self, operation: &str) -> Duration {
        self.latencies.lock().unwrap_or_else(PoisonError::into_inner).of(operation)
    }
}

/// One AWS account in memory, as one process sees it. Cheap to clone; a clone is the same process.
#[derive(Clone)]
pub struct InProcess {
    world: Arc<World>,
    process: Arc<Process>,
    role: Option<&'static str>,
}

impl InProcess {
    /// An account with the two tables (no stream), the keys, the queue, the bucket and the secrets of [`crate::names`].
    ///
    /// # Errors
    /// If the in-memory database cannot be made.
    pub fn new() -> Result<Self, DynoxideError> {
        Self::with(false)
    }

    /// The same with a stream on the ledger table. Each record makes the next write slower: keep to a few thousand.
    ///
    /// # Errors
    /// If the in-memory database cannot be made.
    pub fn with_ledger_stream() -> Result<Self, DynoxideError> {
        Self::with(true)
    }

    fn with(ledger_stream: bool) -> Result<Self, DynoxideError> {
        let world = World {
            dynamodb: DynamoDb::new()?,
            sqs: Sqs::default(),
            kms: Kms::new(),
            s3: S3::new(&[EXPORT_BUCKET]),
            secrets: Secrets::new(),
            ses: Ses::default(),
            gate: Arc::new(Gate::default()),
            latencies: Mutex::new(Latencies::none()),
            processes: AtomicUsize::new(1),
            only: Mutex::default(),
        };
        for definition in tables::definitions(ledger_stream) {
            world.dynamodb.create_table(&definition)?;
        }
        Ok(Self { world: Arc::new(world), process: Arc::new(Process::new(0)), role: None })
    }

    /// Another process on the same account: it has clients of its own, and does not die with this one.
    #[must_use]
    pub fn another_process(&self) -> Self {
        let number = self.world.processes.fetch_add(1, Ordering::Relaxed);
        Self { world: self.world.clone(), process: Arc::new(Process::new(number)), role: self.role }
    }

    /// The same process, whose clients act under a role of the template (`ExecuteRole`): a call that the role may not make ends the test
    /// program.
    #[must_use]
    pub fn acting_as(&self, role: &'static str) -> Self {
        Self { world: self.world.clone(), process: self.process.clone(), role: Some(role) }
    }

    /// From now on, whoever acts under a role may name rows of accounts, contexts of sealed values and files of this scope alone
    /// (`live`, `acct_1`): naming those of another ends the test program. What belongs to a whole mode may be named in both.
    pub fn only(&self, mode: &str, account: &str) {
        let scope = OnlyScope { mode: mode.to_owned(), account: account.to_owned() };
        *self.world.only.lock().unwrap_or_else(PoisonError::into_inner) = Some(scope);
    }

    /// From now on any scope may be named: this story is about others too.
    pub fn any_scope(&self) {
        *self.world.only.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What clients made elsewhere (with production's own settings) are given as their HTTP client.
    pub fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(Connector::new(self.world.clone(), self.process.clone(), self.role))
    }

    /// This process's way to Stripe: every call passes the account's gate, then the sandbox.
    pub fn stripe(&self, sandbox: &Sandbox) -> Stripe {
        Stripe::new(self.world.clone(), self.process.clone(), sandbox.clone())
    }

    /// Lets something happen in between: `hook` is asked at every call of any process, after the call has passed the gate and
    /// before it is applied, and what it answers is done first. `call.number` tells which call it is (counted from 0 since the calls were
    /// last cleared: the enumerator counts a scenario and its recovery apart).
    ///
    /// ```ignore
    /// account.between(move |call| {
    ///     if call.number == 3 {
    ///         sandbox.control("POST", "live/acct_1/refunds", json!({"charge": charge})).unwrap();
    ///     }
    ///     async {}
    /// });
    /// ```
    ///
    /// Hooks stay until the account is dropped. What a hook does through clients of the account passes the gate itself and asks the
    /// hooks again, so let it be done once, by [`InProcess::another_process`] under [`InProcess::run`]: a fault may hit it too. A
    /// hook that holds this account keeps it for ever.
    pub fn between<F>(&self, mut hook: impl FnMut(&Call) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.world.gate.add_hook(Box::new(move |call| Box::pin(hook(call))));
    }

    /// The plan of what goes wrong.
    pub fn faults(&self) -> Faults {
        Faults::new(self.world.gate.clone())
    }

    /// Runs a future until it ends, or until the process dies at a call: then the future is dropped there. Tasks that
    /// it spawned are not dropped, but none of their calls is answered while the process is dead; after this
    /// returned, the process can be used again.
    pub async fn run<T>(&self, future: impl Future<Output = T>) -> Outcome<T> {
        self.process.run(future).await
    }

    /// The calls made so far by all processes, oldest first.
    pub fn calls(&self) -> Calls {
        self.world.gate.calls()
    }

    /// Forgets the calls; the next one is number 0.
    pub fn clear_calls(&self) {
        self.world.gate.clear_calls();
    }

    /// Applies every request that [`crate::Fault::ApplyLate`] still holds.
    pub fn apply_late(&self) {
        self.world.gate.apply_due(usize::MAX);
    }

    /// Sets how long operations take.
    pub fn set_latencies(&self, latencies: Latencies) {
        *self.world.latencies.lock().unwrap_or_else(PoisonError::into_inner) = latencies;
    }

    /// From now on, calls record the capacity units that DynamoDB counts for them.
    pub fn measure_capacity(&self) {
        self.world.dynamodb.measure();
    }

    /// Every item of a table, past the gate.
    ///
    /// # Errors
    /// If there is no such table.
    pub fn items(&self, table: &str) -> Result<Vec<Item>, DynoxideError> {
        self.world.dynamodb.items(table)
    }

    /// Makes another table from the JSON of a CreateTable request, past the gate.
    ///
    /// # Errors
    /// What CreateTable says.
    pub fn create_table(&self, definition: &Value) -> Result<(), DynoxideError> {
        self.world.dynamodb.create_table(definition)
    }

    /// The bodies in a queue, received or not, but not deleted; past the gate.
    pub fn queued(&self, queue_url: &str) -> Vec<String> {
        self.world.sqs.bodies(queue_url)
    }

    /// Every object of a bucket, past the gate.
    pub fn objects(&self, bucket: &str) -> BTreeMap<String, Bytes> {
        self.world.s3.objects(bucket)
    }

    /// How often each object of a bucket was written: the bucket keeps all versions.
    pub fn object_versions(&self, bucket: &str) -> BTreeMap<String, usize> {
        self.world.s3.versions(bucket)
    }

    /// Sets a secret, past the gate.
    pub fn set_secret(&self, arn: &str, value: &str) {
        self.world.secrets.set(arn, value);
    }

    /// Every mail that SES has taken, oldest first, past the gate.
    pub fn mails(&self) -> Vec<SentMail> {
        self.world.ses.mails()
    }

    /// From now on SES takes no mail to this address, as it does for one that it finds wrong.
    pub fn refuse_mail_to(&self, address: &str) {
        self.world.ses.refuse(address);
    }

    /// Enables or disables a key.
    pub fn enable_key(&self, key_id: &str, enabled: bool) {
        self.world.kms.enable(key_id, enabled);
    }

    /// Everything that is stored.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn dump(&self) -> Result<Dump, DynoxideError> {
        let mut dump = Dump::default();
        self.world.dynamodb.dump(&mut dump)?;
        self.world.sqs.dump(&mut dump);
        self.world.s3.dump(&mut dump);
        self.world.ses.dump(&mut dump);
        Ok(dump)
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess").field("process", &self.process.number).finish_non_exhaustive()
    }
}
