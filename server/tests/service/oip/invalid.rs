//! Invalid requests, each with its reason.

use std::collections::HashMap;

use bytes::Bytes;
use imageclassifier_proto::inference::{
    InferParameter, InferTensorContents, ModelInferRequest, ModelMetadataRequest,
    infer_parameter::ParameterChoice,
};
use tonic::Code;
use tonic_types::StatusExt;

use super::messages::{
    ENCODED, PREPARED, SIZE, client, encoded, floats, infer, output, prepared, prepared_typed,
    reason,
};
use crate::app::{App, photograph};

/// A name, a change that makes a request invalid, and the reason of the error.
pub(super) type Case = (
    &'static str,
    Box<dyn Fn(&mut ModelInferRequest)>,
    &'static str,
);

pub(super) fn invalid() -> Vec<Case> {
    fn case(
        name: &'static str,
        spoil: impl Fn(&mut ModelInferRequest) + 'static,
        reason: &'static str,
    ) -> Case {
        (name, Box::new(spoil), reason)
    }
    const TENSOR: &str = "TENSOR_MALFORMED";
    let shared_memory = || {
        let region = InferParameter {
            parameter_choice: Some(ParameterChoice::StringParam("region".to_owned())),
        };
        HashMap::from([("shared_memory_region".to_owned(), region)])
    };
    vec![
        case("no model", |r| r.model_name.clear(), "MODEL_UNKNOWN"),
        case(
            "another model",
            |r| r.model_name = "vgg".to_owned(),
            "MODEL_UNKNOWN",
        ),
        case(
            "another version",
            |r| r.model_version = "1".to_owned(),
            "MODEL_UNKNOWN",
        ),
        case("a long id", |r| r.id = "x".repeat(257), "ID_TOO_LONG"),
        case("no input", |r| r.inputs.clear(), TENSOR),
        case("two inputs", |r| r.inputs.push(r.inputs[0].clone()), TENSOR),
        case(
            "another input",
            |r| r.inputs[0].name = "x".to_owned(),
            TENSOR,
        ),
        case(
            "another type",
            |r| r.inputs[0].datatype = "UINT8".to_owned(),
            TENSOR,
        ),
        case("no shape", |r| r.inputs[0].shape.clear(), TENSOR),
        case("another axis", |r| r.inputs[0].shape.push(1), TENSOR),
        case("a negative axis", |r| r.inputs[0].shape[0] = -1, TENSOR),
        case("nothing", |r| r.inputs[0].shape[0] = 0, "BATCH_SIZE"),
        case("too much", |r| r.inputs[0].shape[0] = 65, "BATCH_SIZE"),
        case(
            "far too much",
            |r| r.inputs[0].shape[0] = i64::MAX,
            "BATCH_SIZE",
        ),
        case("more than there is", |r| r.inputs[0].shape[0] = 3, TENSOR),
        case("less than there is", |r| r.inputs[0].shape[0] = 1, TENSOR),
        case("no elements", |r| r.raw_input_contents.clear(), TENSOR),
        case(
            "elements twice",
            |r| r.inputs[0].contents = Some(InferTensorContents::default()),
            TENSOR,
        ),
        case(
            "raw elements twice",
            |r| r.raw_input_contents.push(Bytes::new()),
            TENSOR,
        ),
        case(
            "a byte too few",
            |r| {
                let end = r.raw_input_contents[0].len() - 1;
                r.raw_input_contents[0].truncate(end);
            },
            TENSOR,
        ),
        case(
            "elements of another type",
            |r| {
                r.raw_input_contents.clear();
                r.inputs[0].contents = Some(InferTensorContents {
                    int_contents: vec![1, 2],
                    ..Default::default()
                });
            },
            TENSOR,
        ),
        case(
            "shared memory",
            move |r| r.inputs[0].parameters = shared_memory(),
            TENSOR,
        ),
        case(
            "another output",
            |r| r.outputs = vec![output("x", None)],
            TENSOR,
        ),
        case(
            "an output in shared memory",
            move |r| {
                r.outputs = vec![output("label", None)];
                r.outputs[0].parameters = shared_memory();
            },
            TENSOR,
        ),
        case(
            "an output twice",
            |r| r.outputs = vec![output("logits", None), output("logits", Some(1))],
            TENSOR,
        ),
        case(
            "the highest words",
            |r| r.outputs = vec![output("label", Some(1))],
            TENSOR,
        ),
        case(
            "the highest none",
            |r| r.outputs = vec![output("logits", Some(0))],
            TENSOR,
        ),
        case(
            "fewer than none",
            |r| r.outputs = vec![output("logits", Some(-1))],
            TENSOR,
        ),
        case(
            "more than all",
            |r| r.outputs = vec![output("logits", Some(1001))],
            "TOP_K_OUT_OF_RANGE",
        ),
    ]
}

