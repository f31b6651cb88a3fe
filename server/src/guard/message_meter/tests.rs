use prost::Message;
use tokio::sync::Semaphore;
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_request::MessageRequest,
};

use super::*;
use crate::guard::fixture::{self, LIMITS};

fn meter(protocol: Protocol, method: Method) -> MessageMeter {
    let reservation = fixture::reservation(&Arc::new(Semaphore::new(1 << 20)));
    MessageMeter::new(&fixture::head(protocol, method), LIMITS, reservation)
}

fn prefix(flag: u8, bytes: usize) -> Vec<u8> {
    let length = u32::try_from(bytes).unwrap().to_be_bytes();
    [&[flag], &length[..]].concat()
}

fn framed(flag: u8, content: &[u8]) -> Vec<u8> {
    [&prefix(flag, content.len()), content].concat()
}

#[test]
fn a_stream_makes_progress_with_each_message_and_every_16_kib() {
    const STEP: usize = 16 << 10;
    let message = framed(0, &[0; 40 << 10]);
    let mut meter = meter(Protocol::Grpc, Method::ClassifyStream);
    let mut from = 0;
    for (to, expected, why) in [
        (100, Progress::Made, "a message has begun"),
        (200, Progress::TooLittle, "100 bytes"),
        (99 + STEP, Progress::TooLittle, "a byte less than 16 KiB"),
        (100 + STEP, Progress::Made, "16 KiB"),
        (200 + STEP, Progress::TooLittle, "100 bytes after progress"),
        (message.len() - 1, Progress::Made, "more than 16 KiB"),
        (message.len(), Progress::Made, "a message has ended"),
        (message.len() + 2, Progress::Made, "less than a prefix"),
    ] {
        let stream = [&message[..], &message].concat();
        let progress = meter.receive(&stream[from..to]);
        assert!(progress.is_ok_and(|found| found == expected), "{why}");
        from = to;
    }
}

#[test]
fn each_message_of_a_stream_may_be_as_long_as_the_limit() {
    let longest = prefix(0, LIMITS.message_bytes_max);
    let longer = prefix(0, LIMITS.message_bytes_max + 1);
    let short = framed(0, b"short");
    let mut accepting = meter(Protocol::Grpc, Method::ClassifyStream);
    assert!(accepting.receive(&longest).is_ok());
    let mut rejecting = meter(Protocol::Grpc, Method::ClassifyStream);
    let rejected = rejecting.receive(&[&short[..], &longer].concat());
    assert!(matches!(
        rejected,
        Err(Rejection::After(10, RequestError::MessageTooLarge { .. }))
    ));
}

#[test]
fn only_whole_messages_before_a_malformed_one_are_handed_on() {
    let request = ServerReflectionRequest {
        host: "localhost".to_owned(),
        message_request: Some(MessageRequest::ListServices("*".to_owned())),
    };
    let valid = framed(0, &request.encode_to_vec());
    let malformed = framed(0, b"\x0a\x05a");
    let mut meter = meter(Protocol::Grpc, Method::Reflection);
    let rejected = meter.receive(&[&valid[..], &valid, &malformed].concat());
    let Err(Rejection::After(bytes, RequestError::MessageMalformed)) = rejected else {
        panic!("the last message was accepted");
    };
    assert_eq!(bytes, 2 * valid.len());
}

#[test]
fn a_single_message_may_be_as_long_as_the_limit() {
    let mut meter = meter(Protocol::Http, Method::Classify);
    assert!(meter.receive(&vec![0; LIMITS.message_bytes_max]).is_ok());
    assert!(matches!(
        meter.receive(&[0]),
        Err(Rejection::AtEnd(RequestError::MessageTooLarge { .. }))
    ));
}

#[test]
fn only_the_images_of_uncompressed_batches_are_counted() {
    let images = [0x0A, 0].repeat(4);
    for (method, flag, counted) in [
        (Method::ClassifyBatch, 0, true),
        (Method::ClassifyBatch, 1, false),
        (Method::Classify, 0, false),
    ] {
        let received = meter(Protocol::Grpc, method).receive(&framed(flag, &images));
        match received {
            Ok(_) => assert!(!counted, "{method:?}, {flag}"),
            Err(Rejection::AtEnd(RequestError::BatchSize { images, .. })) => {
                assert!(counted, "{method:?}, {flag}");
                assert_eq!(images, ImageCount::AtLeast(4));
            }
            Err(_) => panic!("{method:?}, {flag}: rejected for another reason"),
        }
    }
}
