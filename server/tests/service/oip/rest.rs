//! The protocol in plain HTTP: what gRPC's messages say, in JSON, with or without binary tensors.

mod body;

use std::fs;

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{Request, Response};
use imageclassifier_proto::inference::{ModelInferRequest, ModelInferResponse};
use serde_json::{Value, json};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::{
    assert_close,
    invalid::invalid,
    messages::{
        ENCODED, PREPARED, SIZE, encoded, encoded_typed, floats, infer, output, planes, prepared,
        prepared_typed, reason, strings,
    },
};
use crate::{
    app::{App, photograph, within_seconds},
    plain::read_error,
    protocol::{Http, Protocol, call, send, send_to},
    script::{Script, order},
};

const JSON_LENGTH: &str = "inference-header-content-length";

async fn get(app: &App, path: &str) -> Response<Bytes> {
    send(app.address, Http::One, Request::get(path), Bytes::new()).await
}

async fn post(
    app: &App,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Response<Bytes> {
    let mut request = Request::post(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(app.address, Http::One, request, body.into()).await
}

fn json(response: &Response<Bytes>) -> Value {
    assert_eq!(response.headers()["content-type"], "application/json");
    serde_json::from_slice(response.body()).unwrap()
}

/// The error, which the protocol's own clients read from `error`.
fn error(response: &Response<Bytes>) -> Status {
    let status = read_error(response);
    assert_eq!(json(response)["error"], status.message());
    status
}

/// The same request as over gRPC.
async fn infer_over_http(
    app: &App,
    request: &ModelInferRequest,
) -> Result<ModelInferResponse, Status> {
    let (path, json_bytes, body) = body::write(request);
    let length = json_bytes.map(|bytes| bytes.to_string());
    let length = length.as_deref().map(|length| (JSON_LENGTH, length));
    let response = post(app, &path, length.as_slice(), body).await;
    match response.status().as_u16() {
        200 => Ok(body::read(&response)),
        _ => Err(error(&response)),
    }
}

#[tokio::test]
async fn server_and_models_describe_themselves() {
    let app = App::start().await;
    for path in ["/v2", "/v2/"] {
        let server = json(&get(&app, path).await);
        assert_eq!(server["name"], "imageclassifier");
        let extensions = server["extensions"].as_array().unwrap();
        assert!(extensions.contains(&json!("binary_tensor_data")));
    }
    assert_eq!(
        json(&get(&app, "/v2/health/live").await),
        json!({ "live": true })
    );
    assert_eq!(
        json(&get(&app, "/v2/health/ready").await),
        json!({ "ready": true })
    );
    let head = send(
        app.address,
        Http::One,
        Request::head("/v2/health/ready"),
        Bytes::new(),
    );
    assert_eq!(head.await.status(), 200);

    let path = format!("/v2/models/{PREPARED}");
    let metadata = json(&get(&app, &path).await);
    assert_eq!(metadata["name"], PREPARED);
    let input = json!({ "name": "input", "datatype": "FP32", "shape": [-1, 3, SIZE, SIZE] });
    assert_eq!(metadata["inputs"], json!([input]));
    let output = json!({ "name": "probabilities", "datatype": "FP32", "shape": [-1, 1000] });
    assert_eq!(metadata["outputs"], json!([output]));
    let version = metadata["versions"][0].as_str().unwrap();
    let of_version = format!("{path}/versions/{version}");
    assert_eq!(json(&get(&app, &of_version).await), metadata);

    let config = json(&get(&app, &format!("{path}/config")).await);
    assert_eq!(config["max_batch_size"], 34);
    let input = json!({
        "name": "input", "data_type": "TYPE_FP32", "format": "FORMAT_NCHW", "dims": [3, SIZE, SIZE],
    });
    assert_eq!(config["input"], json!([input]));

    for (path, status) in [
        (format!("{path}/ready"), 200),
        (format!("{of_version}/ready"), 200),
        (format!("{path}/versions/1/ready"), 404),
        ("/v2/models/vgg/ready".to_owned(), 404),
    ] {
        let response = get(&app, &path).await;
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(json(&response)["ready"], status == 200);
    }
}

#[tokio::test]
async fn what_is_not_there_is_an_error_in_json() {
    let app = App::with_stages(&[], Script::default().stages()).await;
    let infer = format!("/v2/models/{ENCODED}/infer");
    for (method, path, expected) in [
        ("GET", "/v2/models/vgg", "MODEL_UNKNOWN"),
        ("GET", "/v2/models/vgg/config", "MODEL_UNKNOWN"),
        ("GET", "/v2/models/%ff", "MODEL_UNKNOWN"),
        ("POST", "/v2/models/vgg/infer", "MESSAGE_MALFORMED"),
        ("GET", &infer, "METHOD_UNKNOWN"),
        ("POST", "/v2/health/live", "METHOD_UNKNOWN"),
        ("POST", "/v2/models/vgg", "METHOD_UNKNOWN"),
        ("GET", "/v2/models", "METHOD_UNKNOWN"),
        ("GET", "/v2/models/vgg/stats", "METHOD_UNKNOWN"),
        ("POST", "/v2/repository/index", "METHOD_UNKNOWN"),
    ] {
        let request = Request::builder().method(method).uri(path);
        let response = send(app.address, Http::One, request, Bytes::new()).await;
        let status = error(&response);
        assert_eq!(reason(&status), expected, "{method} {path}");
    }
}

#[tokio::test]
async fn results_are_those_of_grpc() {
    let app = App::start().await;
    let images = ["coffee.png", "rocket.jpg"].map(photograph);
    let values = ["coffee.png", "rocket.jpg"].map(planes).concat();
    let expected = infer(&app, encoded(&images)).await.unwrap();
    for mut request in [
        encoded(&images),
        encoded_typed(&images),
        prepared(&values),
        prepared_typed(&values),
    ] {
        request.id = "the-request".to_owned();
        let answer = infer_over_http(&app, &request).await.unwrap();
        assert_eq!(answer.model_name, request.model_name);
        assert_eq!(answer.model_version, expected.model_version);
        assert_eq!(answer.id, "the-request");
        let found = floats(&answer, "probabilities");
        assert_close(&found, &floats(&expected, "probabilities"));

        request.model_version.clone_from(&expected.model_version);
        request.outputs = vec![output("label", None), output("logits", Some(2))];
        let answer = infer_over_http(&app, &request).await.unwrap();
        assert_eq!(answer.outputs[1].shape, [2, 2]);
        assert_eq!(strings(&answer, "label"), ["espresso", "missile"]);
        let highest = strings(&answer, "logits");
        assert!(highest[0].ends_with(":967:espresso"), "{highest:?}");
    }
}

/// As `curl --data-binary @coffee.png` would send it.
#[tokio::test]
async fn a_body_without_json_is_an_image() {
    let app = App::start().await;
    let path = format!("/v2/models/{ENCODED}/infer");
    let image = photograph("coffee.png");
    let response = post(&app, &path, &[(JSON_LENGTH, "0")], image).await;
    assert_eq!(json(&response)["outputs"][0]["data"], json!(["espresso"]));
}

#[tokio::test]
async fn each_output_is_sent_as_requested() {
    let app = App::with_stages(&[], Script::default().stages()).await;
    let path = format!("/v2/models/{ENCODED}/infer");
    let mut request = json!({
        "inputs": [{
            "name": "image", "datatype": "BYTES", "shape": [1],
            "parameters": { "content_type": "base64", "ignored": [{}, null, 1.5] },
            "data": [body::base64(&order("").image_data)],
        }],
        "outputs": [
            { "name": "label", "parameters": { "binary_data": true } },
            { "name": "probabilities" },
            { "name": "logits", "parameters": { "binary_data": false } },
        ],
        "unknown": { "is": "ignored" },
    });
    for (default, binary) in [
        (json!({}), [true, false, false]),
        (json!({ "binary_data_output": true }), [true, true, false]),
    ] {
        request["parameters"] = default;
        let response = post(&app, &path, &[], request.to_string()).await;
        assert_eq!(response.status(), 200, "{response:?}");
        let head = response.headers();
        assert_eq!(head["content-type"], "application/octet-stream");
        let json_bytes: usize = head[JSON_LENGTH].to_str().unwrap().parse().unwrap();
        let answer: Value = serde_json::from_slice(&response.body()[..json_bytes]).unwrap();
        let mut following = 0;
        for (output, binary) in answer["outputs"].as_array().unwrap().iter().zip(binary) {
            let bytes = output["parameters"]["binary_data_size"].as_u64();
            assert_eq!(
                (bytes.is_some(), output["data"].is_array()),
                (binary, !binary)
            );
            following += bytes.unwrap_or_default();
        }
        let expected = response.body().len() - json_bytes;
        assert_eq!(usize::try_from(following).unwrap(), expected);
    }
}

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

#[tokio::test]
async fn bodies_may_be_compressed() {
    let app = App::with_stages(&[], Script::default().stages()).await;
    let (path, json_bytes, body) = body::write(&encoded(&[order("").image_data]));
    let json_bytes = json_bytes.unwrap().to_string();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    std::io::Write::write_all(&mut encoder, &body).unwrap();
    let compressed = encoder.finish().unwrap();
    let headers = [(JSON_LENGTH, &*json_bytes), ("content-encoding", "gzip")];
    let response = post(&app, &path, &headers, compressed.clone()).await;
    assert_eq!(body::read(&response).outputs.len(), 3);
    let headers = [(JSON_LENGTH, &*json_bytes), ("content-encoding", "deflate")];
    let status = error(&post(&app, &path, &headers, compressed).await);
    assert_eq!(reason(&status), "MESSAGE_COMPRESSED");
}

#[tokio::test]
async fn the_largest_image_is_taken_in_either_form() {
    let options = [
        "--image-bytes-max",
        "200000",
        "--upload-bytes-max",
        "400000",
    ];
    let app = App::with_stages(&options, Script::default().stages()).await;
    for (bytes, fits) in [(200_000, true), (200_001, false), (450_000, false)] {
        let mut image = order("").image_data.to_vec();
        image.resize(bytes, b' ');
        for request in [
            encoded(&[image.clone().into()]),
            encoded_typed(&[image.into()]),
        ] {
            match infer_over_http(&app, &request).await {
                Ok(_) => assert!(fits, "{bytes}"),
                Err(status) => {
                    assert!(!fits, "{bytes}: {status:?}");
                    assert_eq!(reason(&status), "IMAGE_TOO_LARGE");
                }
            }
        }
    }
    assert!(app.metric("imageclassifier_upload_in_flight_bytes").await < 0.5);
}

#[tokio::test]
async fn limits_and_faults_apply_as_to_every_request() {
    let script = Script::default();
    let options = ["--calls-max", "1", "--rate-limit", "4"];
    let app = App::with_stages(&options, script.stages()).await;
    let (path, json_bytes, body) = body::write(&encoded(&[order("sleep 700").image_data]));
    let json_bytes = json_bytes.unwrap().to_string();
    let headers = [(JSON_LENGTH, &*json_bytes), ("grpc-timeout", "300m")];
    let status = error(&post(&app, &path, &headers, body).await);
    assert_eq!(status.code(), Code::DeadlineExceeded);

    let images = vec![order("").image_data; 5];
    let status = infer_over_http(&app, &encoded(&images)).await.unwrap_err();
    assert_eq!(reason(&status), "RATE_LIMITED");

    let app = App::with_stages(&options[..2], script.stages()).await;
    let broken = encoded(&[order("panic in decode").image_data]);
    let status = infer_over_http(&app, &broken).await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    let before = script.decodes();
    let address = app.address;
    let busy =
        tokio::spawn(async move { call(address, Protocol::Grpc, &order("sleep 1000"), &[]).await });
    within_seconds(10, async {
        while script.decodes() == before {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    })
    .await;
    let request = encoded(&[order("").image_data]);
    let status = infer_over_http(&app, &request).await.unwrap_err();
    assert_eq!(reason(&status), "OVERLOADED");
    busy.await.unwrap().outcome.unwrap();
    infer_over_http(&app, &request).await.unwrap();
    let series = "imageclassifier_calls_total{method=\"ModelInfer\",protocol=\"http\",code=\"OK\"}";
    assert!((app.metric(series).await - 1.0).abs() < 0.5);
}

#[tokio::test]
async fn probes_need_neither_token_nor_name_and_everything_else_does() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens");
    // `printf %s secret | sha256sum`
    let digest = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
    fs::write(&file, format!("page {digest}\n")).unwrap();
    let options = ["--token-file", file.to_str().unwrap()];
    let app = App::with_stages(&options, Script::default().stages()).await;
    let model = format!("/v2/models/{ENCODED}");
    for (path, probe) in [
        ("/v2/health/live", true),
        ("/v2/health/ready", true),
        (&format!("{model}/ready"), true),
        ("/v2", false),
        (&model, false),
        (&format!("{model}/config"), false),
        (&format!("{model}/infer"), false),
    ] {
        let response = get(&app, path).await;
        assert_eq!(response.status(), if probe { 200 } else { 401 }, "{path}");
        let request = Request::get(path);
        let response = send_to(app.address, "cluster_1", Http::Two, request, Bytes::new()).await;
        assert_eq!(response.status(), if probe { 200 } else { 421 }, "{path}");
    }
    let request = Request::post("/v2/health/ready");
    let response = send_to(app.address, "cluster_1", Http::Two, request, Bytes::new()).await;
    assert_eq!(response.status(), 421);
    let request = Request::get("/v2").header("authorization", "Bearer secret");
    let response = send(app.address, Http::One, request, Bytes::new()).await;
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn health_follows_the_server() {
    let script = Script::default();
    script.kill();
    let app = App::begin_with_stages(&[], script.stages()).await;
    let model = format!("/v2/models/{ENCODED}/ready");
    for (path, status) in [
        ("/v2/health/live", 200),
        ("/v2/health/ready", 503),
        (&*model, 503),
    ] {
        assert_eq!(get(&app, path).await.status(), status, "{path}");
    }
    let classified = call(app.address, Protocol::Plain(Http::One), &order(""), &[]).await;
    assert_eq!(classified.outcome.unwrap_err().code(), Code::Unavailable);
    let request = encoded(&[order("").image_data]);
    let status = infer_over_http(&app, &request).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
}
