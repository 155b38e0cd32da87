//! What a sandbox starts with: seed, clock, the developer's account and its two apps.

use crate::app::{ALL_PERMISSIONS, App};
use crate::clock::Clock;
use crate::mode::Mode;

/// The API version an account has when a request or an endpoint names none.
pub const DEFAULT_API_VERSION: &str = "2026-06-24.dahlia";

/// The beginning of a sandbox. The default is complete and always the same.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// Ids are a function of the seed and the order of calls.
    pub seed: u64,
    /// Machine time, or a time that stands still.
    pub clock: Clock,
    /// The accounts' default API version.
    pub api_version: String,
    /// The account that owns the apps and their webhook endpoints.
    pub developer_account: String,
    /// The test-mode app.
    pub test_app: App,
    /// The live-mode app.
    pub live_app: App,
    /// Whether a token call that bears the `Idempotency-Key` of an earlier one is given its answer again. Stripe does not say.
    pub replays_tokens: bool,
    /// How often a delivery is attempted before it counts as failed.
    pub max_attempts: u32,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            seed: 1,
            clock: Clock::system(),
            api_version: DEFAULT_API_VERSION.to_owned(),
            developer_account: "acct_SandboxDeveloper".to_owned(),
            test_app: default_app(Mode::Test),
            live_app: default_app(Mode::Live),
            replays_tokens: false,
            max_attempts: 4,
        }
    }
}

fn default_app(mode: Mode) -> App {
    let suffix = match mode {
        Mode::Test => "Test",
        Mode::Live => "Live",
    };
    App {
        mode,
        client_id: format!("ca_SandboxApp{suffix}"),
        developer_key: format!("sk_{mode}_SandboxDeveloperKey{suffix}"),
        name: "Axiru".to_owned(),
        redirect_uris: Vec::new(),
        permissions: ALL_PERMISSIONS.iter().map(|name| (*name).to_owned()).collect(),
    }
}
