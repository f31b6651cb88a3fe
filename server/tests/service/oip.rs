//! The Open Inference Protocol: the same answers, limits and failures.

use std::{collections::HashMap, fs, pin::pin, time::Duration};

use bytes::{Buf, Bytes};
use http::Request;
use imageclassifier_model::{DecodedImage, EncodedImage, Input};
use imageclassifier_proto::{
    ClassifyImageRequest,
    inference::{
        DataType, InferParameter, InferTensorContents, ModelConfigRequest, ModelInferRequest,
        ModelInferResponse, ModelMetadataRequest, ModelReadyRequest, ServerLiveRequest,
        ServerMetadataRequest, ServerReadyRequest,
        grpc_inference_service_client::GrpcInferenceServiceClient,
        infer_parameter::ParameterChoice,
        model_infer_request::{InferInputTensor, InferRequestedOutputTensor},
        model_input::Format,
    },
};
use prost::Message;
use tokio::{runtime::Builder, task::spawn_blocking, time::timeout};
use tonic::{Code, Status, transport::Channel};
use tonic_types::StatusExt;

use crate::{
    app::{App, photograph, within_seconds},
    protocol::{Http, Protocol, classify, frame, send},
    script::{Script, order},
};

const ENCODED: &str = "efficientnet-lite0";
const PREPARED: &str = "efficientnet-lite0-preprocessed";
const SIZE: usize = 224;

/// A large message is decoded where it may take its time: not on the threads that all connections share.
#[test]
fn large_tensors_are_decoded_off_the_runtime() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let app = App::with_stages(&[], Script::default().stages()).await;
        let (release, blocked) = std::sync::mpsc::channel::<()>();
        let blocking = spawn_blocking(move || blocked.recv());
        let tensor = prepared_typed(&vec![0.0; 8 * 3 * SIZE * SIZE]);
        let mut answer = pin!(infer(&app, tensor));
        let early = timeout(Duration::from_secs(2), &mut answer).await;
        assert!(early.is_err(), "decoded on a thread of the runtime");
        classify(app.address, Protocol::Grpc, order(""))
            .await
            .unwrap();
        release.send(()).unwrap();
        blocking.await.unwrap().unwrap();
        let answer = within_seconds(5, answer).await.unwrap();
        assert_eq!(answer.outputs[0].shape, [8, 1000]);
    });
}

async fn client(app: &App) -> GrpcInferenceServiceClient<Channel> {
    GrpcInferenceServiceClient::new(app.channel().await)
}

async fn infer(app: &App, request: ModelInferRequest) -> Result<ModelInferResponse, Status> {
    let answer = client(app).await.model_infer(request).await;
    answer.map(tonic::Response::into_inner)
}

/// Encoded images, as Triton's clients send them.
fn encoded(images: &[Bytes]) -> ModelInferRequest {
    let raw = images.iter().flat_map(|image| {
        let length = u32::try_from(image.len()).unwrap().to_le_bytes();
        length.into_iter().chain(image.iter().copied())
    });
    ModelInferRequest {
        model_name: ENCODED.to_owned(),
        inputs: vec![InferInputTensor {
            name: "image".to_owned(),
            datatype: "BYTES".to_owned(),
            shape: vec![images.len().try_into().unwrap()],
            ..Default::default()
        }],
        raw_input_contents: vec![raw.collect()],
        ..Default::default()
    }
}

/// The same, in typed contents.
fn encoded_typed(images: &[Bytes]) -> ModelInferRequest {
    let mut request = encoded(images);
    request.raw_input_contents.clear();
    request.inputs[0].contents = Some(InferTensorContents {
        bytes_contents: images.to_vec(),
        ..Default::default()
    });
    request
}

/// Images that a caller has prepared.
fn prepared(values: &[f32]) -> ModelInferRequest {
    let size = i64::try_from(SIZE).unwrap();
    let count = values.len() / (3 * SIZE * SIZE);
    ModelInferRequest {
        model_name: PREPARED.to_owned(),
        inputs: vec![InferInputTensor {
            name: "input".to_owned(),
            datatype: "FP32".to_owned(),
            shape: vec![count.try_into().unwrap(), 3, size, size],
            ..Default::default()
        }],
        raw_input_contents: vec![
            values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
        ],
        ..Default::default()
    }
}

