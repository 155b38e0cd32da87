//! The S3 double: conditions, checksums, listing, streams.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ObjectLockMode;

use super::{account, code};
use crate::{EXPORT_BUCKET, Fault, Retries};

async fn create(client: &Client, key: &str, body: &'static str) -> String {
    let put = client.put_object().bucket(EXPORT_BUCKET).key(key).body(ByteStream::from_static(body.as_bytes()));
    code(put.if_none_match("*").send().await)
}

async fn read(client: &Client, key: &str) -> Vec<u8> {
    let got = client.get_object().bucket(EXPORT_BUCKET).key(key).send().await.unwrap();
    got.body.collect().await.unwrap().to_vec()
}

#[tokio::test]
async fn the_first_conditional_put_wins() {
    let account = account();
    let client = account.s3(Retries::Off);
    let key = "v1/live/acct 1/ü+&<%/0.ndjson";
    assert_eq!(create(&client, key, "first").await, "no error");
    assert_eq!(create(&client, key, "second").await, "PreconditionFailed");
    assert_eq!(read(&client, key).await, b"first");
    assert_eq!(account.objects(EXPORT_BUCKET).keys().collect::<Vec<_>>(), [key]);
    assert_eq!(account.object_versions(EXPORT_BUCKET)[key], 1);
}

#[tokio::test]
async fn if_match_replaces_only_the_version_it_names() {
    let client = account().s3(Retries::Off);
    let put = |body: &'static str, tag: &str| {
        let put = client.put_object().bucket(EXPORT_BUCKET).key("checkpoint").if_match(tag);
        put.body(ByteStream::from_static(body.as_bytes())).send()
    };
    assert_eq!(code(put("x", "\"0\"").await), "NoSuchKey");
    create(&client, "checkpoint", "one").await;
    let tag = client.head_object().bucket(EXPORT_BUCKET).key("checkpoint").send().await.unwrap().e_tag.unwrap();
    put("two", &tag).await.unwrap();
    assert_eq!(code(put("three", &tag).await), "PreconditionFailed");
    assert_eq!(read(&client, "checkpoint").await, b"two");
}

#[tokio::test]
async fn sixteen_at_once_have_one_winner() {
    let client = account().s3(Retries::Off);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let client = client.clone();
        tasks.spawn(async move { create(&client, "one", "x").await });
    }
    let won = tasks.join_all().await.iter().filter(|answer| *answer == "no error").count();
    assert_eq!(won, 1);
}

/// A body that is read from a file is sent in chunks, with the checksum behind the last one.
#[tokio::test]
async fn a_streamed_body_is_taken_out_of_its_chunks() {
    let account = account();
    let client = account.s3(Retries::Off);
    let file = tempfile::NamedTempFile::new().unwrap();
    let body = vec![b'z'; 300_000];
    std::fs::write(file.path(), &body).unwrap();
    let stream = ByteStream::from_path(file.path()).await.unwrap();
    client.put_object().bucket(EXPORT_BUCKET).key("large").body(stream).send().await.unwrap();
    assert_eq!(account.objects(EXPORT_BUCKET)["large"], body);
    assert_eq!(read(&client, "large").await, body);
}

#[tokio::test]
async fn a_wrong_checksum_is_refused_and_a_right_one_comes_back() {
    let account = account();
    let client = account.s3(Retries::Off);
    let put = |sum: &str| {
        let put = client.put_object().bucket(EXPORT_BUCKET).key("k").checksum_crc32(sum);
        put.body(ByteStream::from_static(b"123456789")).send()
    };
    assert_eq!(code(put("AAAAAA==").await), "BadDigest");
    assert!(account.objects(EXPORT_BUCKET).is_empty());
    put("y/Q5Jg==").await.unwrap();
    let got = client.get_object().bucket(EXPORT_BUCKET).key("k");
    let got = got.checksum_mode(aws_sdk_s3::types::ChecksumMode::Enabled).send().await.unwrap();
    assert_eq!(got.checksum_crc32(), Some("y/Q5Jg=="));
}

#[tokio::test]
async fn locks_are_kept_and_missing_things_are_missing() {
    let client = account().s3(Retries::Off);
    let put = client.put_object().bucket(EXPORT_BUCKET).key("locked").object_lock_mode(ObjectLockMode::Compliance);
    let until = aws_sdk_s3::primitives::DateTime::from_secs(2_000_000_000);
    put.object_lock_retain_until_date(until).body(ByteStream::from_static(b"x")).send().await.unwrap();
    let head = client.head_object().bucket(EXPORT_BUCKET).key("locked").send().await.unwrap();
    assert_eq!(head.object_lock_mode(), Some(&ObjectLockMode::Compliance));
    assert_eq!(head.object_lock_retain_until_date(), Some(&until));
    assert_eq!(code(client.get_object().bucket(EXPORT_BUCKET).key("none").send().await), "NoSuchKey");
    let head = client.head_object().bucket(EXPORT_BUCKET).key("none").send().await.unwrap_err();
    assert!(head.into_service_error().is_not_found());
    assert_eq!(code(client.get_object().bucket("nowhere").key("none").send().await), "NoSuchBucket");
    assert_eq!(code(client.get_bucket_policy().bucket(EXPORT_BUCKET).send().await), "NotImplemented");
}

#[tokio::test]
async fn listings_have_pages_prefixes_and_folders() {
    let client = account().s3(Retries::Off);
    for key in ["a/1", "a/2", "a/3", "a/b/4", "a/b/5", "z"] {
        assert_eq!(create(&client, key, "x").await, "no error");
    }
    let mut keys = Vec::new();
    let mut pages = 0;
    let list = client.list_objects_v2().bucket(EXPORT_BUCKET).prefix("a/").max_keys(2);
    let mut paginator = list.into_paginator().send();
    while let Some(page) = paginator.next().await {
        keys.extend(page.unwrap().contents().iter().map(|object| object.key().unwrap().to_owned()));
        pages += 1;
    }
    assert_eq!((keys.join(" ").as_str(), pages), ("a/1 a/2 a/3 a/b/4 a/b/5", 3));
    let folders = client.list_objects_v2().bucket(EXPORT_BUCKET).prefix("a/").delimiter("/").send().await.unwrap();
    assert_eq!(folders.common_prefixes()[0].prefix(), Some("a/b/"));
    assert_eq!((folders.contents().len(), folders.common_prefixes().len()), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn a_put_applied_and_reported_failed_meets_itself() {
    let account = account();
    account.faults().at(0, Fault::ApplyThenFail);
    assert_eq!(create(&account.s3(Retries::On), "k", "x").await, "PreconditionFailed");
    account.faults().next("PutObject", Fault::Conflict);
    assert_eq!(create(&account.s3(Retries::Off), "l", "x").await, "ConditionalRequestConflict");
}
