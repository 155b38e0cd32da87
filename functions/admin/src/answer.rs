//! Answers: what was done, or why not. Status codes follow from the kind of a refusal.

use axiru_aws::Retry;
use axiru_aws::admin::AdminError;
use axiru_aws::admin::refusal::RefusalKind;
use axiru_policy::PlanError;
use axiru_runtime::problem::Problem;
use http::{Response, StatusCode, header};
use lambda_http::Body;
use serde_json::{Value, json};

/// What a route gives.
pub(crate) type Answer = Result<Value, Problem>;

/// 200 with JSON, never kept by anybody on the way.
pub(crate) fn ok(value: &Value) -> Response<Body> {
    let mut response = Response::new(Body::Text(value.to_string()));
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}

/// The problem that an error is to the caller. What went wrong inside is logged and not told.
pub(crate) fn problem(error: AdminError) -> Problem {
    match error {
        AdminError::Refused(refusal) => {
            let status = match refusal.kind {
                RefusalKind::Form => StatusCode::BAD_REQUEST,
                RefusalKind::Forbidden => StatusCode::FORBIDDEN,
                RefusalKind::Missing => StatusCode::NOT_FOUND,
                RefusalKind::Conflict => StatusCode::CONFLICT,
            };
            Problem::new(status, refusal.code, refusal.detail)
        }
        AdminError::Plan(error) => plan_problem(&error),
        AdminError::Commit(error) => {
            tracing::error!(error = %error, "an administrative act could not be committed");
            match error.retry() {
                Retry::Later => Problem::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "unavailable",
                    "the tables did not answer, so it may have happened or not; ask again with the same change id",
                ),
                Retry::Never => Problem::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "not_committed",
                    "something that Axiru wrote is not as it wrote it; the function's log says what",
                ),
            }
        }
    }
}

/// Everything that is wrong with a plan.
pub(crate) fn plan_problem(error: &PlanError) -> Problem {
    let shown = |problem: &axiru_policy::Problem| {
        json!({
            "file": problem.file,
            "line": problem.line,
            "column": problem.column,
            "policy": problem.policy,
            "message": problem.message,
            "advice": problem.advice,
            "text": problem.to_string(),
        })
    };
    let problems: Vec<Value> = error.problems().iter().map(shown).collect();
    let count = problems.len();
    let detail = format!("the plan has {count} problem{}", if count == 1 { "" } else { "s" });
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "plan_refused", detail).with("problems", problems.into())
}