fn prepared_typed(values: &[f32]) -> ModelInferRequest {
    let mut request = prepared(values);
    request.raw_input_contents.clear();
    request.inputs[0].contents = Some(InferTensorContents {
        fp32_contents: values.to_vec(),
        ..Default::default()
    });
    request
}

/// What a caller makes of a photograph: red, green and blue planes.
fn planes(name: &str) -> Vec<f32> {
    let image = EncodedImage::new(photograph(name), u64::MAX).unwrap();
    let input = Input::prepare(&DecodedImage::decode(&image, u64::MAX, 224).unwrap());
    let values = input.values();
    (0..3)
        .flat_map(|channel| values.iter().skip(channel).step_by(3).copied())
        .collect()
}

fn output(name: &str, classification: Option<i64>) -> InferRequestedOutputTensor {
    let parameter = |top_k| InferParameter {
        parameter_choice: Some(ParameterChoice::Int64Param(top_k)),
    };
    let parameters = classification.map(|top_k| ("classification".to_owned(), parameter(top_k)));
    InferRequestedOutputTensor {
        name: name.to_owned(),
        parameters: parameters.into_iter().collect(),
    }
}

fn position(answer: &ModelInferResponse, name: &str) -> usize {
    let mut names = answer.outputs.iter().map(|output| &*output.name);
    names.position(|output| output == name).unwrap()
}

fn floats(answer: &ModelInferResponse, name: &str) -> Vec<f32> {
    let position = position(answer, name);
    let output = &answer.outputs[position];
    assert_eq!(output.datatype, "FP32");
    if let Some(contents) = &output.contents {
        assert!(answer.raw_output_contents.is_empty());
        return contents.fp32_contents.clone();
    }
    let raw = answer.raw_output_contents[position].chunks(4);
    raw.map(|four| f32::from_le_bytes(four.try_into().unwrap()))
        .collect()
}

fn strings(answer: &ModelInferResponse, name: &str) -> Vec<String> {
    let position = position(answer, name);
    let output = &answer.outputs[position];
    assert_eq!(output.datatype, "BYTES");
    let elements = if let Some(contents) = &output.contents {
        assert!(answer.raw_output_contents.is_empty());
        contents.bytes_contents.clone()
    } else {
        let mut raw = answer.raw_output_contents[position].clone();
        let mut elements = Vec::new();
        while !raw.is_empty() {
            let length = raw.get_u32_le() as usize;
            elements.push(raw.split_to(length));
        }
        elements
    };
    let texts = elements.into_iter();
    texts
        .map(|text| String::from_utf8(text.into()).unwrap())
        .collect()
}

/// All that Classify says of a photograph: its label, and the probabilities in order of class index.
async fn classified(app: &App, image: Bytes) -> (String, Vec<f32>) {
    let request = ClassifyImageRequest {
        image_data: image,
        top_k: 1000,
        ..Default::default()
    };
    let answer = classify(app.address, Protocol::Grpc, request)
        .await
        .unwrap();
    let mut probabilities = vec![0.0; 1000];
    for prediction in &answer.predictions {
        probabilities[prediction.index as usize] = prediction.confidence;
    }
    (answer.label, probabilities)
}

fn assert_close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        // However many threads compute it.
        assert!((found - expected).abs() < 1e-5, "{found} != {expected}");
    }
}

