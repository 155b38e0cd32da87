//! The HTTP connector: takes the SDK's request to its double, through the gate.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use crate::fault::Fault;
use crate::gate::{Arrival, Entered};
use crate::process::Process;
use crate::refusals;
use crate::roles;
use crate::wire::{Reply, WireRequest};
use crate::world::World;

/// One process's way to the account.
#[derive(Clone)]
pub(crate) struct Connector {
    world: Arc<World>,
    process: Arc<Process>,
    role: Option<&'static str>,
}

impl Connector {
    pub(crate) fn new(world: Arc<World>, process: Arc<Process>, role: Option<&'static str>) -> Self {
        Self { world, process, role }
    }

    async fn attempt(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request = WireRequest::read(request).await.map_err(|why| ConnectorError::user(why.into()))?;
        self.process.alive().await;
        let arrival = Arrival {
            service: request.service,
            operation: request.operation.clone(),
            targets: request.targets(),
            body: request.body.clone(),
        };
        let entered = self.world.gate.enter(self.process.number, arrival);
        if let Some(role) = self.role {
            roles::check(role, self.world.only().as_ref(), &request, &entered.call);
        }
        let half = self.world.latency_of(&request.operation) / 2;
        pass(half).await;
        self.process.alive().await;
        self.world.gate.before(&entered).await;
        self.process.alive().await;
        let reply = self.decide(&entered, &request).await;
        pass(half).await;
        self.process.alive().await;
        let status = reply.as_ref().map(|reply| reply.status);
        self.world.gate.leave(&entered, status, reply.as_ref().and_then(|reply| reply.capacity_units));
        match reply {
            Some(reply) => reply.into_http(),
            None => Err(reset()),
        }
    }

    /// The answer; `None` is a reset connection.
    async fn decide(&self, entered: &Entered, request: &WireRequest) -> Option<Reply> {
        let apply = || self.world.apply(request, false);
        let Some(fault) = entered.fault else { return Some(apply()) };
        match fault {
            Fault::Fail => Some(refusals::failed(request.service)),
            Fault::Reset | Fault::NotSent | Fault::TimeOut => None,
            Fault::ApplyThenFail => {
                apply();
                Some(refusals::failed(request.service))
            }
            Fault::ApplyThenReset | Fault::ApplyThenTimeOut => {
                apply();
                None
            }
            Fault::ApplyLate { after } => {
                // Weak: the gate belongs to the account, and would keep it for ever.
                let (world, request) = (Arc::downgrade(&self.world), request.clone());
                self.world.gate.hold(entered.number + after, move || {
                    if let Some(world) = world.upgrade() {
                        world.apply(&request, false);
                    }
                });
                None
            }
            Fault::Conflict => Some(refusals::conflicted(request)),
            Fault::InProgress => Some(refusals::in_progress(request)),
            Fault::Throttle => Some(refusals::throttled(request.service)),
            Fault::Partial => match refusals::split_batch(request) {
                Some((part, leftover)) => Some(leftover.complete(self.world.apply(&part, false))),
                None => Some(refusals::failed(request.service)),
            },
            Fault::Duplicate => Some(self.world.apply(request, true)),
            Fault::Delay(time) => {
                tokio::time::sleep(time).await;
                self.process.alive().await;
                Some(apply())
            }
            Fault::Crash => self.process.crash().await,
            Fault::ApplyThenCrash => {
                apply();
                self.process.crash().await
            }
        }
    }
}

/// Lets other tasks run, and time pass where a latency is set.
pub(crate) async fn pass(time: Duration) {
    if time.is_zero() {
        tokio::task::yield_now().await;
    } else {
        tokio::time::sleep(time).await;
    }
}

fn reset() -> ConnectorError {
    ConnectorError::io(io::Error::new(io::ErrorKind::ConnectionReset, "connection reset (injected)").into())
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("process", &self.process.number).finish_non_exhaustive()
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.clone().attempt(request))
    }
}

impl HttpClient for Connector {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
