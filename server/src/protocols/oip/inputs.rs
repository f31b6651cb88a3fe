//! The input of a request: one tensor of images.

use std::{mem, sync::Arc};

use bytes::{Buf, Bytes};
use imageclassifier_proto::inference as proto;
use proto::{InferTensorContents, ModelInferRequest, model_infer_request::InferInputTensor};

use crate::{
    engine::{
        Engine,
        prepared::{PreparedTensor, Values},
    },
    protocols::{
        classify::batch_size,
        oip::{
            models::{InputKind, Model},
            tensor::{Form, datatype_name, no_shared_memory},
        },
    },
    request::error::{RequestError, excerpt},
};

/// One image of the tensor.
pub(crate) enum InputImage {
    Encoded(Bytes),
    Prepared(PreparedTensor),
}

/// Moves the images out of `request`.
///
/// # Errors
/// [`RequestError::TensorMalformed`], [`RequestError::BatchSize`].
pub(crate) fn images(
    request: &mut ModelInferRequest,
    model: &Model,
    engine: &Engine,
) -> Result<(Vec<InputImage>, Form), RequestError> {
    let inputs = mem::take(&mut request.inputs);
    let raw = mem::take(&mut request.raw_input_contents);
    let count = inputs.len();
    let [input]: [_; 1] = inputs.try_into().map_err(|_| {
        let name = model.input();
        RequestError::tensor(
            "inputs",
            format!("the request has {count} inputs: send one, {name:?}"),
        )
    })?;
    let count = images_in(&input, model, engine)?;
    no_shared_memory("inputs", input.parameters.keys())?;
    let (elements, form) = elements(input.contents, raw)?;
    let images = match model.kind {
        InputKind::Encoded => encoded(elements, count),
        InputKind::Prepared => prepared(elements, engine.input_size(&model.classifier), count),
    };
    let images = images.ok_or_else(|| {
        let datatype = datatype_name(model.datatype());
        RequestError::tensor(
            "inputs",
            format!(
                "the contents are not the {datatype} elements of a tensor of that shape: send as many as it says, written as {datatype}"
            ),
        )
    })?;
    Ok((images, form))
}

/// How many images the shape announces.
fn images_in(
    input: &InferInputTensor,
    model: &Model,
    engine: &Engine,
) -> Result<usize, RequestError> {
    let (name, datatype) = (model.input(), datatype_name(model.datatype()));
    if input.name != name {
        let sent = excerpt(&input.name);
        let problem = format!("there is no input {sent:?}: send {name:?}");
        return Err(RequestError::tensor("inputs", problem));
    }
    if input.datatype != datatype {
        let sent = excerpt(&input.datatype);
        let problem = format!("{name:?} is of type {sent:?}: send {datatype}");
        return Err(RequestError::tensor("inputs", problem));
    }
    let dims = model.dims(engine);
    match &*input.shape {
        [count, rest @ ..] if rest == dims && *count >= 0 => {
            let count = usize::try_from(*count).unwrap_or(usize::MAX);
            batch_size(count, model.images_max(engine))?;
            Ok(count)
        }
        shape => {
            let expected = [
                &["N".to_owned()],
                &*dims.iter().map(i64::to_string).collect::<Vec<_>>(),
            ]
            .concat()
            .join(", ");
            let shown = &shape[..shape.len().min(8)];
            let problem = format!("{name:?} has the shape {shown:?}: send [{expected}]");
            Err(RequestError::tensor("inputs", problem))
        }
    }
}

enum Elements {
    Raw(Bytes),
    Typed(InferTensorContents),
}

/// The elements, from `contents` or `raw`, which must not both be present.
fn elements(
    contents: Option<InferTensorContents>,
    raw: Vec<Bytes>,
) -> Result<(Elements, Form), RequestError> {
    match (contents, <[Bytes; 1]>::try_from(raw)) {
        (None, Ok([raw])) => Ok((Elements::Raw(raw), Form::Raw)),
        (Some(contents), Err(raw)) if raw.is_empty() => {
            Ok((Elements::Typed(contents), Form::Typed))
        }
        _ => Err(RequestError::tensor(
            "raw_input_contents",
            "the elements are missing or in several places: send them either in contents or as the one entry of raw_input_contents"
                .to_owned(),
        )),
    }
}

fn encoded(elements: Elements, count: usize) -> Option<Vec<InputImage>> {
    let images = match elements {
        Elements::Raw(raw) => length_prefixed(raw, count)?,
        Elements::Typed(mut contents) => {
            let images = mem::take(&mut contents.bytes_contents);
            (contents == InferTensorContents::default()).then_some(images)?
        }
    };
    let images = (images.len() == count).then_some(images)?;
    Some(images.into_iter().map(InputImage::Encoded).collect())
}

/// Splits `count` elements, each preceded by its length in four bytes, little-endian. A list of all elements could need eight
/// times the memory of the message.
fn length_prefixed(mut raw: Bytes, count: usize) -> Option<Vec<Bytes>> {
    let mut elements = Vec::new();
    while raw.has_remaining() {
        if elements.len() == count {
            return None;
        }
        let length = raw.try_get_u32_le().ok()? as usize;
        if length > raw.len() {
            return None;
        }
        elements.push(raw.split_to(length));
    }
    Some(elements)
}

fn prepared(elements: Elements, size: u32, count: usize) -> Option<Vec<InputImage>> {
    let values = match elements {
        Elements::Raw(raw) => Values::Raw(raw),
        Elements::Typed(mut contents) => {
            let values = mem::take(&mut contents.fp32_contents);
            (contents == InferTensorContents::default()).then_some(())?;
            Values::Typed(Arc::new(values))
        }
    };
    let tensors = PreparedTensor::all(size, count, &values)?;
    Some(tensors.into_iter().map(InputImage::Prepared).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_stand_behind_their_length() {
        let three = Bytes::from_static(b"\x01\0\0\0a\0\0\0\0\x02\0\0\0bc");
        let elements = length_prefixed(three.clone(), 3).unwrap();
        assert_eq!(elements, [&b"a"[..], b"", b"bc"]);
        assert!(length_prefixed(three, 2).is_none());
        assert!(length_prefixed(Bytes::new(), 1).unwrap().is_empty());
        for damaged in [
            &b"\x01\0\0\0"[..],
            b"\x01\0\0",
            b"\x03\0\0\0ab",
            b"\xff\xff\xff\xffab",
            b"\x01\0\0\0ab",
        ] {
            assert!(length_prefixed(Bytes::copy_from_slice(damaged), 9).is_none());
        }
    }
}