#[tokio::test]
async fn the_models_describe_themselves() {
    let app = App::start().await;
    let mut client = client(&app).await;
    assert!(
        client
            .server_live(ServerLiveRequest {})
            .await
            .unwrap()
            .get_ref()
            .live
    );
    assert!(
        client
            .server_ready(ServerReadyRequest {})
            .await
            .unwrap()
            .get_ref()
            .ready
    );
    let server = client
        .server_metadata(ServerMetadataRequest {})
        .await
        .unwrap();
    assert_eq!(server.get_ref().name, "imageclassifier");

    let size = i64::try_from(SIZE).unwrap();
    let probabilities = ("probabilities", "FP32", vec![-1, 1000]);
    for (name, input, outputs, format, images_max) in [
        (
            ENCODED,
            ("image", "BYTES", vec![-1]),
            vec![
                ("label", "BYTES", vec![-1]),
                probabilities.clone(),
                ("logits", "FP32", vec![-1, 1000]),
            ],
            Format::None,
            64,
        ),
        (
            PREPARED,
            ("input", "FP32", vec![-1, 3, size, size]),
            vec![probabilities],
            Format::Nchw,
            // As fit into a message.
            34,
        ),
    ] {
        let request = ModelMetadataRequest {
            name: name.to_owned(),
            version: String::new(),
        };
        let metadata = client.model_metadata(request).await.unwrap().into_inner();
        assert_eq!(metadata.name, name);
        let [version]: [_; 1] = metadata.versions.try_into().unwrap();
        let tensors = [metadata.inputs, metadata.outputs].concat();
        let described: Vec<_> = tensors
            .iter()
            .map(|tensor| (&*tensor.name, &*tensor.datatype, tensor.shape.clone()))
            .collect();
        assert_eq!(described, [&[input], &*outputs].concat());

        let request = ModelConfigRequest {
            name: name.to_owned(),
            version: version.clone(),
        };
        let config = client.model_config(request).await.unwrap().into_inner();
        let config = config.config.unwrap();
        assert_eq!((&*config.name, config.max_batch_size), (name, images_max));
        assert_eq!(config.input[0].format(), format);
        let number = |name| match name {
            "BYTES" => DataType::TypeString,
            _ => DataType::TypeFp32,
        };
        let inputs = config.input.iter();
        let inputs = inputs.map(|input| (&*input.name, input.data_type(), &input.dims));
        let outputs = config.output.iter();
        let outputs = outputs.map(|output| (&*output.name, output.data_type(), &output.dims));
        let configured: Vec<_> = inputs.chain(outputs).collect();
        let expected: Vec<_> = described
            .iter()
            .map(|(name, datatype, shape)| (*name, number(datatype), shape[1..].to_vec()))
            .collect();
        assert_eq!(configured.len(), expected.len());
        for ((name, datatype, dims), expected) in configured.into_iter().zip(expected) {
            assert_eq!((name, datatype, dims.clone()), expected);
        }

        for (version, ready) in [("", true), (&*version, true), ("1", false)] {
            let request = ModelReadyRequest {
                name: name.to_owned(),
                version: version.to_owned(),
            };
            let answer = client.model_ready(request).await.unwrap();
            assert_eq!(answer.get_ref().ready, ready, "{name} {version}");
        }
    }
}

#[tokio::test]
async fn encoded_images_get_the_same_results_as_classify() {
    let app = App::start().await;
    let images = ["coffee.png", "rocket.jpg", "chelsea.png"].map(photograph);
    let mut labels = Vec::new();
    let mut probabilities = Vec::new();
    for image in &images {
        let (label, all) = classified(&app, image.clone()).await;
        labels.push(label);
        probabilities.extend(all);
    }
    for request in [encoded(&images), encoded_typed(&images)] {
        let raw = request.inputs[0].contents.is_none();
        let request = ModelInferRequest {
            id: "the-call".to_owned(),
            ..request
        };
        let answer = infer(&app, request).await.unwrap();
        assert_eq!((&*answer.model_name, &*answer.id), (ENCODED, "the-call"));
        let names: Vec<_> = answer.outputs.iter().map(|output| &*output.name).collect();
        assert_eq!(names, ["label", "probabilities", "logits"]);
        let shapes: Vec<_> = answer.outputs.iter().map(|output| &*output.shape).collect();
        assert_eq!(shapes, [&[3][..], &[3, 1000], &[3, 1000]]);
        assert_eq!(answer.raw_output_contents.len(), if raw { 3 } else { 0 });
        assert_eq!(strings(&answer, "label"), labels);
        assert_close(&floats(&answer, "probabilities"), &probabilities);
        let logits = floats(&answer, "logits");
        let espresso = logits[..1000].iter().copied().fold(f32::MIN, f32::max);
        assert_eq!(espresso, logits[967]);
    }
}

