//! What a gRPC-Web answer is made of: frames of a flag, a length and so many bytes. The last one holds the trailers.

use bytes::{Buf, Bytes};
use http::{HeaderMap, HeaderName, HeaderValue};

/// Flag and length.
const HEAD_BYTES: usize = 5;
const TRAILERS: u8 = 0x80;

/// An answer taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The messages, each still with its flag and length: that is how gRPC itself frames them.
    pub(crate) messages: Bytes,
    /// None where the status came with the headers.
    pub(crate) trailers: Option<HeaderMap>,
}

/// The answer ends before it is complete, or goes on after its trailers, or is something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer is no gRPC-Web answer")]
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

/// As in HTTP/1.1: `name: value`, a line each.
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
    fn messages_stay_framed_and_trailers_become_headers() {
        let answer = parse(&[MESSAGE, MESSAGE, STATUS]).unwrap();
        assert_eq!(answer.messages, [MESSAGE, MESSAGE].concat());
        let trailers = answer.trailers.unwrap();
        assert_eq!(trailers.len(), 2);
        assert_eq!(trailers["grpc-status"], "3");
        assert_eq!(trailers["grpc-message"], "no");
    }

    #[test]
    fn trailers_may_be_spaced_or_end_without_a_line_break_or_be_none() {
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
    fn a_status_in_the_headers_leaves_nothing_to_parse() {
        let answer = parse(&[]).unwrap();
        assert_eq!(answer.trailers, None);
        assert!(answer.messages.is_empty());
    }

    #[test]
    fn what_is_cut_off_or_goes_on_is_refused() {
        let whole = [MESSAGE, STATUS].concat();
        for end in 1..whole.len() {
            let cut = parse(&[&whole[..end]]);
            // Between the frames an answer may end: its status is then missing, which is for tonic to say.
            assert_eq!(cut.is_ok(), end == MESSAGE.len(), "{end}");
        }
        assert_eq!(parse(&[STATUS, MESSAGE]), Err(Malformed));
        assert_eq!(parse(&[b"\x80\0\0\0\x03abc"]), Err(Malformed));
        assert_eq!(parse(&[b"\x80\0\0\0\x05a b:c"]), Err(Malformed));
        assert_eq!(parse(&[b"<!doctype html>"]), Err(Malformed));
    }
}
