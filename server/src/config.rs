mod host_name;
mod limits;
mod network;
mod seconds;
mod tls;

use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf, time::Duration};

use clap::{
    Parser, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use http::HeaderValue;
use imageclassifier_model::{Backend, Compute, Isa, Precision, Weights, WeightsFileError};
use ipnet::IpNet;

pub use limits::Limits;
pub use tls::TlsFiles;

use host_name::host_name;
use network::network;
use seconds::{positive_seconds, seconds};

/// Classifies images: gRPC, gRPC-Web, plain HTTP and a web page on one port.
///
/// Every option is also an environment variable. To try it, open http://localhost:50051.
#[derive(Clone, Debug, Parser)]
#[command(name = "imageclassifier-server", version)]
pub struct Config {
    /// Address and port to listen on. To serve a network, name its address, for example 0.0.0.0:50051
    #[arg(
        long,
        env = "IMAGECLASSIFIER_LISTEN",
        default_value = "127.0.0.1:50051",
        value_name = "ADDRESS:PORT"
    )]
    pub listen: SocketAddr,

    /// Safetensors file with the weights of EfficientNet-Lite0, Lite1 or Lite2, as `cargo xtask weights` writes it [default:
    /// the embedded Lite0]
    #[arg(long, env = "IMAGECLASSIFIER_WEIGHTS", value_name = "FILE")]
    pub weights: Option<PathBuf>,

    /// Also serve the models in this folder, which `imageclassifier train` and `import` write: DIR/NAME or DIR/NAME/VERSION. Added,
    /// changed and removed models take effect within seconds
    #[arg(long, env = "IMAGECLASSIFIER_MODELS", value_name = "DIR")]
    pub models: Option<PathBuf>,

    /// Seconds between two looks at --models. A new or changed model is read when its files are the same at two of them
    #[arg(long, env = "IMAGECLASSIFIER_MODELS_POLL_INTERVAL", default_value = "1", value_name = "SECONDS", value_parser = positive_seconds)]
    pub models_poll_interval: Duration,

    /// Model for requests that name none [default: the classes of the network itself]
    #[arg(
        long,
        env = "IMAGECLASSIFIER_DEFAULT_MODEL",
        requires = "models",
        value_name = "NAME"
    )]
    pub default_model: Option<String>,

    /// Keep the images of the Feedback method in this folder, by label, as `imageclassifier train` reads them. At most 10,000
    /// images and 1 GiB [default: they are rejected]
    #[arg(long, env = "IMAGECLASSIFIER_FEEDBACK_DIR", value_name = "DIR")]
    pub feedback_dir: Option<PathBuf>,

    /// What runs the network: flex, or ndarray, which is slow and serves as an independent check
    #[arg(
        long,
        env = "IMAGECLASSIFIER_BACKEND",
        default_value_t,
        value_parser = backend_parser()
    )]
    pub backend: Backend,

    /// Instruction set of the flex backend's kernels, or `plain` for burn's own operators [default: the fastest that the CPU
    /// supports]
    #[arg(long, env = "IMAGECLASSIFIER_KERNEL", value_name = "KERNEL", value_parser = kernel_parser())]
    pub kernel: Option<KernelChoice>,

    /// Precision of most layers. bf16 is faster and needs a CPU with AVX512_BF16. Its results differ slightly and carry a model
    /// revision of their own
    #[arg(long, env = "IMAGECLASSIFIER_PRECISION", default_value_t, value_parser = precision_parser())]
    pub precision: Precision,

    /// Web origin whose pages may call the server, for example https://app.example.com. Repeat the option, or separate origins
    /// by commas. The server's own page needs none
    #[arg(long = "cors-origin", env = "IMAGECLASSIFIER_CORS_ORIGIN", value_delimiter = ',', value_name = "ORIGIN", value_parser = origin)]
    pub cors_origins: Vec<HeaderValue>,

    /// Host name under which the server may be called; other names get 421. The address in --listen and, on loopback,
    /// localhost are always allowed. Repeat the option, or separate names by commas [default: on a network address, every name]
    #[arg(
        long = "allowed-host",
        env = "IMAGECLASSIFIER_ALLOWED_HOST",
        value_delimiter = ',',
        value_name = "NAME",
        value_parser = host_name
    )]
    pub allowed_hosts: Vec<String>,

    /// Address and port for Prometheus metrics, at /metrics, and for probes, at /livez, /readyz and /startupz
    #[arg(
        long,
        env = "IMAGECLASSIFIER_METRICS_LISTEN",
        value_name = "ADDRESS:PORT"
    )]
    pub metrics_listen: Option<SocketAddr>,

    /// Report the server's load in each response about images, for proxies and clients that balance by it (ORCA). Any client can
    /// read it
    #[arg(long, env = "IMAGECLASSIFIER_LOAD_REPORTS")]
    pub load_reports: bool,

    /// Serve the page from this folder instead of the embedded one, to develop it
    #[arg(long, env = "IMAGECLASSIFIER_WEB_ROOT", value_name = "DIR")]
    pub web_root: Option<PathBuf>,

    /// Limits on memory, work and waiting
    #[command(flatten)]
    pub limits: Limits,

    /// Certificate and key
    #[command(flatten)]
    pub tls: TlsFiles,

    /// Accept only requests with an access token from this file. Each line has a name and the token's SHA-256 digest, as in
    /// `echo page $(printf %s "$TOKEN" | sha256sum | cut -d" " -f1)`; a third word, `publish`, lets the token change models. A changed file is loaded within seconds
    #[arg(long, env = "IMAGECLASSIFIER_TOKEN_FILE", value_name = "FILE")]
    pub token_file: Option<PathBuf>,

    /// Proxy networks whose forwarding headers are trusted: X-Forwarded-For, Forwarded, and those of the PROXY protocol,
    /// version 2. Repeat the option, or separate networks by commas, for example 10.0.0.0/8,2001:db8::/32
    #[arg(
        long,
        env = "IMAGECLASSIFIER_TRUSTED_PROXIES",
        value_delimiter = ',',
        value_name = "CIDR",
        value_parser = network
    )]
    pub trusted_proxies: Vec<IpNet>,

    /// Images per second for each token, or for each address if there are no tokens
    #[arg(long, env = "IMAGECLASSIFIER_RATE_LIMIT", value_name = "IMAGES", value_parser = rate_limit_parser())]
    pub rate_limit: Option<NonZeroU32>,

    /// Seconds after SIGTERM or Ctrl-C in which new requests are still accepted, while health reports NOT_SERVING: the time
    /// that load balancers need to notice
    #[arg(long, env = "IMAGECLASSIFIER_DRAIN_GRACE", default_value = "1", value_name = "SECONDS", value_parser = seconds)]
    pub drain_grace: Duration,

    /// Seconds that requests in progress then have to finish. A second signal stops the server at once
    #[arg(long, env = "IMAGECLASSIFIER_DRAIN_TIMEOUT", default_value = "20", value_name = "SECONDS", value_parser = seconds)]
    pub drain_timeout: Duration,

    /// Send traces to this OpenTelemetry collector (OTLP over gRPC), for example http://localhost:4317. The SDK's own
    /// environment variables apply, such as OTEL_SERVICE_NAME and OTEL_TRACES_SAMPLER
    #[arg(long, env = "IMAGECLASSIFIER_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,

    /// What to log: a level, or levels by module, as in tracing-subscriber's EnvFilter
    #[arg(
        long,
        env = "IMAGECLASSIFIER_LOG",
        default_value = "info",
        value_name = "FILTER"
    )]
    pub log: String,

    /// Format of the log
    #[arg(
        long,
        env = "IMAGECLASSIFIER_LOG_FORMAT",
        default_value = "text",
        value_name = "FORMAT"
    )]
    pub log_format: LogFormat,
}