#[tokio::test]
async fn rejects_tensors_that_do_not_fit_the_model() {
    let app = App::start().await;
    let values = vec![0.0; 2 * 3 * SIZE * SIZE];
    for whole in [
        encoded(&["coffee.png", "rocket.jpg"].map(photograph)),
        prepared(&values),
    ] {
        for (name, spoil, expected) in invalid() {
            let mut request = whole.clone();
            spoil(&mut request);
            let status = infer(&app, request).await.unwrap_err();
            assert_eq!(reason(&status), expected, "{name}: {status:?}");
            let code = match expected {
                "MODEL_UNKNOWN" => Code::NotFound,
                _ => Code::InvalidArgument,
            };
            assert_eq!(status.code(), code, "{name}");
            assert!(status.get_details_bad_request().is_some(), "{name}");
            assert!(
                status.message().contains(':'),
                "{name} does not say what to do: {status:?}"
            );
        }
        // The unchanged request is valid.
        infer(&app, whole).await.unwrap();
    }
    let unknown = ModelMetadataRequest {
        name: "vgg".to_owned(),
        version: String::new(),
    };
    let status = client(&app)
        .await
        .model_metadata(unknown)
        .await
        .unwrap_err();
    assert_eq!(
        (status.code(), &*reason(&status)),
        (Code::NotFound, "MODEL_UNKNOWN")
    );
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.metadata["available"], format!("{ENCODED} {PREPARED}"));
}

#[tokio::test]
async fn rejects_infinite_and_huge_values() {
    let app = App::start().await;
    for (value, accepted) in [
        (f32::NAN, false),
        (f32::INFINITY, false),
        (-1e38, false),
        (1e6, true),
        (-1e6, true),
    ] {
        let mut values = vec![0.0; 2 * 3 * SIZE * SIZE];
        values[3 * SIZE * SIZE + 7] = value;
        for request in [prepared(&values), prepared_typed(&values)] {
            match infer(&app, request).await {
                Ok(answer) => {
                    assert!(accepted, "{value}");
                    let sum: f32 = floats(&answer, "probabilities").iter().sum();
                    assert!((sum - 2.0).abs() < 1e-3, "{sum}");
                }
                Err(status) => {
                    assert!(!accepted, "{value}: {status:?}");
                    assert_eq!(status.code(), Code::InvalidArgument);
                    assert_eq!(reason(&status), "TENSOR_MALFORMED");
                    assert!(status.message().contains("image 1"), "{status:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn the_first_invalid_image_fails_the_request() {
    let app = App::start().await;
    let coffee = photograph("coffee.png");
    for (images, expected) in [
        (
            vec![coffee.clone(), "text".into(), Bytes::new()],
            "IMAGE_FORMAT_UNKNOWN",
        ),
        (
            vec![coffee.clone(), Bytes::new(), "text".into()],
            "IMAGE_EMPTY",
        ),
        (
            vec![coffee.slice(..5000), Bytes::new()],
            "IMAGE_UNDECODABLE",
        ),
    ] {
        let status = infer(&app, encoded(&images)).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(reason(&status), expected);
    }
}
