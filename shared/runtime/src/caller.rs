//! The caller of an operators' route, as the HTTP API's IAM authorizer has verified them. Nothing that the caller says of themselves counts.

use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};

/// The ARN of the verified caller of a request, as the authorizer gives it; none if it names none.
#[must_use]
pub fn verified_arn(request: &Request) -> Option<&str> {
    let RequestContext::ApiGatewayV2(context) = request.request_context_ref()? else {
        return None;
    };
    context.authorizer.as_ref()?.iam.as_ref()?.user_arn.as_deref()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(authorizer: &str) -> Request {
        let event = format!(
            r#"{{"version":"2.0","routeKey":"POST /admin/setup-links","rawPath":"/admin/setup-links","rawQueryString":"",
                "headers":{{"x-user-arn":"arn:aws:iam::111122223333:user/forged"}},
                "requestContext":{{"http":{{"method":"POST","path":"/admin/setup-links"}}{authorizer}}},"isBase64Encoded":false}}"#
        );
        lambda_http::request::from_str(&event).unwrap()
    }

    #[test]
    fn only_the_authorizer_names_the_caller() {
        let verified = r#","authorizer":{"iam":{"userArn":"arn:aws:sts::111122223333:assumed-role/ops/rosa","accountId":"111122223333"}}"#;
        assert_eq!(verified_arn(&request(verified)), Some("arn:aws:sts::111122223333:assumed-role/ops/rosa"));
        for none in [
            "",
            r#","authorizer":{}"#,
            r#","authorizer":{"iam":{}}"#,
            r#","authorizer":{"iam":{"userArn":null}}"#,
            r#","authorizer":{"lambda":{"userArn":"arn:aws:iam::111122223333:user/forged"}}"#,
            r#","authorizer":{"jwt":{"claims":{"userArn":"arn:aws:iam::111122223333:user/forged"}}}"#,
        ] {
            assert_eq!(verified_arn(&request(none)), None, "{none}");
        }
    }
}
