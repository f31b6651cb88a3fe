//! A server with other weights than those in the program: what it says follows them. Those of Lite1 and Lite2 are not in the
//! repository: `IMAGECLASSIFIER_WEIGHTS_DIR` names the folder that `cargo xtask weights lite1 lite2` fills.

use std::{env, path::PathBuf};

use imageclassifier_client::{Classifier, ClassifyOptions};
use imageclassifier_model::{DecodedImage, EncodedImage, Input, Isa};
use imageclassifier_proto::{
    ClassifyImageRequest, ClassifyImageResponse,
    inference::{
        ModelConfigRequest, ModelInferRequest, ModelMetadataRequest,
        grpc_inference_service_client::GrpcInferenceServiceClient,
        model_infer_request::InferInputTensor,
    },
};
use tonic::Code;
use tonic_types::StatusExt;

use crate::{
    app::{App, photograph},
    protocol::{Protocol, classify},
};

/// What is expected of a server with the weights in one file.
struct Served {
    file: String,
    name: &'static str,
    input_size: u32,
    map_side: u32,
    /// Left, top and side of what is seen of coffee.png, 600 x 400 pixels.
    crop: (u32, u32, u32),
}

/// `None` where no folder is named.
fn served(variant: &str) -> Option<Served> {
    let Some(folder) = env::var_os("IMAGECLASSIFIER_WEIGHTS_DIR") else {
        println!(
            "IMAGECLASSIFIER_WEIGHTS_DIR names no folder with {variant}'s weights: nothing served"
        );
        return None;
    };
    let file = PathBuf::from(folder).join(format!("efficientnet_{variant}.safetensors"));
    let (name, input_size, map_side, crop) = match variant {
        "lite1" => ("efficientnet-lite1", 240, 8, (124, 24, 352)),
        _ => ("efficientnet-lite2", 260, 9, (122, 22, 356)),
    };
    Some(Served {
        file: file.display().to_string(),
        name,
        input_size,
        map_side,
        crop,
    })
}

fn coffee() -> ClassifyImageRequest {
    ClassifyImageRequest {
        image_data: photograph("coffee.png"),
        explain: true,
        ..Default::default()
    }
}

async fn answer(app: &App, request: ClassifyImageRequest) -> ClassifyImageResponse {
    classify(app.address, Protocol::Grpc, request)
        .await
        .unwrap()
}

#[tokio::test]
async fn the_embedded_weights_in_a_file_give_the_same_results() {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../model/weights/efficientnet_lite0.safetensors");
    let [embedded, file] = [
        App::start().await,
        App::with(&["--weights", own.to_str().unwrap()]).await,
    ];
    let [embedded, file] = [
        answer(&embedded, coffee()).await,
        answer(&file, coffee()).await,
    ];
    assert_eq!(file.model, embedded.model);
    assert_eq!(file.model_revision, embedded.model_revision);
    assert!((file.confidence - embedded.confidence).abs() < 1e-5);
}

#[tokio::test]
async fn a_server_with_lite1_says_so() {
    if let Some(served) = served("lite1") {
        says_what_it_serves(&served).await;
    }
}

#[tokio::test]
async fn a_server_with_lite2_says_so() {
    if let Some(served) = served("lite2") {
        says_what_it_serves(&served).await;
    }
}

async fn says_what_it_serves(served: &Served) {
    let app = App::with(&["--weights", &served.file]).await;
    for protocol in Protocol::ALL {
        let request = ClassifyImageRequest {
            model: served.name.to_owned(),
            ..coffee()
        };
        let answer = classify(app.address, protocol, request).await.unwrap();
        assert_eq!(answer.label, "espresso", "{protocol:?}");
        assert_eq!(answer.model, served.name);
        let crop = answer.crop.unwrap();
        assert_eq!((crop.left, crop.top, crop.side), served.crop);
        let map = answer.predictions[0].heatmap.as_ref().unwrap();
        assert_eq!((map.height, map.width), (served.map_side, served.map_side));

        let request = ClassifyImageRequest {
            model: "efficientnet-lite0".to_owned(),
            ..coffee()
        };
        let rejected = classify(app.address, protocol, request).await.unwrap_err();
        assert_eq!(rejected.code(), Code::NotFound);
        let info = rejected.get_details_error_info().unwrap();
        assert_eq!(info.reason, "MODEL_UNKNOWN");
        assert_eq!(info.metadata["available"], served.name);
    }
    describes_itself(&app, served).await;
    speaks_the_open_inference_protocol(&app, served).await;
    let metrics = app.metrics().await;
    let label = format!("model=\"{}\"", served.name);
    assert!(metrics.contains(&label), "no {label} in:\n{metrics}");
}

