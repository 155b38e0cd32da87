//! The way to Stripe: a transport whose every request passes the gate, then the sandbox.

use std::fmt;
use std::sync::Arc;

use axiru_stripe::transport::{Answering, Transport, TransportError};
use axiru_stripe_sandbox::{ApiAnswer, ApiRequest, Mishap, RateLimitReason, Sandbox, SandboxConfig};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use serde_json::{Value, json};

use crate::call::Service;
use crate::connector::pass;
use crate::fault::Fault;
use crate::gate::{Arrival, Entered};
use crate::names::{DEVELOPER_SECRET_LIVE_VALUE, DEVELOPER_SECRET_TEST_VALUE};
use crate::process::Process;
use crate::world::World;

type Answer = Result<Response<Bytes>, TransportError>;

/// The clock that the sandbox is set to, in Unix seconds.
type Now = Arc<dyn Fn() -> i64 + Send + Sync>;

/// A sandbox whose apps are those that the account's developer secrets hold at the start.
pub fn sandbox_config() -> SandboxConfig {
    let mut config = SandboxConfig::default();
    for (app, secret) in
        [(&mut config.test_app, DEVELOPER_SECRET_TEST_VALUE), (&mut config.live_app, DEVELOPER_SECRET_LIVE_VALUE)]
    {
        let secret: Value = serde_json::from_str(secret).unwrap_or_default();
        let text = |name: &str| secret.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        app.client_id = text("client_id");
        app.developer_key = text("developer_key");
    }
    config
}

/// One process's way to Stripe. Cheap to clone.
#[derive(Clone)]
pub struct Stripe {
    world: Arc<World>,
    process: Arc<Process>,
    door: Door,
}

impl Stripe {
    pub(crate) fn new(world: Arc<World>, process: Arc<Process>, sandbox: Sandbox) -> Self {
        Self { world, process, door: Door { sandbox, now: None } }
    }

    /// The same, but the sandbox's clock is set to `now` (Unix seconds) whenever a request is applied, so that the sandbox ages with
    /// the test: its keys are forgotten after a day of the test's time.
    #[must_use]
    pub fn at(mut self, now: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        self.door.now = Some(Arc::new(now));
        self
    }

    /// The sandbox behind it.
    pub fn sandbox(&self) -> &Sandbox {
        &self.door.sandbox
    }

    async fn pass_through(&self, request: Request<Bytes>) -> Answer {
        let request = api_request(request);
        let operation = operation(&request);
        let half = self.world.latency_of(&operation) / 2;
        let arrival = Arrival {
            service: Service::Stripe,
            operation,
            targets: vec![request.path.clone()],
            body: request.body.clone().into(),
        };
        self.process.alive().await;
        let entered = self.world.gate.enter(self.process.number, arrival);
        pass(half).await;
        self.process.alive().await;
        self.world.gate.before(&entered).await;
        self.process.alive().await;
        let answer = self.decide(&entered, request).await;
        pass(half).await;
        self.process.alive().await;
        self.world.gate.leave(&entered, answer.as_ref().ok().map(|answer| answer.status().as_u16()), None);
        answer
    }

    async fn decide(&self, entered: &Entered, request: ApiRequest) -> Answer {
        let door = &self.door;
        let Some(fault) = entered.fault else { return answered(door.apply(&request)) };
        match fault {
            Fault::NotSent => Err(TransportError::Unreached),
            Fault::Reset => Err(TransportError::Broken),
            Fault::TimeOut => Err(TransportError::TimedOut),
            Fault::ApplyThenTimeOut => {
                door.apply(&request);
                Err(TransportError::TimedOut)
            }
            Fault::ApplyThenReset => {
                door.apply(&request);
                Err(TransportError::Broken)
            }
            Fault::ApplyLate { after } => {
                let (door, request) = (door.clone(), request);
                self.world.gate.hold(entered.number + after, move || {
                    door.apply(&request);
                });
                Err(TransportError::TimedOut)
            }
            Fault::Fail => answered(door.fail(&request, Mishap::Error500)),
            Fault::ApplyThenFail => answered(door.fail(&request, Mishap::Error500AfterEffect)),
            Fault::InProgress => answered(door.fail(&request, Mishap::KeyInUse)),
            Fault::Conflict => answered(door.fail(&request, Mishap::LockTimeout)),
            Fault::Throttle => answered(door.fail(&request, Mishap::RateLimit(RateLimitReason::GlobalRate))),
            // Stripe knows neither.
            Fault::Partial | Fault::Duplicate => answered(door.apply(&request)),
            Fault::Delay(time) => {
                tokio::time::sleep(time).await;
                self.process.alive().await;
                answered(door.apply(&request))
            }
            Fault::Crash => self.process.crash().await,
            Fault::ApplyThenCrash => {
                door.apply(&request);
                self.process.crash().await
            }
        }
    }
}

impl Transport for Stripe {
    fn send(&self, request: Request<Bytes>) -> Answering<'_> {
        Box::pin(self.pass_through(request))
    }
}

impl fmt::Debug for Stripe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stripe").field("process", &self.process.number).finish_non_exhaustive()
    }
}

/// The sandbox at the test's time.
#[derive(Clone)]
struct Door {
    sandbox: Sandbox,
    now: Option<Now>,
}

impl Door {
    fn apply(&self, request: &ApiRequest) -> ApiAnswer {
        self.set_clock();
        self.sandbox.api(request)
    }

    fn fail(&self, request: &ApiRequest, mishap: Mishap) -> ApiAnswer {
        self.set_clock();
        self.sandbox.api_with(request, mishap)
    }

    fn set_clock(&self) {
        if let Some(now) = &self.now {
            // Any second is one that the clock can be set to.
            let _ = self.sandbox.control("POST", "clock", json!({ "set": now() }));
        }
    }
}

fn api_request(request: Request<Bytes>) -> ApiRequest {
    let (head, body) = request.into_parts();
    ApiRequest {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body: body.to_vec(),
    }
}

fn answered(answer: ApiAnswer) -> Answer {
    if answer.dropped {
        return Err(TransportError::Broken);
    }
    let mut response = Response::new(Bytes::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).map_err(|_| TransportError::Broken)?;
    for (name, value) in answer.headers {
        let value = HeaderValue::try_from(value).map_err(|_| TransportError::Broken)?;
        response.headers_mut().append(HeaderName::from_static(name), value);
    }
    Ok(response)
}

/// `POST /v1/refunds/:id/cancel`. In Stripe's paths resources and ids take turns, and ids have an underscore.
fn operation(request: &ApiRequest) -> String {
    let mut operation = format!("{} /v1", request.method);
    let path = request.path.strip_prefix("/v1/").unwrap_or(&request.path);
    for (place, segment) in path.trim_matches('/').split('/').enumerate() {
        operation.push('/');
        operation.push_str(if place % 2 == 1 && segment.contains('_') { ":id" } else { segment });
    }
    operation
}
