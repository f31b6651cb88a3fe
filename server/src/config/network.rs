use std::net::IpAddr;

use ipnet::IpNet;

/// A network, or a single address.
pub(super) fn network(text: &str) -> Result<IpNet, String> {
    const HELP: &str =
        "not a network: write it like 10.0.0.0/8 or 2001:db8::/32, or name a single address";
    let address = || text.parse().map(|address: IpAddr| IpNet::from(address));
    let network: IpNet = text.parse().or_else(|_| address()).map_err(|_| HELP)?;
    if network.prefix_len() == 0 {
        let help = "this would trust every client, and any of them could pass for another: name the networks of the proxies";
        return Err(help.to_owned());
    }
    Ok(network.trunc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_and_single_addresses_are_read() {
        for (text, expected) in [
            ("10.0.0.1/8", "10.0.0.0/8"),
            ("192.0.2.7", "192.0.2.7/32"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("2001:db8::1", "2001:db8::1/128"),
        ] {
            assert_eq!(network(text).unwrap().to_string(), expected);
        }
        for bad in [
            "",
            "10.0.0.0/33",
            "10.0.0/8",
            "proxy.example.com",
            "10.0.0.0/8;",
        ] {
            assert!(network(bad).unwrap_err().contains("10.0.0.0/8"), "{bad}");
        }
        for all in ["0.0.0.0/0", "::/0"] {
            assert!(network(all).unwrap_err().contains("every client"), "{all}");
        }
    }
}