async fn describes_itself(app: &App, served: &Served) {
    let classifier = Classifier::new(&app.url()).unwrap();
    let answer = classifier
        .classify(photograph("coffee.png"), ClassifyOptions::default())
        .await
        .unwrap();
    let model = classifier.model(served.name).await.unwrap();
    assert_eq!(model.name, served.name);
    assert_eq!(model.revision, answer.model_revision);
    assert!(model.revision.ends_with(&model.weights_digest[..12]));
    assert_eq!(model.input_size, served.input_size);
    let size = f64::from(served.input_size);
    let fraction = f64::from(model.preprocessing.unwrap().crop_fraction);
    assert!((fraction - size / (size + 32.0)).abs() < 1e-6);
}

async fn speaks_the_open_inference_protocol(app: &App, served: &Served) {
    let mut client = GrpcInferenceServiceClient::new(app.channel().await);
    let name = format!("{}-preprocessed", served.name);
    let size = i64::from(served.input_size);
    let metadata = client.model_metadata(ModelMetadataRequest {
        name: name.clone(),
        version: String::new(),
    });
    let metadata = metadata.await.unwrap().into_inner();
    assert_eq!(metadata.name, name);
    assert_eq!(metadata.inputs[0].shape, [-1, 3, size, size]);
    let config = client.model_config(ModelConfigRequest {
        name: name.clone(),
        version: String::new(),
    });
    let config = config.await.unwrap().into_inner().config.unwrap();
    assert_eq!(config.input[0].dims, [3, size, size]);

    let image = EncodedImage::new(photograph("coffee.png"), u64::MAX).unwrap();
    let input = Input::prepare(&DecodedImage::decode(&image, u64::MAX, served.input_size).unwrap());
    let planes = (0..3).flat_map(|channel| input.values().iter().skip(channel).step_by(3));
    let mut request = ModelInferRequest {
        model_name: name,
        inputs: vec![InferInputTensor {
            name: "input".to_owned(),
            datatype: "FP32".to_owned(),
            shape: vec![1, 3, size, size],
            ..Default::default()
        }],
        raw_input_contents: vec![planes.flat_map(|value| value.to_le_bytes()).collect()],
        ..Default::default()
    };
    let inferred = client.model_infer(request.clone()).await.unwrap();
    let (probabilities, _) = inferred.get_ref().raw_output_contents[0].as_chunks::<4>();
    let espresso = f32::from_le_bytes(probabilities[967]);
    let answer = answer(app, coffee()).await;
    assert!((espresso - answer.confidence).abs() < 1e-5);

    request.inputs[0].shape = vec![1, 3, 224, 224];
    let rejected = client.model_infer(request).await.unwrap_err();
    assert_eq!(rejected.code(), Code::InvalidArgument);
    let expected = format!("send [N, 3, {size}, {size}]");
    assert!(rejected.message().contains(&expected), "{rejected:?}");
}

#[tokio::test]
async fn lite2_answers_in_bf16_under_a_revision_of_its_own() {
    let (Some(served), true) = (served("lite2"), Isa::Avx512Bf16.is_available()) else {
        return;
    };
    let f32 = App::with(&["--weights", &served.file]).await;
    let bf16 = App::with(&["--weights", &served.file, "--precision", "bf16"]).await;
    let [f32, bf16] = [answer(&f32, coffee()).await, answer(&bf16, coffee()).await];
    assert_eq!((&*bf16.label, &bf16.model), ("espresso", &f32.model));
    assert_eq!(bf16.model_revision, format!("{}-bf16", f32.model_revision));
    assert!((bf16.confidence - f32.confidence).abs() < 0.05);
}
