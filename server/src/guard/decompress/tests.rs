use axum::{Router, middleware, response::IntoResponse};
use flate2::{Compression, write::GzEncoder};
use http::StatusCode;
use tokio::sync::Semaphore;

use super::*;
use crate::{
    guard::fixture::{self, LIMITS, answer},
    observe::error_reporter::ReportedError,
};

const TOTAL_BYTES: usize = 1 << 20;

fn total() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(TOTAL_BYTES))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn framed(flag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[flag], &length[..], content].concat()
}

/// What inner layers get of a body that arrives in `pieces`: its bytes, or the error that ends it.
async fn decompressed(method: Method, pieces: Vec<Bytes>) -> Result<Bytes, RequestError> {
    let decompressor = Decompressor {
        limits: LIMITS,
        reporter: fixture::reporter(),
        offload: Offload::new().unwrap(),
    };
    let service = Router::new()
        .fallback(
            async |request: Request| match request.into_body().collect().await {
                Ok(body) => body.to_bytes().into_response(),
                Err(error) => ReportedError::find(&error).unwrap().clone().into_response(),
            },
        )
        .layer(middleware::from_fn_with_state(decompressor, decompress));
    let reservation = fixture::reservation(&total());
    // What has been reserved while it arrived.
    let wire_bytes = pieces.iter().map(Bytes::len).sum();
    reservation.reserve(wire_bytes).unwrap();
    let pieces = pieces.into_iter().map(Ok::<_, io::Error>);
    let body = Body::from_stream(stream::iter(pieces));
    let headers = [("grpc-encoding", "gzip")];
    let mut request = fixture::request(Protocol::Grpc, method, &headers, body);
    request.extensions_mut().insert(reservation);
    let response = answer(service, request).await;
    if let Some(error) = response.extensions().get::<RequestError>() {
        return Err(error.clone());
    }
    assert_eq!(response.status(), StatusCode::OK);
    Ok(response.into_body().collect().await.unwrap().to_bytes())
}

#[tokio::test]
async fn messages_in_pieces_of_any_size_keep_their_order() {
    let contents = [&b"first"[..], b"", b"third, not compressed", b"fourth", b""];
    let flags = [1, 1, 0, 1, 0];
    let sent = contents
        .iter()
        .zip(flags)
        .map(|(content, flag)| match flag {
            0 => framed(0, content),
            flag => framed(flag, &gzip(content)),
        });
    let sent = sent.collect::<Vec<_>>().concat();
    let expected = contents.map(|content| framed(0, content)).concat();
    for piece_bytes in [1, 3, 7, sent.len()] {
        let pieces = sent.chunks(piece_bytes).map(Bytes::copy_from_slice);
        let received = decompressed(Method::ClassifyStream, pieces.collect()).await;
        assert_eq!(received.unwrap(), expected, "{piece_bytes}");
    }
}

#[tokio::test]
async fn images_of_a_batch_are_counted_before_its_message_is_passed_on() {
    for (method, images, accepted) in [
        (Method::ClassifyBatch, 3, true),
        (Method::ClassifyBatch, 5, false),
        (Method::Classify, 5, true),
    ] {
        let message = framed(1, &gzip(&[0x0A, 0].repeat(images)));
        match decompressed(method, vec![message.into()]).await {
            Ok(_) => assert!(accepted, "{method:?}, {images}"),
            Err(RequestError::BatchSize { images: found, .. }) => {
                assert!(!accepted, "{method:?}, {images}");
                assert_eq!(found, ImageCount::Exactly(images));
            }
            Err(error) => panic!("{method:?}, {images}: {error:?}"),
        }
    }
}

#[test]
fn a_message_may_be_as_long_as_the_limit() {
    let reservation = fixture::reservation(&total());
    let longest = vec![0; LIMITS.message_bytes_max];
    let longer = vec![0; LIMITS.message_bytes_max + 1];
    let decode = |bytes: &[u8]| {
        let message = framed(1, &gzip(bytes));
        decode(Encoding::Gzip, &message, PREFIX_BYTES, LIMITS, &reservation)
    };
    assert_eq!(decode(&longest).unwrap(), framed(0, &longest));
    assert!(matches!(
        decode(&longer),
        Err(RequestError::MessageTooLarge { .. })
    ));
}

#[test]
fn a_decompressed_message_holds_its_length_and_a_malformed_one_nothing() {
    let content = vec![7; 150_000];
    let compressed = gzip(&content);
    let cut = &compressed[..compressed.len() - 1];
    for (message, held_bytes) in [(&*compressed, content.len()), (cut, 0)] {
        let bytes = total();
        let reservation = fixture::reservation(&bytes);
        let decoded = decode(Encoding::Gzip, message, 0, LIMITS, &reservation);
        assert_eq!(decoded.map_or(0, |bytes| bytes.len()), held_bytes);
        assert_eq!(TOTAL_BYTES - bytes.available_permits(), held_bytes);
    }
}

#[test]
fn memory_is_reserved_in_doubling_steps_up_to_the_limit() {
    let bytes = total();
    let reservation = fixture::reservation(&bytes);
    let mut decoded = Decoded {
        bytes: Vec::new(),
        reserved_bytes: 0,
        limits: LIMITS,
        reservation: &reservation,
        error: None,
    };
    for (length, reserved) in [
        (1, 64 << 10),
        (64 << 10, 64 << 10),
        ((64 << 10) + 1, 128 << 10),
        (128 << 10, 128 << 10),
        ((128 << 10) + 1, LIMITS.message_bytes_max + PREFIX_BYTES),
    ] {
        let more = length - decoded.bytes.len();
        decoded.write_all(&vec![0; more]).unwrap();
        let held = TOTAL_BYTES - bytes.available_permits();
        assert_eq!(held, reserved, "{length}");
        assert!(decoded.bytes.capacity() >= reserved, "{length}");
    }
    drop(decoded);
    assert_eq!(bytes.available_permits(), TOTAL_BYTES);
}
