//! Counts the images of a batch while its message arrives. An empty image takes two bytes on the wire and a hundred once it is
//! decoded: without this, ten megabytes of them would become half a gigabyte before they are counted.

/// `requests` of `ClassifyBatchRequest`, with the wire type of a message.
const REQUESTS_TAG: u64 = 1 << 3 | LENGTH_DELIMITED;
const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const LENGTH_DELIMITED: u64 = 2;
const FIXED_32: u64 = 5;
/// Bits of a varint in each of its bytes.
const VARINT_BITS: u32 = 7;

/// Reads the top-level fields of a message that arrives in pieces.
#[derive(Debug, Default)]
pub(crate) struct BatchCounter {
    state: State,
    /// The varint that is being read.
    value: u64,
    shift: u32,
    images: usize,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Tag,
    Length,
    /// The value of a field.
    Varint,
    Skipping(u64),
    /// The decoder rejects the message.
    Malformed,
}

impl BatchCounter {
    /// How many images have begun, with those in the next bytes of the message.
    pub(crate) fn count(&mut self, mut data: &[u8]) -> usize {
        while !data.is_empty() {
            data = match self.state {
                State::Malformed => break,
                State::Skipping(bytes) => {
                    let skipped = usize::try_from(bytes).map_or(data.len(), |n| n.min(data.len()));
                    self.state = match bytes - skipped as u64 {
                        0 => State::Tag,
                        left => State::Skipping(left),
                    };
                    &data[skipped..]
                }
                State::Tag | State::Length | State::Varint => {
                    self.varint_byte(data[0]);
                    &data[1..]
                }
            };
        }
        self.images
    }

    fn varint_byte(&mut self, byte: u8) {
        if self.shift >= u64::BITS {
            self.state = State::Malformed;
            return;
        }
        self.value |= u64::from(byte & 0x7F) << self.shift;
        self.shift += VARINT_BITS;
        if byte & 0x80 == 0 {
            let value = std::mem::take(&mut self.value);
            self.shift = 0;
            self.state = self.after(value);
        }
    }

    fn after(&mut self, value: u64) -> State {
        const TYPE_BITS: u64 = 7;
        match self.state {
            State::Length => State::Skipping(value),
            State::Tag => {
                self.images += usize::from(value == REQUESTS_TAG);
                match value & TYPE_BITS {
                    VARINT => State::Varint,
                    FIXED_64 => State::Skipping(8),
                    LENGTH_DELIMITED => State::Length,
                    FIXED_32 => State::Skipping(4),
                    _ => State::Malformed,
                }
            }
            _ => State::Tag,
        }
    }
}

#[cfg(test)]
mod tests {
    use imageclassifier_proto::{ClassifyBatchRequest, ClassifyImageRequest};
    use prost::Message;

    use super::*;

    #[test]
    fn counts_images_in_pieces_of_any_size() {
        let image = |bytes: usize| ClassifyImageRequest {
            image_data: vec![0x0A; bytes].into(),
            ..Default::default()
        };
        let requests = vec![image(0), image(3), image(300), image(0), image(70_000)];
        let message = ClassifyBatchRequest { requests }.encode_to_vec();
        for piece_bytes in [1, 2, 3, 7, 1000, message.len()] {
            let mut counter = BatchCounter::default();
            for piece in message.chunks(piece_bytes) {
                counter.count(piece);
            }
            assert_eq!(counter.count(&[]), 5, "{piece_bytes}");
        }
    }

    #[test]
    fn skips_fields_that_it_does_not_know() {
        let unknown = [
            &[0x10, 0x81, 0x01][..],
            &[0x19, 0x0A, 0, 0x0A, 0, 0x0A, 0, 0x0A, 0],
            &[0x25, 0x0A, 0, 0x0A, 0],
            &[0x32, 4, 0x0A, 0, 0x0A, 0],
            &[0x0A, 0],
        ]
        .concat();
        assert_eq!(BatchCounter::default().count(&unknown), 1);
        let malformed = [0x0A, 0, 0x0B, 0x0A, 0];
        assert_eq!(BatchCounter::default().count(&malformed), 1);
        assert_eq!(BatchCounter::default().count(&[0xFF; 20]), 0);
    }
}
