//! Rejected requests: their codes, reasons and details are the same over every protocol.

use bytes::Bytes;
use http::Request;
use imageclassifier_client::{CallError, ErrorKind};
use imageclassifier_proto::{ClassifyImageRequest, ErrorReason};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::{
    app::{App, photograph},
    protocol::{Http, Protocol, classify, send},
};

struct Case {
    name: &'static str,
    request: ClassifyImageRequest,
    code: Code,
    reason: &'static str,
    field: &'static str,
    details: &'static [(&'static str, &'static str)],
}

fn image(bytes: impl Into<Bytes>) -> ClassifyImageRequest {
    ClassifyImageRequest {
        image_data: bytes.into(),
        ..Default::default()
    }
}

fn cases() -> Vec<Case> {
    let case = |name, request, reason, field, details| Case {
        name,
        request,
        code: Code::InvalidArgument,
        reason,
        field,
        details,
    };
    vec![
        case("empty", image(""), "IMAGE_EMPTY", "image_data", &[]),
        case(
            "text",
            image("not an image"),
            "IMAGE_FORMAT_UNKNOWN",
            "image_data",
            &[(
                "accepted",
                "image/jpeg image/png image/webp image/gif image/bmp image/tiff image/vnd.microsoft.icon image/qoi \
                 image/x-portable-anymap image/x-tga",
            )],
        ),
        case(
            "half an image",
            image(photograph("coffee.png").slice(..5000)),
            "IMAGE_UNDECODABLE",
            "image_data",
            &[],
        ),
        case(
            "over the limit",
            image(vec![0; 1_000_001]),
            "IMAGE_TOO_LARGE",
            "image_data",
            &[("bytes", "1000001"), ("bytes_max", "1000000")],
        ),
        case(
            "far over the limit",
            image(vec![0; 8_000_000]),
            "IMAGE_TOO_LARGE",
            "image_data",
            &[("bytes_max", "1000000")],
        ),
        case(
            "too many pixels",
            image(photograph("airplane-from-above.jpg")),
            "IMAGE_DIMENSIONS",
            "image_data",
            &[
                ("width", "1024"),
                ("height", "717"),
                ("pixels_max", "500000"),
            ],
        ),
        case(
            "top_k",
            ClassifyImageRequest {
                top_k: 1001,
                ..image(photograph("coffee.png"))
            },
            "TOP_K_OUT_OF_RANGE",
            "top_k",
            &[("top_k", "1001"), ("top_k_max", "1000")],
        ),
        Case {
            code: Code::NotFound,
            ..case(
                "model",
                ClassifyImageRequest {
                    model: "vgg".to_owned(),
                    ..image(photograph("coffee.png"))
                },
                "MODEL_UNKNOWN",
                "model",
                &[("model", "vgg"), ("available", "efficientnet-lite0")],
            )
        },
    ]
}

#[tokio::test]
async fn errors_say_what_the_caller_can_do() {
    let app = App::with(&["--image-bytes-max", "1000000", "--pixels-max", "500000"]).await;
    for case in cases() {
        for protocol in Protocol::ALL {
            let name = format!("{} over {protocol:?}", case.name);
            let status = classify(app.address, protocol, case.request.clone())
                .await
                .unwrap_err();
            assert_eq!(status.code(), case.code, "{name}: {status:?}");
            let info = status.get_details_error_info().expect(&name);
            assert_eq!(info.domain, "imageclassifier", "{name}");
            assert_eq!(info.reason, case.reason, "{name}");
            assert!(ErrorReason::from_str_name(&info.reason).is_some(), "{name}");
            for (key, value) in case.details {
                assert_eq!(
                    info.metadata.get(*key).map(String::as_str),
                    Some(*value),
                    "{name}"
                );
            }
            let violations = status
                .get_details_bad_request()
                .expect(&name)
                .field_violations;
            assert_eq!(violations[0].field, case.field, "{name}");
            assert_eq!(violations[0].description, status.message(), "{name}");
            assert!(
                status.message().contains(':'),
                "{name} says no way on: {}",
                status.message()
            );
        }
    }
}

#[tokio::test]
async fn unknown_methods_are_unimplemented() {
    let app = App::start().await;
    let mut client = tonic::client::Grpc::new(app.channel().await);
    client.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<ClassifyImageRequest, ClassifyImageRequest>::default();
    let path = http::uri::PathAndQuery::from_static("/imageclassifier.ImageClassifier/Draw");
    let outcome = client
        .unary(tonic::Request::new(image("")), path, codec)
        .await;
    let status = outcome.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.reason, "METHOD_UNKNOWN");
    assert!(status.message().contains("server reflection"), "{status:?}");
}