/// The format of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The values of `--kernel`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KernelChoice {
    /// This kernel, even if the machine has a faster one.
    Fused(Isa),
    /// None of our kernels, but burn's own operators.
    Plain,
}

impl Config {
    /// Loads the weights that `--weights` names.
    ///
    /// # Errors
    /// If the file has no usable weights.
    pub fn load_weights(&self) -> Result<Weights, WeightsFileError> {
        match &self.weights {
            Some(file) => Weights::read(file),
            None => Ok(Weights::lite0()),
        }
    }

    /// The computation that `--backend`, `--kernel` and `--precision` select together.
    ///
    /// # Errors
    /// If they contradict each other, or this machine cannot compute in that precision.
    pub fn compute(&self) -> Result<Compute, &'static str> {
        match self.precision {
            Precision::F32 => self.compute_in_f32(),
            Precision::Bf16 => self.compute_in_bf16(),
        }
    }

    fn compute_in_bf16(&self) -> Result<Compute, &'static str> {
        const ISA: Isa = Isa::Avx512Bf16;
        let fits = matches!(self.kernel, None | Some(KernelChoice::Fused(Isa::Avx512)));
        if self.backend != Backend::Flex || !fits {
            Err("--precision bf16 needs our AVX-512 kernel: leave out --kernel and --backend")
        } else if !ISA.is_available() {
            Err("--precision bf16 needs AVX512_BF16, which this CPU does not have: leave it out")
        } else {
            Ok(Compute::Fused(ISA))
        }
    }

    fn compute_in_f32(&self) -> Result<Compute, &'static str> {
        match (self.backend, self.kernel) {
            (Backend::Flex, None) => Ok(Compute::fastest()),
            (Backend::Flex, Some(KernelChoice::Fused(kernel))) => Ok(Compute::Fused(kernel)),
            (backend, None | Some(KernelChoice::Plain)) => Ok(Compute::Plain(backend)),
            (Backend::Ndarray, Some(KernelChoice::Fused(_))) => {
                Err("--kernel works only with the flex backend: leave out --kernel or --backend")
            }
        }
    }
}

