//! Protobuf's wire format: a message is a sequence of numbered fields. Nothing is copied.

use crate::OnnxError;

/// The fields of a message, in the order of the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a>(pub(crate) &'a [u8]);

/// A field's contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    /// A string, a message, or packed numbers.
    Bytes(&'a [u8]),
    Fixed32([u8; 4]),
}

impl<'a> Message<'a> {
    /// Calls `take` with the number and contents of each field.
    pub(crate) fn read(
        self,
        mut take: impl FnMut(u64, Field<'a>) -> Result<(), OnnxError>,
    ) -> Result<(), OnnxError> {
        let mut rest = self.0;
        while !rest.is_empty() {
            let (number, field) =
                next(&mut rest).ok_or_else(|| OnnxError::malformed("a field is cut off"))?;
            take(number, field)?;
        }
        Ok(())
    }
}

/// The next field; `None` if it is cut off or of an unknown kind.
pub(crate) fn next<'a>(rest: &mut &'a [u8]) -> Option<(u64, Field<'a>)> {
    let key = varint(rest)?;
    let field = match key & 7 {
        0 => Field::Varint(varint(rest)?),
        1 => Field::Fixed64(fixed(rest)?),
        2 => {
            let len = usize::try_from(varint(rest)?).ok()?;
            let (bytes, after) = rest.split_at_checked(len)?;
            *rest = after;
            Field::Bytes(bytes)
        }
        5 => Field::Fixed32(fixed(rest)?),
        _ => return None,
    };
    Some((key >> 3, field))
}

pub(crate) fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

fn fixed<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (bytes, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*bytes)
}

/// Appends a varint.
pub(crate) fn write_varint(mut value: u64, to: &mut Vec<u8>) {
    while value >= 0x80 {
        to.push(u8::try_from(value & 0x7F).expect("7 bits") | 0x80);
        value >>= 7;
    }
    to.push(u8::try_from(value).expect("7 bits"));
}

/// Appends a field of bytes.
pub(crate) fn write_bytes(number: u64, bytes: &[u8], to: &mut Vec<u8>) {
    write_varint(number << 3 | 2, to);
    write_varint(bytes.len() as u64, to);
    to.extend_from_slice(bytes);
}

impl<'a> Field<'a> {
    pub(crate) fn bytes(self) -> Result<&'a [u8], OnnxError> {
        match self {
            Field::Bytes(bytes) => Ok(bytes),
            _ => Err(OnnxError::malformed("a field has another type")),
        }
    }

    pub(crate) fn message(self) -> Result<Message<'a>, OnnxError> {
        self.bytes().map(Message)
    }

    pub(crate) fn text(self) -> Result<&'a str, OnnxError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| OnnxError::malformed("a name is not UTF-8"))
    }

    pub(crate) fn int(self) -> Result<i64, OnnxError> {
        match self {
            Field::Varint(value) => Ok(value.cast_signed()),
            _ => Err(OnnxError::malformed("a field has another type")),
        }
    }

    pub(crate) fn float(self) -> Result<f32, OnnxError> {
        match self {
            Field::Fixed32(bytes) => Ok(f32::from_le_bytes(bytes)),
            _ => Err(OnnxError::malformed("a field has another type")),
        }
    }

    /// Appends the integers of a repeated field, packed or not.
    pub(crate) fn push_ints(self, to: &mut Vec<i64>) -> Result<(), OnnxError> {
        match self {
            Field::Bytes(mut packed) => {
                while !packed.is_empty() {
                    let value = varint(&mut packed);
                    to.push(
                        value
                            .ok_or_else(|| OnnxError::malformed("a number is cut off"))?
                            .cast_signed(),
                    );
                }
                Ok(())
            }
            _ => self.int().map(|value| to.push(value)),
        }
    }

    /// Appends the floats of a repeated field, packed or not.
    pub(crate) fn push_floats(self, to: &mut Vec<f32>) -> Result<(), OnnxError> {
        match self {
            Field::Bytes(packed) => {
                let (floats, rest) = packed.as_chunks();
                if !rest.is_empty() {
                    return Err(OnnxError::malformed("a number is cut off"));
                }
                to.extend(floats.iter().map(|bytes| f32::from_le_bytes(*bytes)));
                Ok(())
            }
            _ => self.float().map(|value| to.push(value)),
        }
    }
}

/// Appends to a list that has a limit.
pub(crate) fn push<T>(list: &mut Vec<T>, item: T, max: usize) -> Result<(), OnnxError> {
    if list.len() >= max {
        return Err(OnnxError::malformed(format!(
            "a list has more than {max} entries"
        )));
    }
    list.push(item);
    Ok(())
}

/// A pair of key and value.
pub(crate) fn parse_entry(message: Message<'_>) -> Result<(&str, &str), OnnxError> {
    let (mut key, mut value) = ("", "");
    message.read(|number, field| {
        match number {
            1 => key = field.text()?,
            2 => value = field.text()?,
            _ => {}
        }
        Ok(())
    })?;
    Ok((key, value))
}
