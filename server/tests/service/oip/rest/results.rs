//! Results are those of gRPC, in either form.

use serde_json::{Value, json};

use super::{JSON_LENGTH, body, infer_over_http, json, post};
use crate::{
    app::{App, photograph},
    oip::{
        assert_close,
        messages::{
            ENCODED, encoded, encoded_typed, floats, infer, output, planes, prepared,
            prepared_typed, strings,
        },
    },
    script::{Script, order},
};

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