fn kernel_parser() -> impl TypedValueParser<Value = KernelChoice> {
    const PLAIN: &str = "plain";
    let kernels = Isa::ALL.into_iter();
    let kernels = kernels.filter(|kernel| kernel.precision() == Precision::F32);
    let names = kernels.map(Isa::name).chain([PLAIN]);
    PossibleValuesParser::new(names).map(|name| match name.as_str() {
        PLAIN => KernelChoice::Plain,
        name => KernelChoice::Fused(name.parse().expect("one of the possible values")),
    })
}

fn backend_parser() -> impl TypedValueParser<Value = Backend> {
    PossibleValuesParser::new(Backend::ALL.map(|(_, name)| name))
        .map(|name| name.parse().expect("one of the possible values"))
}

fn precision_parser() -> impl TypedValueParser<Value = Precision> {
    PossibleValuesParser::new(Precision::ALL.map(|(_, name)| name)).map(|chosen| {
        let mut all = Precision::ALL.into_iter();
        let chosen = all.find_map(|(precision, name)| (name == chosen).then_some(precision));
        chosen.expect("one of the possible values")
    })
}

fn rate_limit_parser() -> impl TypedValueParser<Value = NonZeroU32> {
    // The limiter counts in nanoseconds.
    const REQUESTS_MAX: i64 = 1_000_000;
    let rates = clap::value_parser!(u32).range(1..=REQUESTS_MAX);
    rates.map(|rate| NonZeroU32::new(rate).expect("the range begins at 1"))
}

