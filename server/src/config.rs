mod limits;
mod seconds;
mod tls;

use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf, time::Duration};

use clap::{
    Parser, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use http::HeaderValue;
use imageclassifier_model::{Backend, Compute, Kernel, Precision, Weights, WeightsFileError};

pub use limits::Limits;
pub use tls::TlsFiles;

use seconds::seconds;

/// Names what photographs show: gRPC, gRPC-Web and a web page on one port.
///
/// Every option is also an environment variable. To try it, open http://localhost:50051.
#[derive(Clone, Debug, Parser)]
#[command(name = "imageclassifier-server", version)]
pub struct Config {
    /// Address and port to serve on. Loopback by default: serving the network is a decision
    #[arg(
        long,
        env = "IMAGECLASSIFIER_LISTEN",
        default_value = "127.0.0.1:50051",
        value_name = "ADDRESS:PORT"
    )]
    pub listen: SocketAddr,

    /// Use the weights in this safetensors file, as `cargo xtask weights` makes it; which network they are of, EfficientNet-Lite0,
    /// Lite1 or Lite2, is recognised [default: the Lite0 in the program]
    #[arg(long, env = "IMAGECLASSIFIER_WEIGHTS", value_name = "FILE")]
    pub weights: Option<PathBuf>,

    /// What computes the network: flex is the fast one, ndarray a slow independent check
    #[arg(
        long,
        env = "IMAGECLASSIFIER_BACKEND",
        default_value_t,
        value_parser = backend_parser()
    )]
    pub backend: Backend,

    /// Instruction set of the flex backend's kernels, or `plain` for burn's own operators [default: the fastest that
    /// this machine has]
    #[arg(long, env = "IMAGECLASSIFIER_KERNEL", value_name = "KERNEL", value_parser = kernel_parser())]
    pub kernel: Option<KernelChoice>,

    /// What inputs and weights of most layers are rounded to. bf16 is faster, needs a CPU with AVX512_BF16, and gives slightly
    /// other answers, under a model revision of their own
    #[arg(long, env = "IMAGECLASSIFIER_PRECISION", default_value_t, value_parser = precision_parser())]
    pub precision: Precision,

    /// Web origin whose pages may call from a browser, for example https://app.example.com. Repeat it, or separate by
    /// commas. The server's own page needs none
    #[arg(long = "cors-origin", env = "IMAGECLASSIFIER_CORS_ORIGIN", value_delimiter = ',', value_name = "ORIGIN", value_parser = origin)]
    pub cors_origins: Vec<HeaderValue>,

    /// Name by which the server may be called, beside the address that it listens on, and localhost if only this machine can
    /// call; others get 421. Repeat it, or separate by commas. Without any, a server that listens to the network can be called by
    /// every name
    #[arg(
        long = "allowed-host",
        env = "IMAGECLASSIFIER_ALLOWED_HOST",
        value_delimiter = ',',
        value_name = "NAME"
    )]
    pub allowed_hosts: Vec<String>,

    /// Serve Prometheus metrics at /metrics of this address and port
    #[arg(
        long,
        env = "IMAGECLASSIFIER_METRICS_LISTEN",
        value_name = "ADDRESS:PORT"
    )]
    pub metrics_listen: Option<SocketAddr>,

    /// Serve the page from this folder instead of the one in the program (for developing it)
    #[arg(long, env = "IMAGECLASSIFIER_WEB_ROOT", value_name = "DIR")]
    pub web_root: Option<PathBuf>,

    /// What bounds memory, work and waiting
    #[command(flatten)]
    pub limits: Limits,

    /// Where the certificate is
    #[command(flatten)]
    pub tls: TlsFiles,

    /// Take only callers with an access token out of this file: on each line a name and the token's SHA-256 digest, as in
    /// `echo page $(printf %s "$TOKEN" | sha256sum | cut -d" " -f1)`. A changed file is taken up within seconds
    #[arg(long, env = "IMAGECLASSIFIER_TOKEN_FILE", value_name = "FILE")]
    pub token_file: Option<PathBuf>,

    /// Most calls per second of one caller: one token, or one address where there are no tokens
    #[arg(long, env = "IMAGECLASSIFIER_RATE_LIMIT", value_name = "CALLS", value_parser = rate_limit_parser())]
    pub rate_limit: Option<NonZeroU32>,

    /// How long calls are still taken after SIGTERM or Ctrl-C, while health already says NOT_SERVING, in seconds: the time
    /// that load balancers need to notice
    #[arg(long, env = "IMAGECLASSIFIER_DRAIN_GRACE", default_value = "1", value_name = "SECONDS", value_parser = seconds)]
    pub drain_grace: Duration,

    /// How long calls in progress may then take to finish, in seconds. A second signal stops at once
    #[arg(long, env = "IMAGECLASSIFIER_DRAIN_TIMEOUT", default_value = "20", value_name = "SECONDS", value_parser = seconds)]
    pub drain_timeout: Duration,

    /// Send traces to this OpenTelemetry collector (OTLP over gRPC), for example http://localhost:4317. The SDK's own
    /// environment variables, OTEL_SERVICE_NAME and OTEL_TRACES_SAMPLER above all, hold
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

    /// How to log
    #[arg(
        long,
        env = "IMAGECLASSIFIER_LOG_FORMAT",
        default_value = "text",
        value_name = "FORMAT"
    )]
    pub log_format: LogFormat,
}

