//! How messages and bodies may be compressed.

use http::{HeaderMap, HeaderName, header};

use crate::request::head::Protocol;

/// A compression that requests and responses may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Gzip,
    Zstd,
}

/// What gRPC clients may send, in the words of `grpc-accept-encoding`.
pub(crate) const ACCEPTED: &str = "gzip,zstd,identity";
/// How the messages of a request or response are compressed.
pub(crate) const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
/// How the other side may compress its messages.
pub(crate) const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");

impl Encoding {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// The header that names the compression of a body or its messages.
    pub(crate) fn header(protocol: Protocol) -> HeaderName {
        match protocol {
            Protocol::Http => header::CONTENT_ENCODING,
            Protocol::Grpc | Protocol::GrpcWeb | Protocol::GrpcWebText => GRPC_ENCODING,
        }
    }

    /// The first compression that the caller accepts for the response.
    pub(crate) fn parse_accepted(protocol: Protocol, headers: &HeaderMap) -> Option<Self> {
        let name = match protocol {
            Protocol::Http => header::ACCEPT_ENCODING,
            Protocol::Grpc | Protocol::GrpcWeb | Protocol::GrpcWebText => GRPC_ACCEPT_ENCODING,
        };
        let values = headers.get_all(name).into_iter();
        let mut codings = values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','));
        codings.find_map(|coding| {
            let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
            Self::parse(name).filter(|_| !is_zero(weight))
        })
    }

    /// The compression of that name; `None` for `identity` too.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// Whether a weight, as in `q=0`, says that the coding is not acceptable.
pub(crate) fn is_zero(weight: &str) -> bool {
    weight.split_once('=').is_some_and(|(name, value)| {
        name.trim().eq_ignore_ascii_case("q") && value.trim().parse() == Ok(0.0)
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn finds_the_first_compression_that_a_client_accepts() {
        for (value, expected) in [
            ("gzip", Some(Encoding::Gzip)),
            ("identity, deflate, gzip", Some(Encoding::Gzip)),
            ("zstd,gzip", Some(Encoding::Zstd)),
            ("GZIP;q=0.5", Some(Encoding::Gzip)),
            ("gzip;q=0, zstd", Some(Encoding::Zstd)),
            ("gzip;q=0.000", None),
            ("gzip; Q=0", None),
            ("identity", None),
            ("", None),
        ] {
            let headers = [
                (header::ACCEPT_ENCODING, HeaderValue::from_static(value)),
                (GRPC_ACCEPT_ENCODING, HeaderValue::from_static(value)),
            ];
            let headers = headers.into_iter().collect();
            for protocol in Protocol::ALL {
                let found = Encoding::parse_accepted(protocol, &headers);
                assert_eq!(found, expected, "{value:?}");
            }
        }
    }
}
