//! Requests that are rejected, each with its reason.

use tonic_types::StatusExt;

use super::{JSON_LENGTH, error, infer_over_http, post};
use crate::{
    app::{App, photograph},
    oip::{
        invalid::invalid,
        messages::{ENCODED, SIZE, encoded, prepared, reason},
    },
    script::Script,
};

#[tokio::test]
async fn rejects_what_grpc_rejects() {
    let app = App::start().await;
    let values = vec![0.0; 2 * 3 * SIZE * SIZE];
    for whole in [
        encoded(&["coffee.png", "rocket.jpg"].map(photograph)),
        prepared(&values),
    ] {
        for (name, spoil, expected) in invalid() {
            // A path must name a model, and a tensor stands behind the JSON once.
            if ["no model", "raw elements twice"].contains(&name) {
                continue;
            }
            let mut request = whole.clone();
            spoil(&mut request);
            let status = infer_over_http(&app, &request).await.unwrap_err();
            assert_eq!(reason(&status), expected, "{name}: {status:?}");
            assert!(status.get_details_bad_request().is_some(), "{name}");
        }
    }
}

#[tokio::test]
async fn rejects_malformed_bodies() {
    let app = App::with_stages(&[], Script::default().stages()).await;
    let path = format!("/v2/models/{ENCODED}/infer");
    let inputs = |count: usize| {
        let input = r#"{"name":"image","datatype":"BYTES","shape":[1],"data":["a"]}"#;
        format!("{{\"inputs\":[{}]}}", vec![input; count].join(","))
    };
    let binary = |bytes: &str| {
        format!(
            r#"{{"inputs":[{{"name":"image","datatype":"BYTES","shape":[1],"parameters":{{"binary_data_size":{bytes}}}}}]}}"#
        )
    };
    let long = |json: &str, rest: usize| [json.as_bytes(), &vec![b'x'; rest]].concat();
    let (four, negative) = (binary("4"), binary("-1"));
    let length = |json: &str| json.len().to_string();
    for (name, length, body) in [
        ("nothing", None, Vec::new()),
        ("no object", None, b"[]".to_vec()),
        ("no JSON", None, vec![0xff; 9]),
        ("no inputs", None, b"{}".to_vec()),
        ("no list", None, inputs(1).replace("[\"a\"]", "{}").into()),
        (
            "a list of both",
            None,
            inputs(1).replace("[\"a\"]", "[\"a\", 1]").into(),
        ),
        (
            "far too many numbers",
            None,
            inputs(1)
                .replace("\"a\"", &format!("0{}", ",0".repeat(5_300_000)))
                .into(),
        ),
        ("many inputs", None, inputs(65).into()),
        (
            "a length that is not a number",
            Some("ten".to_owned()),
            inputs(1).into(),
        ),
        ("a negative length", Some("-1".to_owned()), inputs(1).into()),
        (
            "a length beyond the body",
            Some("999".to_owned()),
            inputs(1).into(),
        ),
        (
            "a length within the JSON",
            Some("9".to_owned()),
            inputs(1).into(),
        ),
        (
            "fewer bytes than announced",
            Some(length(&four)),
            long(&four, 3),
        ),
        (
            "more bytes than announced",
            Some(length(&four)),
            long(&four, 5),
        ),
        (
            "a negative number of bytes",
            Some(length(&negative)),
            long(&negative, 1),
        ),
    ] {
        let length = length.as_deref().map(|length| (JSON_LENGTH, length));
        let response = post(&app, &path, length.as_slice(), body).await;
        let status = error(&response);
        assert_eq!(response.status(), 400, "{name}");
        assert_eq!(reason(&status), "MESSAGE_MALFORMED", "{name}: {status:?}");
        assert!(status.message().contains("Open Inference"), "{status:?}");
    }
    for (name, data) in [
        ("numbers", "[1]"),
        ("nothing", "[]"),
        ("no base64", "[\"=\"]"),
        ("many strings", &format!("[{}\"\"]", "\"\",".repeat(1000))),
    ] {
        let body = format!(
            r#"{{"inputs":[{{"name":"image","datatype":"BYTES","shape":[1],"parameters":{{"content_type":"base64"}},"data":{data}}}]}}"#
        );
        let status = error(&post(&app, &path, &[], body).await);
        assert_eq!(reason(&status), "TENSOR_MALFORMED", "{name}: {status:?}");
    }
    // What remains is the image, which is none.
    let response = post(&app, &path, &[], inputs(1)).await;
    assert_eq!(reason(&error(&response)), "IMAGE_FORMAT_UNKNOWN");
    assert!(app.metric("imageclassifier_upload_in_flight_bytes").await < 0.5);
}
