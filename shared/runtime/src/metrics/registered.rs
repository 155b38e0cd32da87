//! Every metric that there is: who writes it, by what, and in which unit. An alarm or a dashboard that names another one waits for ever;
//! a test compares (`tests/tests/template/alarms.rs`).

/// What a metric is told apart by, besides the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The mode, always.
    Mode,
    /// Nothing: whose it is nobody knows then.
    Function,
    /// The mode where it is known.
    Either,
}

/// What the number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// How many.
    Count,
    /// A time.
    Milliseconds,
    /// A longer time.
    Seconds,
}

impl Unit {
    /// CloudWatch's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Milliseconds => "Milliseconds",
            Self::Seconds => "Seconds",
        }
    }
}

/// Every function, for what all of them write.
const ALL: &[&str] = &[
    "admin",
    "approve",
    "connect",
    "decide",
    "execute",
    "export",
    "gateway",
    "notify",
    "observe",
    "reconcile",
    "refresh",
    "sweep",
    "webhook",
];

macro_rules! metrics {
    ($($name:ident, $unit:ident, $by:ident, $functions:expr;)+) => {
        /// A metric. What each means stands in `docs/operations.md`.
        #[allow(missing_docs)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Metric {
            $($name,)+
        }

        impl Metric {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// Its name in CloudWatch.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }

            /// Its unit.
            #[must_use]
            pub const fn unit(self) -> Unit {
                match self {
                    $(Self::$name => Unit::$unit,)+
                }
            }

            /// What it is told apart by.
            #[must_use]
            pub const fn by(self) -> By {
                match self {
                    $(Self::$name => By::$by,)+
                }
            }

            /// The functions that write it.
            #[must_use]
            pub const fn functions(self) -> &'static [&'static str] {
                match self {
                    $(Self::$name => $functions,)+
                }
            }
        }
    };
}

metrics! {
    ApprovalsCancelled, Count, Mode, &["execute"];
    ApprovalsExpired, Count, Mode, &["sweep"];
    ApprovalsPending, Count, Mode, &["sweep"];
    ApproverUnreachable, Count, Mode, &["notify"];
    AsksRefused, Count, Function, &["refresh"];
    CallsRefused, Count, Function, &["gateway"];
    ColdStarts, Count, Function, ALL;
    Conflicts, Count, Function, ALL;
    DaysSealed, Count, Mode, &["export"];
    DecisionMillis, Milliseconds, Mode, &["decide", "gateway"];
    DecisionsAllowed, Count, Mode, &["decide", "gateway"];
    DecisionsBlocked, Count, Mode, &["decide", "gateway"];
    DecisionsExpired, Count, Mode, &["sweep"];
    DecisionsHeld, Count, Mode, &["decide", "gateway"];
    DecisionsOpen, Count, Mode, &["sweep"];
    EntriesAppended, Count, Mode, &["observe", "reconcile"];
    EventNotQueued, Count, Mode, &["webhook"];
    EventRefused, Count, Mode, &["webhook"];
    EventsIgnored, Count, Mode, &["webhook"];
    EventsNotRecovered, Count, Mode, &["reconcile"];
    EventsQueued, Count, Mode, &["webhook"];
    EventsRecovered, Count, Mode, &["reconcile"];
    ExecutionsQueued, Count, Mode, &["sweep"];
    ExecutionsSettled, Count, Mode, &["sweep"];
    ExecutionsUnknown, Count, Mode, &["sweep"];
    ExportAlarm, Count, Mode, &["export"];
    ExportPutOff, Count, Mode, &["export"];
    Heartbeats, Count, Mode, &["sweep"];
    HeldAltered, Count, Mode, &["notify"];
    JobsDone, Count, Mode, &["execute"];
    JobsLost, Count, Mode, &["approve", "decide"];
    JobsPutOff, Count, Mode, &["execute"];
    JobsRefused, Count, Function, &["execute"];
    KmsErrors, Count, Function, ALL;
    LedgerLagSeconds, Seconds, Mode, &["export"];
    LimitsNearlyUsed, Count, Mode, &["decide", "gateway"];
    LimitsReached, Count, Mode, &["decide", "gateway"];
    LinksRefused, Count, Function, &["approve"];
    LiveEventOnTestEndpoint, Count, Mode, &["webhook"];
    Made, Count, Mode, &["gateway"];
    MailPutOff, Count, Mode, &["notify"];
    MailRefused, Count, Mode, &["notify"];
    MailsDelayed, Count, Function, &["notify"];
    MailsReturned, Count, Mode, &["notify"];
    MailsSent, Count, Mode, &["notify"];
    MovementsUngoverned, Count, Mode, &["execute", "observe", "reconcile"];
    NoOperators, Count, Mode, &["notify"];
    OutcomeUnknown, Count, Mode, &["execute", "gateway"];
    PolicyErrors, Count, Mode, &["decide", "gateway"];
    RateLimited, Count, Mode, &["decide"];
    Reads, Count, Mode, &["gateway"];
    ReauthRequired, Count, Mode, &["refresh"];
    ReconcileNotCompared, Count, Mode, &["reconcile"];
    ReconcileUnmatched, Count, Mode, &["reconcile"];
    ReportsNotConnected, Count, Mode, &["observe"];
    ReportsPutOff, Count, Mode, &["observe"];
    ReportsRefused, Count, Either, &["observe"];
    RequestsRefused, Count, Function, &["decide"];
    ReturnsForeign, Count, Either, &["notify"];
    ReturnsUnreadable, Count, Function, &["notify"];
    SegmentsWritten, Count, Mode, &["export"];
    ShadowUnrecorded, Count, Mode, &["gateway"];
    SignatureRefused, Count, Mode, &["webhook"];
    StripeFailed, Count, Function, ALL;
    StripeMillis, Milliseconds, Function, ALL;
    StripeRefused, Count, Mode, &["gateway"];
    StripeThrottled, Count, Function, ALL;
    StripeUnanswered, Count, Mode, &["gateway"];
    TasksPutOff, Count, Mode, &["reconcile"];
    TasksRefused, Count, Either, &["reconcile"];
    TokensPutOff, Count, Mode, &["refresh"];
    TokensRefused, Count, Mode, &["refresh"];
    TokensRenewed, Count, Mode, &["refresh"];
    Undecided, Count, Mode, &["decide"];
    UnknownSeconds, Seconds, Mode, &["sweep"];
    Votes, Count, Mode, &["approve"];
}

impl Metric {
    /// Whether `function` writes it for such a mode.
    pub(crate) fn is_of(self, function: &str, mode: bool) -> bool {
        let by = match self.by() {
            By::Mode => mode,
            By::Function => !mode,
            By::Either => true,
        };
        by && self.functions().contains(&function)
    }
}
