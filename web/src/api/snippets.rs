use leptos::prelude::location;

/// A program of `examples/`, which the tests run as it stands.
pub(super) struct Snippet {
    pub(super) title: &'static str,
    text: &'static str,
    /// The part that sets the number of predictions to `5`. Empty if the program requests one.
    top: &'static str,
    /// What it says on a plain connection, and what instead of that where the page came over HTTPS.
    secure: &'static [(&'static str, &'static str)],
}

pub(super) static SNIPPETS: [Snippet; 7] = [
    Snippet {
        title: "buf curl",
        text: include_str!("../../../examples/buf/classify.sh"),
        top: "\"topK\":5",
        secure: &[],
    },
    Snippet {
        title: "curl (gRPC-Web)",
        text: include_str!("../../../examples/curl/classify.sh"),
        top: "",
        secure: &[],
    },
    Snippet {
        title: "JavaScript",
        text: include_str!("../../../examples/javascript/classify_top.js"),
        top: "topK: 5",
        secure: &[],
    },
    Snippet {
        title: "Python",
        text: include_str!("../../../examples/python/classify_top.py"),
        top: "top_k=5",
        secure: &[(
            "grpc.insecure_channel(server)",
            "grpc.secure_channel(server, grpc.ssl_channel_credentials())",
        )],
    },
    Snippet {
        title: "Go",
        text: include_str!("../../../examples/go/classify.go"),
        top: "",
        secure: &[
            (
                "grpc.WithInsecure()",
                "grpc.WithTransportCredentials(credentials.NewTLS(nil))",
            ),
            (
                "\t\"google.golang.org/grpc\"\n",
                "\t\"google.golang.org/grpc\"\n\t\"google.golang.org/grpc/credentials\"\n",
            ),
        ],
    },
    Snippet {
        title: "Rust",
        text: include_str!("../../../examples/rust/classify.rs"),
        top: "top_k: 5",
        secure: &[],
    },
    Snippet {
        title: "CLI (imageclassifier)",
        text: include_str!("../../../examples/cli/classify.sh"),
        top: "--top-k 5",
        secure: &[],
    },
];

/// The server that the page came from, as programs name it.
#[derive(Clone)]
pub(super) struct Server {
    origin: String,
    /// With a port, also where the origin leaves it out.
    host: String,
}

impl Server {
    pub(super) fn own() -> Self {
        Self::at(&location().origin().unwrap_or_default())
    }

    fn at(origin: &str) -> Self {
        let (default_port, host) = match origin.strip_prefix("https://") {
            Some(host) => (443, host),
            None => (80, origin.strip_prefix("http://").unwrap_or(origin)),
        };
        let has_port = host
            .rsplit_once(':')
            .is_some_and(|(_, port)| port.bytes().all(|digit| digit.is_ascii_digit()));
        Self {
            origin: origin.to_owned(),
            host: if has_port {
                host.to_owned()
            } else {
                format!("{host}:{default_port}")
            },
        }
    }

    pub(super) fn address(&self) -> &str {
        &self.origin
    }

    fn is_secure(&self) -> bool {
        self.origin.starts_with("https:")
    }
}

impl Snippet {
    pub(super) fn is_first(&self) -> bool {
        self.title == SNIPPETS[0].title
    }

    /// The program for this server, with `top` predictions.
    pub(super) fn filled(&self, server: &Server, top: usize) -> String {
        let mut text = self
            .text
            .replace("http://localhost:50051", &server.origin)
            .replace("localhost:50051", &server.host);
        if !self.top.is_empty() {
            text = text.replace(self.top, &self.top.replace('5', &top.to_string()));
        }
        if server.is_secure() {
            for (plain, secure) in self.secure {
                text = text.replace(plain, secure);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_name_this_server_and_the_number_of_predictions() {
        let server = Server::at("http://images.example:8080");
        for snippet in &SNIPPETS {
            let text = snippet.filled(&server, 20);
            assert!(text.contains("images.example:8080"), "{}", snippet.title);
            assert!(!text.contains("localhost"), "{}", snippet.title);
            if !snippet.top.is_empty() {
                let top = snippet.top.replace('5', "20");
                assert!(text.contains(&top), "{}: {top}", snippet.title);
            }
        }
    }

    #[test]
    fn snippets_use_tls_for_a_secure_server() {
        let server = Server::at("https://images.example");
        for snippet in &SNIPPETS {
            for (plain, _) in snippet.secure {
                assert!(snippet.text.contains(plain), "{}", snippet.title);
            }
            let text = snippet.filled(&server, 5).to_lowercase();
            assert!(!text.contains("insecure"), "{}", snippet.title);
            assert!(!text.contains("http://"), "{}", snippet.title);
        }
    }

    #[test]
    fn a_host_always_has_its_port() {
        for (origin, host) in [
            ("https://images.example", "images.example:443"),
            ("http://images.example", "images.example:80"),
            ("http://127.0.0.1:50051", "127.0.0.1:50051"),
            ("http://[::1]:50051", "[::1]:50051"),
            ("http://[::1]", "[::1]:80"),
        ] {
            assert_eq!(Server::at(origin).host, host);
        }
    }
}