/// What a line of the log looks like.
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
    Fused(Kernel),
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
        const KERNEL: Kernel = Kernel::Avx512Bf16;
        let fits = matches!(
            self.kernel,
            None | Some(KernelChoice::Fused(Kernel::Avx512))
        );
        if self.backend != Backend::Flex || !fits {
            Err("--precision bf16 needs our AVX-512 kernel: leave out --kernel and --backend")
        } else if !KERNEL.is_available() {
            Err("--precision bf16 needs AVX512_BF16, which this CPU lacks: leave it out")
        } else {
            Ok(Compute::Fused(KERNEL))
        }
    }

    fn compute_in_f32(&self) -> Result<Compute, &'static str> {
        match (self.backend, self.kernel) {
            (Backend::Flex, None) => Ok(Compute::fastest()),
            (Backend::Flex, Some(KernelChoice::Fused(kernel))) => Ok(Compute::Fused(kernel)),
            (backend, None | Some(KernelChoice::Plain)) => Ok(Compute::Plain(backend)),
            (Backend::Ndarray, Some(KernelChoice::Fused(_))) => {
                Err("our kernels work on the flex backend alone: leave out --kernel or --backend")
            }
        }
    }
}

fn kernel_parser() -> impl TypedValueParser<Value = KernelChoice> {
    const PLAIN: &str = "plain";
    let kernels = Kernel::ALL.into_iter();
    let kernels = kernels.filter(|kernel| kernel.precision() == Precision::F32);
    let names = kernels.map(Kernel::name).chain([PLAIN]);
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
    const CALLS_MAX: i64 = 1_000_000;
    let calls = clap::value_parser!(u32).range(1..=CALLS_MAX);
    calls.map(|calls| NonZeroU32::new(calls).expect("the range begins at 1"))
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
    fn defaults_are_the_promised_ones() {
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
    fn backend_and_kernel_say_together_what_computes() {
        let compute = |options: &[&str]| parse(options).unwrap().compute();
        assert_eq!(compute(&[]), Ok(Compute::fastest()));
        for (options, expected) in [
            (vec!["--kernel", "scalar"], Compute::Fused(Kernel::Scalar)),
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
    fn bf16_is_for_the_kernel_that_has_it() {
        let compute = |options: &[&str]| {
            let options = [&["--precision", "bf16"], options].concat();
            parse(&options).unwrap().compute()
        };
        for options in [vec![], vec!["--kernel", "avx512"]] {
            match compute(&options) {
                Ok(found) => assert_eq!(found, Compute::Fused(Kernel::Avx512Bf16)),
                Err(error) => {
                    assert!(!Kernel::Avx512Bf16.is_available());
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
    fn origins_are_origins() {
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
