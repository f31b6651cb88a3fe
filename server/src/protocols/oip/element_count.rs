//! Counts what a ModelInfer message has many of, before it is decoded. Two bytes of the message can become 320 bytes of memory: a
//! message of 20 MB could need 3 GB.

use std::mem;

use bytes::{Buf, BufMut};
use prost::{
    DecodeError, Message,
    encoding::{self, DecodeContext, WireType},
};

use crate::request::error::{ImageCount, RequestError};

/// Most elements of a kind of which a valid request needs a few: inputs, axes, parameters and the like. Their exact number is
/// checked after decoding.
const ENTRIES_MAX: usize = 64;

/// How many elements of each kind a message has in all. FP32 and FP64 elements are not counted: they need no
/// more memory than on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ElementCount {
    inputs: usize,
    outputs: usize,
    raw_inputs: usize,
    parameters: usize,
    axes: usize,
    images: usize,
    /// Of a type that no model here accepts.
    other_numbers: usize,
}

impl ElementCount {
    /// # Errors
    /// An error if the message is malformed.
    pub(super) fn of(message: &[u8]) -> Result<Self, DecodeError> {
        Counter::decode(message).map(|counter| counter.count)
    }

    /// # Errors
    /// [`RequestError::TensorMalformed`], [`RequestError::BatchSize`].
    pub(super) fn check(&self, images_max: u32) -> Result<(), RequestError> {
        let kinds = [
            ("inputs", self.inputs, "inputs: send one"),
            ("outputs", self.outputs, "outputs: ask for each once"),
            (
                "raw_input_contents",
                self.raw_inputs,
                "entries in raw_input_contents: send one",
            ),
            ("parameters", self.parameters, "parameters: send fewer"),
            (
                "inputs",
                self.axes,
                "axes in the shape: send those that ModelMetadata names",
            ),
            (
                "inputs",
                self.other_numbers,
                "elements that are neither FP32 nor BYTES: send fp32_contents or bytes_contents",
            ),
        ];
        for (field, count, rest) in kinds {
            if count > ENTRIES_MAX {
                return Err(RequestError::tensor(
                    field,
                    format!("the call has {count} {rest}"),
                ));
            }
        }
        if self.images > images_max as usize {
            return Err(RequestError::BatchSize {
                images: ImageCount::Exactly(self.images),
                images_max,
            });
        }
        Ok(())
    }
}

/// Reads a request, and the messages inside it, without keeping anything but the count. prost splits the fields, as it does when
/// it decodes them.
#[derive(Debug, Default)]
struct Counter {
    count: ElementCount,
    within: Within,
}

/// The message whose fields are read.
#[derive(Clone, Copy, Debug, Default)]
enum Within {
    #[default]
    Request,
    Input,
    Output,
    Contents,
}

impl Message for Counter {
    /// The tags are those of `proto/inference.proto`.
    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        data: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        let count = &mut self.count;
        match (self.within, tag) {
            (Within::Request | Within::Input, 4) | (Within::Output, 2) => count.parameters += 1,
            (Within::Request, 5) => {
                count.inputs += 1;
                return self.read(Within::Input, wire_type, data, context);
            }
            (Within::Request, 6) => {
                count.outputs += 1;
                return self.read(Within::Output, wire_type, data, context);
            }
            (Within::Request, 7) => count.raw_inputs += 1,
            (Within::Input, 3) => return integers(&mut count.axes, tag, wire_type, data, context),
            (Within::Input, 5) => return self.read(Within::Contents, wire_type, data, context),
            (Within::Contents, 1..=5) => {
                return integers(&mut count.other_numbers, tag, wire_type, data, context);
            }
            (Within::Contents, 8) => count.images += 1,
            _ => {}
        }
        encoding::skip_field(wire_type, tag, data, context)
    }

    fn encode_raw(&self, _: &mut impl BufMut) {
        unreachable!("a count is never sent")
    }

    fn encoded_len(&self) -> usize {
        unreachable!("a count is never sent")
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}

impl Counter {
    /// Reads a message that is a field of the current one.
    fn read(
        &mut self,
        within: Within,
        wire_type: WireType,
        data: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        let outer = mem::replace(&mut self.within, within);
        encoding::message::merge(wire_type, self, data, context)?;
        self.within = outer;
        Ok(())
    }
}

