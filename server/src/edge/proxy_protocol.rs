//! The PROXY protocol, version 2: at the start of a connection a trusted proxy says for whom it speaks.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use proxy_header::{ParseConfig, ProxyHeader};
use tokio::{io::AsyncReadExt, net::TcpStream};

use crate::request::trusted_proxies::TrustedProxies;

/// What a header begins with, and neither HTTP nor TLS.
const FIRST_BYTE: u8 = b'\r';
/// The part of a header whose length is known.
const FIXED_BYTES: usize = 16;
/// Most bytes after it: addresses, and what some load balancers add, such as a client's certificate.
const REST_BYTES_MAX: usize = 4 << 10;

/// Reads the header, if a trusted proxy sends one. Returns the client's address: `peer` without a header, or if the proxy speaks
/// for itself.
///
/// # Errors
/// If the header is malformed or too long, or the connection fails.
pub(crate) async fn client(
    stream: &mut TcpStream,
    peer: SocketAddr,
    trusted: &TrustedProxies,
) -> io::Result<IpAddr> {
    let mut first = [0];
    if !trusted.contains(peer.ip()) || stream.peek(&mut first).await? == 0 || first != [FIRST_BYTE]
    {
        return Ok(peer.ip());
    }
    let mut header = vec![0; FIXED_BYTES];
    stream.read_exact(&mut header).await?;
    let rest_bytes = usize::from(u16::from_be_bytes([header[14], header[15]]));
    if rest_bytes > REST_BYTES_MAX {
        let problem = format!("a PROXY header of {rest_bytes} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
    }
    header.resize(FIXED_BYTES + rest_bytes, 0);
    stream.read_exact(&mut header[FIXED_BYTES..]).await?;
    let version_2 = ParseConfig {
        include_tlvs: false,
        allow_v1: false,
        allow_v2: true,
    };
    let parsed = ProxyHeader::parse(&header, version_2);
    let (header, _) = parsed.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    let client = header
        .proxied_address()
        .map(|addresses| addresses.source.ip());
    Ok(client.unwrap_or(peer.ip()))
}

#[cfg(test)]
mod tests {
    use tokio::{io::AsyncWriteExt, net::TcpListener};

    use super::*;

    /// The client that is named by a header with `rest_bytes` after its fixed part: addresses, and one long field.
    async fn named_in(rest_bytes: usize) -> io::Result<IpAddr> {
        let addresses = [192, 0, 2, 1, 127, 0, 0, 1, 0x12, 0x34, 0xc3, 0x83];
        let field = vec![0; rest_bytes - addresses.len() - 3];
        let length = |bytes: usize| u16::try_from(bytes).unwrap().to_be_bytes();
        let header = [
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11",
            &length(rest_bytes)[..],
            &addresses,
            b"\xe0",
            &length(field.len()),
            &field,
        ]
        .concat();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut proxy = TcpStream::connect(listener.local_addr()?).await?;
        proxy.write_all(&header).await?;
        let (mut stream, peer) = listener.accept().await?;
        let trusted = TrustedProxies::new(&["127.0.0.1/32".parse().unwrap()]);
        client(&mut stream, peer, &trusted).await
    }

    #[tokio::test]
    async fn a_header_may_be_4_kib_long() {
        let client = IpAddr::from([192, 0, 2, 1]);
        for rest_bytes in [100, 4096] {
            assert_eq!(named_in(rest_bytes).await.unwrap(), client, "{rest_bytes}");
        }
        let error = named_in(4097).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
