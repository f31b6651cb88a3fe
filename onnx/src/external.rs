//! Files that keep their weights in other files, made whole.

use crate::OnnxError;
use crate::tensor::Tensor;
use crate::wire::{Field, Message, next, write_bytes, write_varint};

/// What becomes of a field's bytes.
type Change<'a> = dyn FnMut(&[u8]) -> Result<Vec<u8>, OnnxError> + 'a;

/// The same model with all weights inside. `read` returns the contents of a file beside the model's, by the name in the
/// model, from an offset on, as many bytes as the second number says or all.
///
/// # Errors
/// If the file is malformed or the contents are not there.
pub fn inline_external_data(
    model: &[u8],
    mut read: impl FnMut(&str, u64, Option<u64>) -> Result<Vec<u8>, String>,
) -> Result<Vec<u8>, OnnxError> {
    rewrite(model, 7, &mut |graph| {
        rewrite(graph, 5, &mut |message| {
            let tensor = Tensor::parse(Message(message))?;
            if !tensor.is_external {
                return Ok(message.to_vec());
            }
            let entry = |key: &str| tensor.external.iter().find(|(found, _)| *found == key);
            let number = |key: &str| entry(key).and_then(|(_, value)| value.parse::<u64>().ok());
            let (_, location) = entry("location")
                .ok_or_else(|| OnnxError::layer(tensor.name, "it names no file for its data"))?;
            let data = read(
                location,
                number("offset").unwrap_or_default(),
                number("length"),
            )
            .map_err(|problem| OnnxError::layer(tensor.name, problem))?;
            let mut inline = Vec::with_capacity(data.len() + message.len());
            copy_fields(message, &[9, 13, 14], &mut inline);
            write_bytes(9, &data, &mut inline);
            Ok(inline)
        })
    })
}

/// A copy of `message` in which every field `number` is what `change` makes of it.
fn rewrite(message: &[u8], number: u64, change: &mut Change<'_>) -> Result<Vec<u8>, OnnxError> {
    let mut changed = Vec::new();
    copy_fields(message, &[number], &mut changed);
    Message(message).read(|found, field| {
        if found == number {
            write_bytes(number, &change(field.bytes()?)?, &mut changed);
        }
        Ok(())
    })?;
    Ok(changed)
}

/// Copies all fields but some.
fn copy_fields(message: &[u8], without: &[u64], to: &mut Vec<u8>) {
    let mut rest = message;
    while let Some((number, field)) = next(&mut rest) {
        if without.contains(&number) {
            continue;
        }
        match field {
            Field::Varint(value) => {
                write_varint(number << 3, to);
                write_varint(value, to);
            }
            Field::Fixed64(bytes) => {
                write_varint(number << 3 | 1, to);
                to.extend_from_slice(&bytes);
            }
            Field::Bytes(bytes) => write_bytes(number, bytes, to),
            Field::Fixed32(bytes) => {
                write_varint(number << 3 | 5, to);
                to.extend_from_slice(&bytes);
            }
        }
        if rest.is_empty() {
            return;
        }
    }
}
