//! One call in plain HTTP, read back into the contract's messages, so that tests of every protocol are tests of this one too.

use std::{collections::HashMap, net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use imageclassifier_proto::{
    ClassifyImageRequest, ClassifyImageResponse, Crop, Heatmap, Prediction, Timings,
};
use serde_json::Value;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::protocol::{Answer, Http, send};

/// As [`crate::protocol::call`].
pub(crate) async fn call(
    address: SocketAddr,
    version: Http,
    request: &ClassifyImageRequest,
    headers: &[(&str, &str)],
) -> Answer {
    let query = format!(
        "top_k={}&model={}&explain={}&embed={}",
        request.top_k, request.model, request.explain, request.embed
    );
    let mut post = Request::post(format!("/v1/classify?{query}"));
    for (name, value) in headers {
        post = post.header(*name, *value);
    }
    let response = send(address, version, post, request.image_data.clone()).await;
    Answer {
        headers: response.headers().clone(),
        outcome: read(&response),
    }
}

/// What a response says, in the contract's words.
pub(crate) fn read(response: &Response<Bytes>) -> Result<ClassifyImageResponse, Status> {
    assert_eq!(response.headers()["content-type"], "application/json");
    assert!(!response.headers().contains_key("grpc-status"));
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    if response.status() == 200 {
        return Ok(answer(&body));
    }
    Err(read_error(response))
}

/// The status of a request that failed.
pub(crate) fn read_error(response: &Response<Bytes>) -> Status {
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    let status = status(&body);
    check_head(response.status().as_u16(), response.headers(), &status);
    status
}

fn answer(body: &Value) -> ClassifyImageResponse {
    let crop = &body["crop"];
    ClassifyImageResponse {
        label: text(&body["label"]),
        confidence: float(&body["confidence"]),
        predictions: list(&body["predictions"], |prediction| Prediction {
            label: text(&prediction["label"]),
            confidence: float(&prediction["confidence"]),
            index: whole(&prediction["index"]),
            heatmap: prediction.get("heatmap").map(|heatmap| Heatmap {
                height: whole(&heatmap["height"]),
                width: whole(&heatmap["width"]),
                values: list(&heatmap["values"], float),
            }),
        }),
        model: text(&body["model"]),
        model_revision: text(&body["model_revision"]),
        timings: Some(Timings {
            decode_ms: float(&body["decode_ms"]),
            queue_ms: float(&body["queue_ms"]),
            inference_ms: float(&body["inference_ms"]),
        }),
        request_id: text(&body["request_id"]),
        crop: Some(Crop {
            left: whole(&crop["left"]),
            top: whole(&crop["top"]),
            side: whole(&crop["side"]),
            picture_width: whole(&crop["picture_width"]),
            picture_height: whole(&crop["picture_height"]),
        }),
        unknown: body["unknown"] == true,
        known_score: body.get("known_score").map(float),
        embedding: body
            .get("embedding")
            .map_or_else(Vec::new, |values| list(values, float)),
    }
}

fn status(body: &Value) -> Status {
    let mut details = ErrorDetails::new();
    for detail in body["details"].as_array().unwrap() {
        let name = text(&detail["@type"]);
        match name
            .strip_prefix("type.googleapis.com/google.rpc.")
            .unwrap()
        {
            "ErrorInfo" => {
                let metadata = detail["metadata"].as_object().unwrap().iter();
                let metadata: HashMap<_, _> = metadata
                    .map(|(key, value)| (key.clone(), text(value)))
                    .collect();
                details.set_error_info(text(&detail["reason"]), text(&detail["domain"]), metadata);
            }
            "BadRequest" => {
                for violation in detail["fieldViolations"].as_array().unwrap() {
                    let (field, description) = (&violation["field"], &violation["description"]);
                    details.add_bad_request_violation(text(field), text(description));
                }
            }
            "RetryInfo" => {
                let delay = text(&detail["retryDelay"]);
                let seconds = delay.strip_suffix('s').unwrap().parse().unwrap();
                details.set_retry_info(Some(Duration::from_secs_f64(seconds)));
            }
            other => panic!("{other} is no detail of ours"),
        }
    }
    let code = Code::from(i32::try_from(body["code"].as_i64().unwrap()).unwrap());
    Status::with_error_details(code, text(&body["message"]), details)
}

/// HTTP's own words say the same.
fn check_head(http_status: u16, headers: &HeaderMap, status: &Status) {
    let details = status.get_error_details();
    let reason = details.error_info().map(|info| &*info.reason);
    let expected = match (reason.unwrap_or_default(), status.code()) {
        ("IMAGE_TOO_LARGE", _) => 413,
        ("IMAGE_FORMAT_UNKNOWN" | "MESSAGE_COMPRESSED", _) => 415,
        ("OVERLOADED", _) => 503,
        ("RATE_LIMITED", _) => 429,
        (_, Code::InvalidArgument) => 400,
        (_, Code::Unauthenticated) => 401,
        (_, Code::NotFound | Code::Unimplemented) => 404,
        (_, Code::Internal) => 500,
        (_, Code::Unavailable) => 503,
        (_, Code::DeadlineExceeded) => 504,
        other => panic!("{other:?} is no failure of ours"),
    };
    assert_eq!(http_status, expected, "{status:?}");
    let retry_after = headers.get("retry-after");
    let retry_after = retry_after.map(|value| value.to_str().unwrap().parse().unwrap());
    let delay = details.retry_info().and_then(|info| info.retry_delay);
    assert_eq!(retry_after, delay.map(|delay| delay.as_secs_f64().ceil()));
    assert_eq!(headers.contains_key("www-authenticate"), http_status == 401);
}

fn list<T>(value: &Value, read: impl Fn(&Value) -> T) -> Vec<T> {
    value.as_array().unwrap().iter().map(read).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[allow(clippy::cast_possible_truncation, reason = "they were f32 before")]
fn float(value: &Value) -> f32 {
    value.as_f64().unwrap() as f32
}

fn whole(value: &Value) -> u32 {
    value.as_u64().unwrap().try_into().unwrap()
}