/// An origin as browsers send it: scheme, host and port, nothing after them.
fn origin(text: &str) -> Result<HeaderValue, String> {
    let authority = ["http://", "https://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    match authority {
        Some(authority) if !authority.is_empty() && !authority.contains(['/', '*', ' ']) => {
            HeaderValue::from_str(text).map_err(|error| error.to_string())
        }
        _ => Err("not an origin: write it like https://app.example.com, without a path".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use imageclassifier_model::{Variant, WeightsError};

    use super::*;

    fn parse(arguments: &[&str]) -> Result<Config, clap::Error> {
        Config::try_parse_from([&["imageclassifier-server"], arguments].concat())
    }

    #[test]
    fn defaults_are_the_documented_ones() {
        let config = parse(&[]).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:50051");
        assert_eq!(config.limits.image_bytes_max, 10 * 1024 * 1024);
        assert_eq!(config.limits.pixels_max, 25_000_000);
        assert_eq!(config.backend, Backend::Flex);
        assert_eq!(config.precision, Precision::F32);
        assert!(config.cors_origins.is_empty());
        let weights = config.load_weights().unwrap();
        assert_eq!(weights.variant(), Variant::Lite0);
    }

    #[test]
    fn weights_that_cannot_be_used_are_named() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let error = parse(&["--weights", file])
            .unwrap()
            .load_weights()
            .unwrap_err();
        assert!(error.to_string().contains(file), "{error}");
        assert!(matches!(error.source, WeightsError::NotSafetensors(_)));
    }

    #[test]
    fn backend_and_kernel_together_select_the_computation() {
        let compute = |options: &[&str]| parse(options).unwrap().compute();
        assert_eq!(compute(&[]), Ok(Compute::fastest()));
        for (options, expected) in [
            (vec!["--kernel", "scalar"], Compute::Fused(Isa::Scalar)),
            (vec!["--kernel", "plain"], Compute::Plain(Backend::Flex)),
            (
                vec!["--backend", "ndarray"],
                Compute::Plain(Backend::Ndarray),
            ),
        ] {
            assert_eq!(compute(&options), Ok(expected));
        }
        assert!(compute(&["--backend", "ndarray", "--kernel", "avx2"]).is_err());
        assert!(parse(&["--kernel", "mmx"]).is_err());
    }

    #[test]
    fn bf16_needs_the_avx512_kernel() {
        let compute = |options: &[&str]| {
            let options = [&["--precision", "bf16"], options].concat();
            parse(&options).unwrap().compute()
        };
        for options in [vec![], vec!["--kernel", "avx512"]] {
            match compute(&options) {
                Ok(found) => assert_eq!(found, Compute::Fused(Isa::Avx512Bf16)),
                Err(error) => {
                    assert!(!Isa::Avx512Bf16.is_available());
                    assert!(error.contains("AVX512_BF16"), "{error}");
                }
            }
        }
        for options in [
            ["--kernel", "avx2"],
            ["--kernel", "plain"],
            ["--backend", "ndarray"],
        ] {
            let error = compute(&options).unwrap_err();
            assert!(error.contains("leave out --kernel"), "{error}");
        }
        assert!(parse(&["--precision", "f16"]).is_err());
        assert!(parse(&["--kernel", "avx512-bf16"]).is_err());
    }

    #[test]
    fn every_option_is_an_environment_variable() {
        use clap::CommandFactory;
        for argument in Config::command().get_arguments() {
            let id = argument.get_id().as_str();
            if !["help", "version"].contains(&id) {
                let long = argument.get_long().unwrap();
                let expected = format!("IMAGECLASSIFIER_{}", long.replace('-', "_").to_uppercase());
                assert_eq!(argument.get_env().unwrap(), expected.as_str());
            }
        }
    }

    #[test]
    fn rejects_origins_with_paths_wildcards_or_no_scheme() {
        assert_eq!(
            parse(&["--cors-origin", "http://a:1,https://b"])
                .unwrap()
                .cors_origins
                .len(),
            2
        );
        for bad in [
            "*",
            "null",
            "example.com",
            "https://a/path",
            "https://",
            "https://*.a",
        ] {
            assert!(parse(&["--cors-origin", bad]).is_err(), "{bad}");
        }
    }
}