#[tokio::test]
async fn prepared_images_get_the_same_results_as_encoded_ones() {
    let app = App::start().await;
    let names = ["coffee.png", "rocket.jpg"];
    let all = infer(&app, encoded(&names.map(photograph))).await.unwrap();
    let values = [planes(names[0]), planes(names[1])].concat();
    for mut request in [prepared(&values), prepared_typed(&values)] {
        let answer = infer(&app, request.clone()).await.unwrap();
        assert_eq!(answer.model_name, PREPARED);
        assert_eq!(answer.outputs.len(), 1);
        let expected = floats(&all, "probabilities");
        assert_close(&floats(&answer, "probabilities"), &expected);

        // Its other outputs are there for who asks.
        request.outputs = vec![output("logits", None), output("label", None)];
        let answer = infer(&app, request).await.unwrap();
        let found: Vec<_> = answer.outputs.iter().map(|output| &*output.name).collect();
        assert_eq!(found, ["logits", "label"]);
        assert_eq!(strings(&answer, "label"), ["espresso", "missile"]);
        let (found, expected) = (floats(&answer, "logits"), floats(&all, "logits"));
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-4, "{found} != {expected}");
        }
    }
}

#[tokio::test]
async fn the_highest_classes_come_as_triton_writes_them() {
    let app = App::start().await;
    let images = ["coffee.png", "rocket.jpg"].map(photograph);
    let (_, probabilities) = classified(&app, images[0].clone()).await;
    for mut request in [encoded(&images), encoded_typed(&images)] {
        request.outputs = vec![
            output("probabilities", Some(3)),
            output("logits", Some(1)),
            output("label", None),
        ];
        let answer = infer(&app, request).await.unwrap();
        assert_eq!(answer.outputs[0].shape, [2, 3]);
        assert_eq!(answer.outputs[1].shape, [2, 1]);
        let classes = strings(&answer, "probabilities");
        let expected = [(967, "espresso"), (968, "cup"), (925, "consomme")];
        for (class, (index, label)) in classes.iter().zip(expected) {
            let parts: Vec<_> = class.split(':').collect();
            assert_eq!(parts[1..], [&*index.to_string(), label]);
            let value: f32 = parts[0].parse().unwrap();
            assert!((value - probabilities[index]).abs() < 1e-5, "{class}");
        }
        assert!(classes[3].ends_with(":657:missile"), "{classes:?}");
        let logits = strings(&answer, "logits");
        let espresso = logits[0].strip_suffix(":967:espresso").unwrap();
        assert!(espresso.parse::<f32>().unwrap() > 1.0, "{logits:?}");
        assert_eq!(strings(&answer, "label"), ["espresso", "missile"]);
    }
}

/// What is wrong with a request, and what it is called.
type Wrong = (
    &'static str,
    Box<dyn Fn(&mut ModelInferRequest)>,
    &'static str,
);

