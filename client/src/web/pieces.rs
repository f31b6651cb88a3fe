//! Messages around images whose bytes lie elsewhere: only what goes before and after each image is encoded here.

use bytes::Bytes;
use prost::{
    Message,
    encoding::{WireType, encode_key, encode_varint},
};

use crate::ClassifyOptions;

/// Field numbers of the contract.
const IMAGE_DATA: u32 = 1;
const REQUESTS: u32 = 1;
/// The flag of a message that is not compressed. Its length follows.
const NOT_COMPRESSED: u8 = 0;

/// A part of a message.
pub(crate) enum Piece<P> {
    Bytes(Vec<u8>),
    Image(P),
}

/// The parts of a message in order, and their total length.
pub(crate) struct Pieces<P> {
    pieces: Vec<Piece<P>>,
    bytes: u64,
}

/// The message is longer than the 32 bits of its length can say.
#[derive(Debug)]
pub(crate) struct TooLong;

impl<P> Pieces<P> {
    /// A `ClassifyImageRequest`.
    pub(crate) fn request(options: ClassifyOptions, image: P, image_bytes: u64) -> Self {
        let mut pieces = Self::default();
        pieces.begin(IMAGE_DATA, image_bytes);
        pieces.bytes += image_bytes;
        pieces.pieces.push(Piece::Image(image));
        pieces.push(options.request(Bytes::new()).encode_to_vec());
        pieces
    }

    /// A `ClassifyBatchRequest`.
    pub(crate) fn batch(requests: impl IntoIterator<Item = Self>) -> Self {
        let mut pieces = Self::default();
        for request in requests {
            pieces.begin(REQUESTS, request.bytes);
            pieces.bytes += request.bytes;
            pieces.pieces.extend(request.pieces);
        }
        pieces
    }

    /// The message with gRPC's prefix.
    pub(crate) fn framed(self) -> Result<Vec<Piece<P>>, TooLong> {
        let bytes = u32::try_from(self.bytes).map_err(|_| TooLong)?;
        let mut prefix = vec![NOT_COMPRESSED];
        prefix.extend(bytes.to_be_bytes());
        let mut framed = vec![Piece::Bytes(prefix)];
        framed.extend(self.pieces);
        Ok(framed)
    }

    /// Begins a field: its number and its length.
    fn begin(&mut self, field: u32, bytes: u64) {
        let mut head = Vec::new();
        encode_key(field, WireType::LengthDelimited, &mut head);
        encode_varint(bytes, &mut head);
        self.push(head);
    }

    fn push(&mut self, bytes: Vec<u8>) {
        self.bytes += bytes.len() as u64;
        self.pieces.push(Piece::Bytes(bytes));
    }
}

impl<P> Default for Pieces<P> {
    fn default() -> Self {
        Self {
            pieces: Vec::new(),
            bytes: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use imageclassifier_proto::{ClassifyBatchRequest, ClassifyImageRequest};

    use super::*;

    fn options() -> ClassifyOptions {
        ClassifyOptions {
            top_k: 20,
            model: "efficientnet-lite0".to_owned(),
            explain: true,
        }
    }

    fn request(image: &[u8]) -> Pieces<&[u8]> {
        Pieces::request(options(), image, image.len() as u64)
    }

    fn joined(pieces: Pieces<&[u8]>) -> Vec<u8> {
        let framed = pieces.framed().unwrap().into_iter();
        framed
            .flat_map(|piece| match piece {
                Piece::Bytes(bytes) => bytes,
                Piece::Image(image) => image.to_vec(),
            })
            .collect()
    }

    #[test]
    fn pieces_join_to_the_framed_message() {
        let images = [&b"some image"[..], &[7; 300], &[9; 70_000]];
        for image in images {
            let framed = joined(request(image));
            let (frame, message) = framed.split_at(5);
            assert_eq!(frame[0], 0);
            assert_eq!(
                frame[1..],
                u32::try_from(message.len()).unwrap().to_be_bytes()
            );
            let expected = options().request(Bytes::copy_from_slice(image));
            assert_eq!(ClassifyImageRequest::decode(message).unwrap(), expected);
        }

        let framed = joined(Pieces::batch(images.map(request)));
        let expected = ClassifyBatchRequest {
            requests: images
                .map(|image| options().request(Bytes::copy_from_slice(image)))
                .to_vec(),
        };
        assert_eq!(framed[5..], expected.encode_to_vec());
    }

    #[test]
    fn rejects_messages_that_are_too_long_for_grpc() {
        let most = u64::from(u32::MAX);
        assert!(Pieces::request(options(), (), most - 100).framed().is_ok());
        assert!(Pieces::request(options(), (), most).framed().is_err());
    }
}