/// Counts integers, packed into one field or in a field each.
fn integers(
    count: &mut usize,
    tag: u32,
    wire_type: WireType,
    data: &mut impl Buf,
    context: DecodeContext,
) -> Result<(), DecodeError> {
    if wire_type != WireType::LengthDelimited {
        *count += 1;
        return encoding::skip_field(wire_type, tag, data, context);
    }
    encoding::merge_loop(count, data, context, |count, data, _| {
        encoding::decode_varint(data)?;
        *count += 1;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use imageclassifier_proto::inference as proto;
    use proto::{
        InferParameter, InferTensorContents, ModelInferRequest,
        model_infer_request::{InferInputTensor, InferRequestedOutputTensor},
    };

    use super::*;

    fn parameters(names: &[&str]) -> HashMap<String, InferParameter> {
        let entry = |name: &&str| ((*name).to_owned(), InferParameter::default());
        names.iter().map(entry).collect()
    }

    fn contents() -> InferTensorContents {
        InferTensorContents {
            bool_contents: vec![true],
            int_contents: vec![-1, 300],
            int64_contents: vec![0; 3],
            uint_contents: vec![u32::MAX; 4],
            uint64_contents: vec![u64::MAX; 5],
            fp32_contents: vec![0.0; 100],
            fp64_contents: vec![0.0; 100],
            bytes_contents: vec!["image".into(); 7],
        }
    }

    #[test]
    fn counts_every_kind_of_element_at_every_depth() {
        let request = ModelInferRequest {
            model_name: "model".to_owned(),
            parameters: parameters(&["a", "b"]),
            inputs: vec![
                InferInputTensor {
                    name: "image".to_owned(),
                    shape: vec![1, -1, 1 << 40],
                    parameters: parameters(&["c"]),
                    contents: Some(contents()),
                    ..Default::default()
                },
                InferInputTensor::default(),
            ],
            outputs: vec![
                InferRequestedOutputTensor {
                    name: "label".to_owned(),
                    parameters: parameters(&["d", "e", "f"]),
                },
                InferRequestedOutputTensor::default(),
                InferRequestedOutputTensor::default(),
            ],
            raw_input_contents: vec!["raw".into(); 4],
            ..Default::default()
        };
        let expected = ElementCount {
            inputs: 2,
            outputs: 3,
            raw_inputs: 4,
            parameters: 6,
            axes: 3,
            images: 7,
            other_numbers: 15,
        };
        assert_eq!(
            ElementCount::of(&request.encode_to_vec()).unwrap(),
            expected
        );
    }

    #[test]
    fn counts_numbers_that_are_not_packed() {
        // An input with contents of two int64_contents and an axis.
        let message = [0x2A, 8, 0x2A, 4, 0x18, 1, 0x18, 2, 0x18, 3];
        let count = ElementCount::of(&message).unwrap();
        assert_eq!((count.other_numbers, count.axes), (2, 1));
        let decoded = ModelInferRequest::decode(&message[..]).unwrap();
        assert_eq!(decoded.inputs[0].shape, [3]);
    }

    #[test]
    fn each_kind_has_a_limit() {
        let most = ElementCount {
            inputs: ENTRIES_MAX,
            outputs: ENTRIES_MAX,
            raw_inputs: ENTRIES_MAX,
            parameters: ENTRIES_MAX,
            axes: ENTRIES_MAX,
            images: 9,
            other_numbers: ENTRIES_MAX,
        };
        most.check(9).unwrap();
        let beyond: [fn(&mut ElementCount); 7] = [
            |count| count.inputs += 1,
            |count| count.outputs += 1,
            |count| count.raw_inputs += 1,
            |count| count.parameters += 1,
            |count| count.axes += 1,
            |count| count.images += 1,
            |count| count.other_numbers += 1,
        ];
        for add in beyond {
            let mut count = most;
            add(&mut count);
            count.check(9).unwrap_err();
        }
    }

    #[test]
    fn malformed_messages_are_not_counted() {
        for message in [&[0x2A, 9, 0x2A][..], &[0x28, 1], &[0x0B], &[0xFF; 20]] {
            assert!(ElementCount::of(message).is_err(), "{message:?}");
            assert!(ModelInferRequest::decode(message).is_err(), "{message:?}");
        }
    }
}
