//! Server and models describe themselves.

use imageclassifier_proto::inference::{
    DataType, ModelConfigRequest, ModelMetadataRequest, ModelReadyRequest, ServerLiveRequest,
    ServerMetadataRequest, ServerReadyRequest, model_input::Format,
};

use super::messages::{ENCODED, PREPARED, SIZE, client};
use crate::app::App;

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
