use leptos::prelude::location;

/// A program of the repository, which the tests run as it stands.
pub(super) struct Snippet {
    pub(super) title: &'static str,
    /// Where it is: in the repository, and on the server.
    pub(super) file: &'static str,
    /// The part that sets the number of predictions to `5`. Empty if the program requests one.
    top: &'static str,
    /// What names the model `MODEL`, and what stands there for the default model.
    model: Edit,
    /// What it says on a plain connection, and what instead of that where the page came over HTTPS.
    secure: &'static [Edit],
}

type Edit = (&'static str, &'static str);

pub(super) static SNIPPETS: [Snippet; 8] = [
    Snippet {
        title: "curl",
        file: "examples/curl/classify_http.sh",
        top: "top_k=5",
        model: ("top_k=5", "top_k=5&model=MODEL"),
        secure: &[],
    },
    Snippet {
        title: "Python",
        file: "clients/python/examples/classify.py",
        top: "top_k=5",
        model: ("top_k=5", "top_k=5, model=\"MODEL\""),
        secure: &[],
    },
    Snippet {
        title: "JavaScript",
        file: "clients/js/examples/classify.mjs",
        top: "topK: 5",
        model: ("topK: 5", "topK: 5, model: \"MODEL\""),
        secure: &[],
    },
    Snippet {
        title: "Go",
        file: "examples/go/classify.go",
        top: "",
        model: (
            "ImageData: imageData}",
            "ImageData: imageData, Model: \"MODEL\"}",
        ),
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
        file: "examples/rust/classify.rs",
        top: "top_k: 5",
        model: (
            "top_k: 5,\n",
            "top_k: 5,\n        model: \"MODEL\".to_owned(),\n",
        ),
        secure: &[],
    },
    Snippet {
        title: "CLI",
        file: "examples/cli/classify.sh",
        top: "--top-k 5",
        model: ("--top-k 5", "--top-k 5 --model MODEL"),
        secure: &[],
    },
    Snippet {
        title: "gRPC",
        file: "examples/buf/classify.sh",
        top: "\"topK\":5",
        model: ("\"topK\":5", "\"topK\":5,\"model\":\"MODEL\""),
        secure: &[],
    },
    Snippet {
        title: "gRPC-Web",
        file: "examples/curl/classify.sh",
        top: "",
        model: ("model=${4:-}", "model=${4:-MODEL}"),
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
    /// The `program` of the file for this server, with `top` predictions of `model`; empty means the default model.
    pub(super) fn filled(&self, program: &str, server: &Server, top: usize, model: &str) -> String {
        let mut text = program
            .replace("http://localhost:50051", &server.origin)
            .replace("localhost:50051", &server.host);
        if !model.is_empty() {
            let (plain, named) = self.model;
            text = text.replace(plain, &named.replace("MODEL", model));
        }
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

    fn program(snippet: &Snippet) -> String {
        let file = format!("{}/../{}", env!("CARGO_MANIFEST_DIR"), snippet.file);
        std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    #[test]
    fn programs_name_this_server_the_model_and_the_number_of_predictions() {
        let server = Server::at("http://images.example:8080");
        for snippet in &SNIPPETS {
            let text = snippet.filled(&program(snippet), &server, 20, "pets");
            assert!(text.contains("images.example:8080"), "{}", snippet.title);
            assert!(!text.contains("localhost"), "{}", snippet.title);
            assert!(text.contains("pets"), "{}", snippet.title);
            if !snippet.top.is_empty() {
                let top = snippet.top.replace('5', "20");
                assert!(text.contains(&top), "{}: {top}", snippet.title);
            }
            let text = snippet.filled(&program(snippet), &server, 20, "");
            assert!(!text.contains("pets"), "{}", snippet.title);
        }
    }

    #[test]
    fn snippets_use_tls_for_a_secure_server() {
        let server = Server::at("https://images.example");
        for snippet in &SNIPPETS {
            let program = program(snippet);
            for (plain, _) in snippet.secure {
                assert!(program.contains(plain), "{}", snippet.title);
            }
            let text = snippet.filled(&program, &server, 5, "").to_lowercase();
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
