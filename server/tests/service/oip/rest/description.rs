//! What server and models say of themselves, and what is not there.

use bytes::Bytes;
use http::Request;
use serde_json::json;

use super::{error, get, json};
use crate::{
    app::App,
    oip::messages::{ENCODED, PREPARED, SIZE, reason},
    protocol::{Http, send},
    script::Script,
};

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
