use std::collections::HashMap;

use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::{ModelFolderProblem, config::Config};
use crate::{Head, HeadParts, Variant};

/// Key of the metadata: SHA-256 of the base's weights.
const BASE_DIGEST: &str = "base_digest";

/// The head and the digest of its base, from `model.safetensors`.
pub(super) fn parse(
    bytes: &[u8],
    config: &Config,
    base: Variant,
) -> Result<(Head, String), ModelFolderProblem> {
    let malformed =
        |error: safetensors::SafeTensorError| ModelFolderProblem::Tensors(error.to_string());
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(malformed)?;
    let metadata = metadata.metadata().as_ref();
    let digest = metadata.and_then(|metadata| metadata.get(BASE_DIGEST));
    let digest = digest
        .filter(|digest| *digest == config.base_digest())
        .ok_or(ModelFolderProblem::BaseDigest)?;
    let tensors = SafeTensors::deserialize(bytes).map_err(malformed)?;
    let scalar = |name| values(&tensors, name, &[1]).map(|values| values[0]);
    let has_threshold = tensors.names().contains(&"known_threshold");
    let (classes, channels) = (config.labels.len(), base.channels());
    let parts = HeadParts {
        labels: config.labels.clone(),
        activation: config.activation()?,
        weight: values(&tensors, "fc.weight", &[classes, channels])?,
        bias: values(&tensors, "fc.bias", &[classes])?,
        class_means: values(&tensors, "class_means", &[classes, channels])?,
        temperature: scalar("temperature")?,
        known_threshold: has_threshold
            .then(|| scalar("known_threshold"))
            .transpose()?,
    };
    Ok((Head::new(parts, channels)?, digest.clone()))
}

fn values(
    tensors: &SafeTensors<'_>,
    name: &str,
    shape: &[usize],
) -> Result<Vec<f32>, ModelFolderProblem> {
    let problem = |what: String| ModelFolderProblem::Tensors(format!("{name} {what}"));
    let tensor = tensors
        .tensor(name)
        .map_err(|_| problem("is missing".to_owned()))?;
    if tensor.dtype() != Dtype::F32 {
        return Err(problem(format!("is {:?} instead of F32", tensor.dtype())));
    }
    if tensor.shape() != shape {
        return Err(problem(format!(
            "has shape {:?} instead of {shape:?}",
            tensor.shape()
        )));
    }
    let (values, _) = tensor.data().as_chunks();
    Ok(values
        .iter()
        .map(|&value| f32::from_le_bytes(value))
        .collect())
}

/// The same head gives the same bytes.
pub(super) fn serialize(head: &Head, base_digest: &str) -> Vec<u8> {
    let parts = head.parts();
    let (classes, scalar) = (parts.labels.len(), |value: f32| vec![value]);
    let channels = parts.weight.len() / classes;
    let mut tensors = vec![
        ("fc.weight", vec![classes, channels], parts.weight.clone()),
        ("fc.bias", vec![classes], parts.bias.clone()),
        (
            "class_means",
            vec![classes, channels],
            parts.class_means.clone(),
        ),
        ("temperature", vec![1], scalar(parts.temperature)),
    ];
    if let Some(threshold) = parts.known_threshold {
        tensors.push(("known_threshold", vec![1], scalar(threshold)));
    }
    let tensors: Vec<_> = tensors
        .into_iter()
        .map(|(name, shape, values)| {
            let bytes: Vec<u8> = values.into_iter().flat_map(f32::to_le_bytes).collect();
            (name, shape, bytes)
        })
        .collect();
    let views = tensors.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes);
        (*name, view.expect("as many bytes as the shape says"))
    });
    // One key: the order of several would differ from run to run.
    let metadata = HashMap::from([(BASE_DIGEST.to_owned(), base_digest.to_owned())]);
    safetensors::serialize(views, Some(metadata)).expect("plain data")
}