fn wrong() -> Vec<Wrong> {
    fn case(
        name: &'static str,
        spoil: impl Fn(&mut ModelInferRequest) + 'static,
        reason: &'static str,
    ) -> Wrong {
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

fn reason(status: &Status) -> String {
    status.get_details_error_info().unwrap().reason
}

#[tokio::test]
async fn rejects_tensors_that_do_not_fit_the_model() {
    let app = App::start().await;
    let values = vec![0.0; 2 * 3 * SIZE * SIZE];
    for whole in [
        encoded(&["coffee.png", "rocket.jpg"].map(photograph)),
        prepared(&values),
    ] {
        for (name, spoil, expected) in wrong() {
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
                "{name} says no way on: {status:?}"
            );
        }
        // Nothing of it was asked of the network, and the call itself is sound.
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
    for (value, taken) in [
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
                    assert!(taken, "{value}");
                    let sum: f32 = floats(&answer, "probabilities").iter().sum();
                    assert!((sum - 2.0).abs() < 1e-3, "{sum}");
                }
                Err(status) => {
                    assert!(!taken, "{value}: {status:?}");
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

#[tokio::test]
async fn classifies_a_full_batch() {
    let app = App::with(&["--batch-images-max", "9"]).await;
    let images = vec![photograph("coffee.png"); 9];
    let answer = infer(&app, encoded(&images)).await.unwrap();
    assert_eq!(strings(&answer, "label"), ["espresso"; 9]);
    let images = vec![photograph("coffee.png"); 10];
    let status = infer(&app, encoded(&images)).await.unwrap_err();
    assert_eq!(reason(&status), "BATCH_SIZE");
    assert!(app.metric("imageclassifier_upload_in_flight_bytes").await < 0.5);
    assert!(app.metric("imageclassifier_calls_in_flight").await < 0.5);
}

fn ordered(text: &str) -> ModelInferRequest {
    encoded(&[order(text).image_data])
}

#[tokio::test]
async fn deadlines_limits_and_faults_apply_as_to_every_request() {
    let script = Script::default();
    let app = App::with_stages(&["--calls-max", "1"], script.stages()).await;
    let mut late = tonic::Request::new(ordered("sleep 700"));
    late.set_timeout(Duration::from_millis(300));
    let mut client = client(&app).await;
    let status = client.model_infer(late).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    // Our answer, not the client's own.
    assert_eq!(reason(&status), "DEADLINE_EXCEEDED");

    let status = infer(&app, ordered("panic in decode")).await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    assert!(!status.message().contains("secretly"));

    let before = script.decodes();
    let mut busy = client.clone();
    let busy = tokio::spawn(async move { busy.model_infer(ordered("sleep 1000")).await });
    within_seconds(10, async {
        while script.decodes() == before {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    assert!(app.metric("imageclassifier_calls_in_flight").await > 0.5);
    let rejected = classify(app.address, Protocol::Grpc, order(""))
        .await
        .unwrap_err();
    assert_eq!(reason(&rejected), "OVERLOADED");
    let rejected = infer(&app, ordered("")).await.unwrap_err();
    assert_eq!(reason(&rejected), "OVERLOADED");
    assert!(rejected.get_details_retry_info().is_some());
    busy.await.unwrap().unwrap();

    let text = app.metrics().await;
    for series in [
        "calls_total{method=\"ModelInfer\",protocol=\"grpc\",code=\"OK\"} 1",
        "calls_total{method=\"ModelInfer\",protocol=\"grpc\",code=\"DEADLINE_EXCEEDED\"} 1",
        "calls_total{method=\"ModelInfer\",protocol=\"grpc\",code=\"INTERNAL\"} 1",
        "calls_total{method=\"ModelInfer\",protocol=\"grpc\",code=\"RESOURCE_EXHAUSTED\"} 1",
    ] {
        let line = format!("\nimageclassifier_{series}\n");
        assert!(text.contains(&line), "no {series} in:\n{text}");
    }
}

#[tokio::test]
async fn each_image_counts_against_the_rate_limit() {
    let app = App::with_stages(&["--rate-limit", "4"], Script::default().stages()).await;
    let images = vec![order("").image_data; 3];
    infer(&app, encoded(&images)).await.unwrap();
    let status = infer(&app, encoded(&images)).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(reason(&status), "RATE_LIMITED");
    assert!(status.get_details_retry_info().is_some());
}

#[tokio::test]
async fn probes_need_no_token_and_everything_else_does() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens");
    // `printf %s secret | sha256sum`
    let digest = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
    fs::write(&file, format!("page {digest}\n")).unwrap();
    let options = ["--token-file", file.to_str().unwrap()];
    let app = App::with_stages(&options, Script::default().stages()).await;
    let mut client = client(&app).await;
    client.server_live(ServerLiveRequest {}).await.unwrap();
    client.server_ready(ServerReadyRequest {}).await.unwrap();
    client
        .model_ready(ModelReadyRequest::default())
        .await
        .unwrap();
    for status in [
        client
            .server_metadata(ServerMetadataRequest {})
            .await
            .unwrap_err(),
        client
            .model_metadata(ModelMetadataRequest::default())
            .await
            .unwrap_err(),
        client
            .model_config(ModelConfigRequest::default())
            .await
            .unwrap_err(),
        client.model_infer(ordered("")).await.unwrap_err(),
    ] {
        assert_eq!(status.code(), Code::Unauthenticated);
    }
    let mut request = tonic::Request::new(ordered(""));
    let token = "Bearer secret".parse().unwrap();
    request.metadata_mut().insert("authorization", token);
    client.model_infer(request).await.unwrap();
}

#[tokio::test]
async fn browsers_can_ask_too() {
    let app = App::start().await;
    for version in [Http::One, Http::Two] {
        let request = Request::post("/inference.GRPCInferenceService/ModelInfer")
            .header("content-type", "application/grpc-web+proto");
        let body = frame(&encoded(&[photograph("coffee.png")]));
        let mut body = send(app.address, version, request, body).await.into_body();
        assert_eq!(body.get_u8(), 0, "a message");
        let length = body.get_u32() as usize;
        let answer = ModelInferResponse::decode(body.split_to(length)).unwrap();
        assert_eq!(strings(&answer, "label"), ["espresso"]);
    }
}
