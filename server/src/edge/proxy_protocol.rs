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
