//! The Secrets Manager double.

use super::{account, code};
use crate::{DEVELOPER_SECRET_LIVE, DEVELOPER_SECRET_TEST, DEVELOPER_SECRET_TEST_VALUE, Retries};

#[tokio::test]
async fn secrets_are_there_can_be_set_and_can_be_missing() {
    let account = account();
    let client = account.secrets(Retries::Off);
    let get = async |arn: &str| client.get_secret_value().secret_id(arn).send().await;
    assert_eq!(get(DEVELOPER_SECRET_TEST).await.unwrap().secret_string(), Some(DEVELOPER_SECRET_TEST_VALUE));
    account.set_secret(DEVELOPER_SECRET_LIVE, "{}");
    assert_eq!(get(DEVELOPER_SECRET_LIVE).await.unwrap().secret_string(), Some("{}"));
    assert_eq!(code(get("nowhere").await), "ResourceNotFoundException");
}
