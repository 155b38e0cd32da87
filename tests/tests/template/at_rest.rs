//! What lies still is encrypted, under a key that the account can see used and disable.

use serde_json::json;

use super::expanded::{list, properties, referenced, resources};

#[test]
fn tables_secrets_and_logs_are_encrypted_under_a_key_of_the_account() {
    let key = Some("RestKey".to_owned());
    for (id, table) in resources("AWS::DynamoDB::Table") {
        let encryption = &table["Properties"]["SSESpecification"];
        assert_eq!((&encryption["SSEEnabled"], &encryption["SSEType"]), (&json!(true), &json!("KMS")), "{id}");
        assert_eq!(referenced(&encryption["KMSMasterKeyId"]), key, "{id}");
        assert_eq!(table["Properties"]["DeletionProtectionEnabled"], true, "{id}");
    }
    for kind in ["AWS::SecretsManager::Secret", "AWS::Logs::LogGroup"] {
        for (id, resource) in resources(kind) {
            assert_eq!(referenced(&resource["Properties"]["KmsKeyId"]), key, "{id}");
        }
    }
    for (id, bucket) in resources("AWS::S3::Bucket") {
        assert!(bucket["Properties"]["BucketEncryption"].is_object(), "{id}");
        for block in ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"] {
            assert_eq!(bucket["Properties"]["PublicAccessBlockConfiguration"][block], true, "{id} {block}");
        }
    }
}

#[test]
fn the_key_of_what_lies_still_opens_by_way_of_the_service_that_keeps_it_only() {
    let statements = list(&properties("RestKey")["KeyPolicy"]["Statement"]);
    assert_eq!(statements.len(), 3);
    for statement in &statements {
        assert_eq!(statement["Effect"], "Allow");
        let anybody = statement["Principal"] == json!({"AWS": "*"});
        if anybody {
            let only = &statement["Condition"]["StringEquals"];
            assert_eq!(only["kms:CallerAccount"], json!({"Ref": "AWS::AccountId"}));
            assert_eq!(list(&only["kms:ViaService"]).len(), 2);
        }
        let all = statement["Action"] == "kms:*";
        assert_eq!(all, statement["Sid"] == "AccountAdministers", "{statement}");
    }
    // CloudWatch encrypts logs of this stack with it, and no others.
    let logs = &statements[2]["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]["Fn::Sub"];
    assert!(logs.as_str().expect("a pattern").ends_with(":log-group:${AWS::StackName}-*"), "{logs}");
    assert_eq!(properties("RestKey")["EnableKeyRotation"], true);
}

#[test]
fn who_reads_the_export_is_written_down_where_nobody_else_writes() {
    let logging = &properties("ExportBucket")["LoggingConfiguration"];
    assert_eq!(referenced(&logging["DestinationBucketName"]).as_deref(), Some("ReadersBucket"));
    let statements = list(&properties("ReadersBucketPolicy")["PolicyDocument"]["Statement"]);
    assert_eq!(statements[0]["Effect"], "Deny");
    assert_eq!(statements[1]["Principal"], json!({"Service": "logging.s3.amazonaws.com"}));
    assert_eq!(statements[1]["Action"], "s3:PutObject");
    let source = &statements[1]["Condition"]["ArnEquals"]["aws:SourceArn"];
    assert_eq!(referenced(source).as_deref(), Some("ExportBucket"));
}
