use std::net::{IpAddr, Ipv6Addr};

use http::uri::Authority;

/// A host name or an address, with or without a port.
pub(super) fn host_name(text: &str) -> Result<String, String> {
    const HELP: &str = "not a host name: write it like images.example.com or 192.0.2.7, without a scheme, a path or *";
    let is_address = text.parse::<IpAddr>().is_ok();
    let authority = Authority::try_from(text).ok();
    let is_host = authority.is_some_and(|authority| is_host(authority.host()));
    if is_address || (is_host && !text.contains('@')) {
        return Ok(text.to_owned());
    }
    Err(HELP.to_owned())
}

fn is_host(host: &str) -> bool {
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    match bare {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_or_addresses() {
        for good in [
            "localhost",
            "images.example.com",
            "images.example.com.",
            "a_b.internal",
            "example.com:443",
            "192.0.2.7",
            "[::1]",
            "[2001:db8::1]:443",
            "::1",
        ] {
            assert_eq!(host_name(good), Ok(good.to_owned()));
        }
        for bad in [
            "",
            "https://example.com",
            "example.com/path",
            "*.example.com",
            "a b",
            "user@example.com",
            "[::1",
            "[name]",
        ] {
            assert!(host_name(bad).unwrap_err().contains("host name"), "{bad}");
        }
    }
}
