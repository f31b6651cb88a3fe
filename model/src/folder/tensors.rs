use std::collections::HashMap;

use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::ModelFolderProblem;
use crate::{Activation, Head, HeadParts};

/// Key of the metadata: which features the head was trained on.
const BASE_DIGEST: &str = "base_digest";

/// The head in `model.safetensors`, if it was trained on the features that `base_digest` stands for.
pub(crate) fn parse(
    bytes: &[u8],
    labels: Vec<String>,
    activation: Activation,
    base_digest: &str,
) -> Result<Head, ModelFolderProblem> {
    let malformed =
        |error: safetensors::SafeTensorError| ModelFolderProblem::Tensors(error.to_string());
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(malformed)?;
    let metadata = metadata.metadata().as_ref();
    let trained_on = metadata.and_then(|metadata| metadata.get(BASE_DIGEST));
    if trained_on.is_none_or(|trained_on| trained_on != base_digest) {
        return Err(ModelFolderProblem::BaseDigest);
    }
    let tensors = SafeTensors::deserialize(bytes).map_err(malformed)?;
    let scalar = |name| values(&tensors, name, &[1]).map(|values| values[0]);
    let has_threshold = tensors.names().contains(&"known_threshold");
    let (classes, channels) = (labels.len(), channels(&tensors)?);
    let parts = HeadParts {
        labels,
        activation,
        weight: values(&tensors, "fc.weight", &[classes, channels])?,
        bias: values(&tensors, "fc.bias", &[classes])?,
        class_means: values(&tensors, "class_means", &[classes, channels])?,
        temperature: scalar("temperature")?,
        known_threshold: has_threshold
            .then(|| scalar("known_threshold"))
            .transpose()?,
    };
    Ok(Head::new(parts, channels)?)
}

/// Length of the features that the head is for.
fn channels(tensors: &SafeTensors<'_>) -> Result<usize, ModelFolderProblem> {
    let weight = tensors.tensor("fc.weight");
    match weight.as_ref().map(TensorView::shape) {
        Ok(&[_, channels]) if channels > 0 => Ok(channels),
        Ok(shape) => Err(ModelFolderProblem::Tensors(format!(
            "fc.weight has shape {shape:?} instead of [classes, channels]"
        ))),
        Err(_) => Err(ModelFolderProblem::Tensors(
            "fc.weight is missing".to_owned(),
        )),
    }
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
pub(crate) fn serialize(head: &Head, base_digest: &str) -> Vec<u8> {
    let (parts, channels) = (head.parts(), head.channels());
    let (classes, scalar) = (parts.labels.len(), |value: f32| vec![value]);
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
