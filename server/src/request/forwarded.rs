//! For whom a proxy sends a request, by the headers X-Forwarded-For and Forwarded (RFC 7239). Each proxy appends the address of
//! its peer, and only trusted proxies are believed, so the addresses are read from the end: the client is the first that is no
//! trusted proxy. What stands before it may have been made up by the client.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName, header};

use crate::request::trusted_proxies::TrustedProxies;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client of a request that came from `peer`. If the two headers disagree, it is the peer: a proxy that writes one of them
/// passes on what its client wrote into the other.
pub(crate) fn client(peer: IpAddr, headers: &HeaderMap, trusted: &TrustedProxies) -> IpAddr {
    if !trusted.contains(peer) {
        return peer;
    }
    let walk = |name, parse: fn(&str) -> Vec<Option<IpAddr>>| {
        let lines = headers.get_all(name).iter();
        let hops = lines.flat_map(|line| line.to_str().map_or_else(|_| vec![None], parse));
        let hops: Vec<_> = hops.collect();
        (!hops.is_empty()).then(|| first_untrusted(peer, &hops, trusted))
    };
    let x_forwarded_for = walk(X_FORWARDED_FOR, parse_x_forwarded_for);
    let forwarded = walk(header::FORWARDED, parse_forwarded);
    match (x_forwarded_for, forwarded) {
        (Some(one), Some(other)) if one != other => peer,
        (Some(client), _) | (None, Some(client)) => client,
        (None, None) => peer,
    }
}

/// Follows the hops from the last to the first. An address that cannot be read ends the search at the proxy that sent it.
fn first_untrusted(peer: IpAddr, hops: &[Option<IpAddr>], trusted: &TrustedProxies) -> IpAddr {
    let mut client = peer;
    for hop in hops.iter().rev() {
        match hop {
            Some(address) if trusted.contains(client) => client = *address,
            _ => break,
        }
    }
    client
}

fn parse_x_forwarded_for(line: &str) -> Vec<Option<IpAddr>> {
    line.split(',').map(|hop| parse_node(hop.trim())).collect()
}

/// An address, perhaps with a port; an IPv6 address with a port stands in brackets.
fn parse_node(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let address = bare.unwrap_or(text).parse();
    let address = address.or_else(|_| text.parse().map(|with_port: SocketAddr| with_port.ip()));
    address.ok().map(|address| address.to_canonical())
}

/// The `for` of each element; a line that is malformed counts as one address that cannot be read.
fn parse_forwarded(line: &str) -> Vec<Option<IpAddr>> {
    let elements = split_outside_quotes(line, ',');
    let elements = elements.map(|elements| elements.into_iter().map(parse_element).collect());
    elements.unwrap_or_else(|| vec![None])
}

fn parse_element(element: &str) -> Option<IpAddr> {
    let pairs = split_outside_quotes(element, ';')?;
    let mut nodes = pairs.into_iter().filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("for")
            .then(|| value.trim())
    });
    let (Some(node), None) = (nodes.next(), nodes.next()) else {
        return None;
    };
    let quoted = node
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    parse_node(quoted.unwrap_or(node))
}

/// `None` if a quoted string does not end.
fn split_outside_quotes(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = text.split(|character| {
        let separates = !quoted && character == separator;
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        separates
    });
    let parts = parts.collect();
    (!quoted).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusted() -> TrustedProxies {
        let networks = ["10.0.0.0/8", "2001:db8:1::/48"];
        TrustedProxies::new(&networks.map(|network| network.parse().unwrap()))
    }

    fn found(peer: &str, headers: &[(HeaderName, &str)]) -> String {
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            all.append(name, value.parse().unwrap());
        }
        client(peer.parse().unwrap(), &all, &trusted()).to_string()
    }

    #[test]
    fn the_client_is_the_last_address_that_is_no_trusted_proxy() {
        for (peer, value, expected) in [
            ("10.0.0.1", "192.0.2.1", "192.0.2.1"),
            ("10.0.0.1", "192.0.2.1:4711", "192.0.2.1"),
            ("10.0.0.1", "2001:db8::7", "2001:db8::7"),
            ("10.0.0.1", "[2001:db8::7]", "2001:db8::7"),
            ("10.0.0.1", "[2001:db8::7]:4711", "2001:db8::7"),
            ("10.0.0.1", "::ffff:192.0.2.1", "192.0.2.1"),
            ("::ffff:10.0.0.1", "192.0.2.1", "192.0.2.1"),
            ("2001:db8:1::1", "192.0.2.1", "192.0.2.1"),
            ("10.0.0.1", "198.51.100.9, 192.0.2.1", "192.0.2.1"),
            ("10.0.0.1", "198.51.100.9,192.0.2.1 , 10.0.0.2", "192.0.2.1"),
            ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
            ("10.0.0.1", "192.0.2.1, unknown", "10.0.0.1"),
            ("10.0.0.1", "192.0.2.1, unknown, 10.0.0.2", "10.0.0.2"),
            ("10.0.0.1", "", "10.0.0.1"),
            ("10.0.0.1", "192.0.2.1,", "10.0.0.1"),
            ("192.0.2.9", "192.0.2.1", "192.0.2.9"),
        ] {
            assert_eq!(
                found(peer, &[(X_FORWARDED_FOR, value)]),
                expected,
                "{value}"
            );
        }
        let lines = [
            (X_FORWARDED_FOR, "192.0.2.1"),
            (X_FORWARDED_FOR, "10.0.0.2"),
        ];
        assert_eq!(found("10.0.0.1", &lines), "192.0.2.1");
        assert_eq!(found("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn forwarded_is_read_as_its_specification_says() {
        for (value, expected) in [
            ("for=192.0.2.1", "192.0.2.1"),
            ("For=\"192.0.2.1:4711\";proto=http;by=10.0.0.1", "192.0.2.1"),
            ("proto=https ; for=\"[2001:db8::7]:4711\"", "2001:db8::7"),
            ("for=198.51.100.9, for=192.0.2.1", "192.0.2.1"),
            ("for=192.0.2.1, for=10.0.0.2;host=x", "192.0.2.1"),
            ("for=_hidden", "10.0.0.1"),
            ("for=unknown, for=10.0.0.2", "10.0.0.2"),
            ("for=192.0.2.1, proto=http", "10.0.0.1"),
            // What a client puts into a quoted string stays in there, and what it leaves open is not believed.
            (
                "host=\"a;for=198.51.100.9,for=198.51.100.9\";for=192.0.2.1",
                "192.0.2.1",
            ),
            ("for=192.0.2.1;host=\"\\\";for=198.51.100.9\"", "192.0.2.1"),
            ("for=192.0.2.1;for=198.51.100.9", "10.0.0.1"),
            ("host=\", for=192.0.2.1", "10.0.0.1"),
        ] {
            assert_eq!(
                found("10.0.0.1", &[(header::FORWARDED, value)]),
                expected,
                "{value}"
            );
        }
    }

    #[test]
    fn headers_that_disagree_are_not_believed() {
        for (forwarded, expected) in [
            ("for=192.0.2.1", "192.0.2.1"),
            ("for=198.51.100.9", "10.0.0.1"),
            ("for=unknown", "10.0.0.1"),
        ] {
            let headers = [
                (X_FORWARDED_FOR, "192.0.2.1"),
                (header::FORWARDED, forwarded),
            ];
            assert_eq!(found("10.0.0.1", &headers), expected, "{forwarded}");
        }
    }
}
