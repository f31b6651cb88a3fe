//! Constants.

use half::{bf16, f16};

use crate::OnnxError;
use crate::wire::{Field, Message, parse_entry, push};

/// A constant as it is in the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tensor<'a> {
    pub(crate) name: &'a str,
    dims: Vec<i64>,
    data_type: i64,
    raw: Option<&'a [u8]>,
    /// The whole message, for data in typed fields.
    message: &'a [u8],
    /// Location, offset and length, if the data is in another file.
    pub(crate) external: Vec<(&'a str, &'a str)>,
    pub(crate) is_external: bool,
}

/// A constant's elements, whatever type they had. Integers up to 2²⁴ are exact; beyond are only such that mean "to the
/// end".
pub(crate) struct Elements {
    pub(crate) shape: Vec<usize>,
    pub(crate) data: Vec<f32>,
    /// Whether the file has integers or truth values.
    pub(crate) integer: bool,
}

const FLOAT: i64 = 1;
const UINT8: i64 = 2;
const INT8: i64 = 3;
const INT32: i64 = 6;
const INT64: i64 = 7;
const BOOL: i64 = 9;
const FLOAT16: i64 = 10;
const DOUBLE: i64 = 11;
const BFLOAT16: i64 = 16;

impl<'a> Tensor<'a> {
    pub(crate) fn parse(message: Message<'a>) -> Result<Self, OnnxError> {
        let mut tensor = Self {
            message: message.0,
            ..Self::default()
        };
        message.read(|number, field| {
            match number {
                1 => field.push_ints(&mut tensor.dims)?,
                2 => tensor.data_type = field.int()?,
                8 => tensor.name = field.text()?,
                9 => tensor.raw = Some(field.bytes()?),
                13 => push(&mut tensor.external, parse_entry(field.message()?)?, 16)?,
                14 => tensor.is_external = field.int()? == 1,
                _ => {}
            }
            Ok(())
        })?;
        if tensor.dims.len() > 16 {
            return Err(OnnxError::malformed("a constant has too many axes"));
        }
        Ok(tensor)
    }

    /// Whether elements of this type are whole numbers or truth values.
    pub(crate) fn is_integer(data_type: i64) -> bool {
        matches!(data_type, UINT8 | INT8 | INT32 | INT64 | BOOL)
            || (4..=5).contains(&data_type)
            || (12..=13).contains(&data_type)
    }

    /// # Errors
    /// If the data is in another file, of an unsupported type, or not as long as the shape says.
    pub(crate) fn elements(&self) -> Result<Elements, OnnxError> {
        let error = |problem: String| OnnxError::layer(self.name, problem);
        if self.is_external {
            return Err(error(
                "its data is in another file, which is not there".to_owned(),
            ));
        }
        let shape = self.dims.iter().map(|dim| usize::try_from(*dim).ok());
        let shape: Option<Vec<usize>> = shape.collect();
        let shape = shape.ok_or_else(|| error("it has a negative axis".to_owned()))?;
        let data = match self.raw {
            Some(raw) => self.raw_elements(raw)?,
            None => self.field_elements()?,
        };
        if shape.iter().try_fold(1_usize, |a, b| a.checked_mul(*b)) != Some(data.len()) {
            return Err(error(format!(
                "the constant has {} elements, which do not fit its shape {shape:?}",
                data.len()
            )));
        }
        Ok(Elements {
            shape,
            data,
            integer: Self::is_integer(self.data_type),
        })
    }

    fn unsupported(&self) -> OnnxError {
        let problem = format!(
            "constants of ONNX's data type {} are not supported: export the model in float32",
            self.data_type
        );
        OnnxError::layer(self.name, problem)
    }

    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // As `Elements` says.
    fn raw_elements(&self, raw: &[u8]) -> Result<Vec<f32>, OnnxError> {
        macro_rules! each {
            ($bytes:ident => $value:expr) => {{
                let (elements, rest) = raw.as_chunks();
                if !rest.is_empty() {
                    return Err(OnnxError::layer(self.name, "its data is cut off"));
                }
                elements.iter().map(|$bytes| $value).collect()
            }};
        }
        Ok(match self.data_type {
            FLOAT => each!(bytes => f32::from_le_bytes(*bytes)),
            DOUBLE => each!(bytes => f64::from_le_bytes(*bytes) as f32),
            INT64 => each!(bytes => i64::from_le_bytes(*bytes) as f32),
            INT32 => each!(bytes => i32::from_le_bytes(*bytes) as f32),
            FLOAT16 => each!(bytes => f16::from_le_bytes(*bytes).to_f32()),
            BFLOAT16 => each!(bytes => bf16::from_le_bytes(*bytes).to_f32()),
            UINT8 | BOOL => raw.iter().map(|byte| f32::from(*byte)).collect(),
            INT8 => raw
                .iter()
                .map(|byte| f32::from(byte.cast_signed()))
                .collect(),
            _ => return Err(self.unsupported()),
        })
    }

    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // As `Elements` says.
    fn field_elements(&self) -> Result<Vec<f32>, OnnxError> {
        let (mut floats, mut ints, mut doubles) = (Vec::new(), Vec::new(), Vec::new());
        Message(self.message).read(|number, field| match (number, self.data_type) {
            (4, FLOAT) => field.push_floats(&mut floats),
            (5, INT32 | BOOL | UINT8 | INT8 | FLOAT16 | BFLOAT16) | (7, INT64) => {
                field.push_ints(&mut ints)
            }
            (10, DOUBLE) => {
                match field {
                    Field::Bytes(packed) => doubles.extend_from_slice(packed.as_chunks().0),
                    Field::Fixed64(bytes) => doubles.push(bytes),
                    _ => {}
                }
                Ok(())
            }
            _ => Ok(()),
        })?;
        let sixteen = |int: i64| u16::try_from(int & 0xFFFF).expect("16 bits");
        Ok(match self.data_type {
            FLOAT => floats,
            DOUBLE => doubles
                .into_iter()
                .map(|it| f64::from_le_bytes(it) as f32)
                .collect(),
            INT64 | INT32 | BOOL | UINT8 | INT8 => ints.into_iter().map(|it| it as f32).collect(),
            FLOAT16 => ints
                .into_iter()
                .map(|it| f16::from_bits(sixteen(it)).to_f32())
                .collect(),
            BFLOAT16 => ints
                .into_iter()
                .map(|it| bf16::from_bits(sixteen(it)).to_f32())
                .collect(),
            _ => return Err(self.unsupported()),
        })
    }
}