/// Of every service: whichever the client calls first tells it.
#[tokio::test]
async fn unknown_compressions_are_rejected_as_the_specification_wants() {
    let app = App::start().await;
    for path in [
        "/imageclassifier.ImageClassifier/Classify",
        "/imageclassifier.ImageClassifier/ClassifyBatch",
        "/imageclassifier.ImageClassifier/ClassifyStream",
        "/inference.GRPCInferenceService/ModelInfer",
        "/grpc.health.v1.Health/Check",
    ] {
        for (version, content_type) in [
            (Http::One, "application/grpc-web+proto"),
            (Http::Two, "application/grpc-web+proto"),
            (Http::Two, "application/grpc"),
        ] {
            let request = Request::post(path)
                .header("content-type", content_type)
                .header("grpc-encoding", "snappy");
            let message = Bytes::from_static(b"\x01\0\0\0\x03\n\x01a");
            let answer = send(app.address, version, request, message).await;
            let status = Status::from_header_map(answer.headers()).unwrap();
            assert_eq!(
                status.code(),
                Code::Unimplemented,
                "{path}, {content_type}: {status:?}"
            );
            let info = status.get_details_error_info().unwrap();
            assert_eq!(info.reason, "MESSAGE_COMPRESSED", "{path}, {content_type}");
            assert_eq!(
                answer.headers()["grpc-accept-encoding"],
                "gzip,zstd,identity"
            );
        }
    }
}

#[tokio::test]
async fn clients_over_the_request_limit_are_told_to_retry() {
    let app = App::with(&["--calls-max", "1"]).await;
    let calls = (0..6).map(|_| {
        tokio::spawn(classify(
            app.address,
            Protocol::Grpc,
            image(photograph("coffee.png")),
        ))
    });
    let mut answered = 0;
    for call in calls.collect::<Vec<_>>() {
        match call.await.unwrap() {
            Ok(answer) => {
                assert_eq!(answer.label, "espresso");
                answered += 1;
            }
            Err(status) => {
                assert_eq!(status.code(), Code::ResourceExhausted);
                let retry = status.get_details_retry_info().unwrap().retry_delay;
                assert!(retry.is_some_and(|delay| !delay.is_zero()));
                let error = CallError::from(status);
                assert_eq!(error.kind(), ErrorKind::Unavailable);
                assert_eq!(error.reason(), ErrorReason::Overloaded);
                assert_eq!(error.retry_after(), retry);
            }
        }
    }
    assert!(
        (1..6).contains(&answered),
        "{answered} of 6 calls answered by one place"
    );
    // The place is free again.
    let later = classify(app.address, Protocol::Grpc, image(photograph("coffee.png"))).await;
    assert_eq!(later.unwrap().label, "espresso");
}

#[tokio::test]
async fn bytes_of_all_messages_together_are_bounded() {
    let options = [
        "--image-bytes-max",
        "1000000",
        "--upload-bytes-max",
        "1000000",
    ];
    let app = App::with(&options).await;
    for protocol in Protocol::ALL {
        // Twice the limit of an image still counts as one that is read to say how long it is.
        let status = classify(app.address, protocol, image(vec![0; 1_500_000]))
            .await
            .unwrap_err();
        assert_eq!(
            status.code(),
            Code::ResourceExhausted,
            "{protocol:?}: {status:?}"
        );
        assert!(status.get_details_retry_info().is_some(), "{protocol:?}");
        let answer = classify(app.address, protocol, image(photograph("coffee.png"))).await;
        assert_eq!(answer.unwrap().label, "espresso", "{protocol:?}");
        assert!(app.metric("imageclassifier_upload_in_flight_bytes").await < 0.5);
    }
}

#[tokio::test]
async fn rejects_corrupt_messages() {
    let app = App::start().await;
    for (name, body) in [
        ("longer than it is", &b"\0\0\0\0\x09\n\x01a"[..]),
        ("compressed", b"\x01\0\0\0\x03\n\x01a"),
        ("of an unknown flag", b"\x02\0\0\0\x03\n\x01a"),
        ("no protobuf", b"\0\0\0\0\x03\n\x05a"),
        ("empty", b""),
    ] {
        for (version, content_type) in [
            (Http::One, "application/grpc-web+proto"),
            (Http::Two, "application/grpc-web+proto"),
            (Http::Two, "application/grpc"),
        ] {
            let request = Request::post("/imageclassifier.ImageClassifier/Classify")
                .header("content-type", content_type);
            let answer = send(app.address, version, request, Bytes::from_static(body)).await;
            let status = Status::from_header_map(answer.headers());
            let status = status.unwrap_or_else(|| panic!("{name}: {answer:?}"));
            assert_eq!(
                status.code(),
                Code::InvalidArgument,
                "{name}, {content_type}: {status:?}"
            );
            let info = status.get_details_error_info().unwrap();
            assert_eq!(info.reason, "MESSAGE_MALFORMED", "{name}, {content_type}");
        }
    }
}
