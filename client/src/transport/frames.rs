//! The body of a gRPC-Web response: frames, each a flag, a length and that many bytes. The last one holds the trailers.

use bytes::{Buf, Bytes};
use http::{HeaderMap, HeaderName, HeaderValue};

/// Flag and length.
const HEAD_BYTES: usize = 5;
const TRAILERS: u8 = 0x80;

/// A response in its parts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The messages, each still with its flag and length: that is how gRPC itself frames them.
    pub(crate) messages: Bytes,
    /// `None` where the status came with the headers.
    pub(crate) trailers: Option<HeaderMap>,
}

/// The response is incomplete, has bytes after its trailers, or is not gRPC-Web.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the response is not gRPC-Web")]
pub(crate) struct Malformed;

impl Answer {
    pub(crate) fn parse(body: &Bytes) -> Result<Self, Malformed> {
        let mut rest = body.clone();
        while !rest.is_empty() {
            let frame_at = body.len() - rest.len();
            let (flag, content) = frame(&mut rest)?;
            if flag & TRAILERS != 0 {
                return if rest.is_empty() {
                    Ok(Self {
                        messages: body.slice(..frame_at),
                        trailers: Some(trailers(&content)?),
                    })
                } else {
                    Err(Malformed)
                };
            }
        }
        Ok(Self {
            messages: body.clone(),
            trailers: None,
        })
    }
}

fn frame(rest: &mut Bytes) -> Result<(u8, Bytes), Malformed> {
    if rest.len() < HEAD_BYTES {
        return Err(Malformed);
    }
    let flag = rest.get_u8();
    let length = usize::try_from(rest.get_u32()).map_err(|_| Malformed)?;
    if length > rest.len() {
        return Err(Malformed);
    }
    Ok((flag, rest.split_to(length)))
}

/// As in HTTP/1.1: `name: value`, one per line.
fn trailers(content: &[u8]) -> Result<HeaderMap, Malformed> {
    let lines = content.split(|byte| *byte == b'\n');
    lines
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty())
        .map(|line| {
            let colon = line.iter().position(|byte| *byte == b':');
            let (name, value) = line.split_at(colon.ok_or(Malformed)?);
            let name = HeaderName::from_bytes(name.trim_ascii()).map_err(|_| Malformed)?;
            let value = HeaderValue::from_bytes(value[1..].trim_ascii()).map_err(|_| Malformed)?;
            Ok((name, value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &[u8] = b"\0\0\0\0\x03abc";
    const STATUS: &[u8] = b"\x80\0\0\0\x20grpc-status:3\r\ngrpc-message:no\r\n";

    fn parse(parts: &[&[u8]]) -> Result<Answer, Malformed> {
        Answer::parse(&parts.concat().into())
    }

    #[test]
    fn keeps_messages_framed_and_parses_trailers() {
        let answer = parse(&[MESSAGE, MESSAGE, STATUS]).unwrap();
        assert_eq!(answer.messages, [MESSAGE, MESSAGE].concat());
        let trailers = answer.trailers.unwrap();
        assert_eq!(trailers.len(), 2);
        assert_eq!(trailers["grpc-status"], "3");
        assert_eq!(trailers["grpc-message"], "no");
    }

    #[test]
    fn accepts_trailers_with_spaces_without_line_breaks_and_empty() {
        let cases: [(&[u8], usize); 3] = [
            (b"\x80\0\0\0\x10grpc-status: 0\r\n", 1),
            (b"\x80\0\0\0\x0dgrpc-status:0", 1),
            (b"\x80\0\0\0\0", 0),
        ];
        for (frame, count) in cases {
            let trailers = parse(&[frame]).unwrap().trailers.unwrap();
            assert_eq!(trailers.len(), count);
            assert!(count == 0 || trailers["grpc-status"] == "0");
        }
    }

    #[test]
    fn accepts_an_empty_body() {
        let answer = parse(&[]).unwrap();
        assert_eq!(answer.trailers, None);
        assert!(answer.messages.is_empty());
    }

    #[test]
    fn rejects_truncated_bodies_and_trailing_data() {
        let whole = [MESSAGE, STATUS].concat();
        for end in 1..whole.len() {
            let cut = parse(&[&whole[..end]]);
            // A body may end between the frames: then the status is missing, which tonic reports.
            assert_eq!(cut.is_ok(), end == MESSAGE.len(), "{end}");
        }
        assert_eq!(parse(&[STATUS, MESSAGE]), Err(Malformed));
        assert_eq!(parse(&[b"\x80\0\0\0\x03abc"]), Err(Malformed));
        assert_eq!(parse(&[b"\x80\0\0\0\x05a b:c"]), Err(Malformed));
        assert_eq!(parse(&[b"<!doctype html>"]), Err(Malformed));
    }
}
