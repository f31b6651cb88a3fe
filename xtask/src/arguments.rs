//! What may follow `cargo xtask`. Written with clap's builder: its derive macros would be compiled before anything else,
//! and shared with nothing.

use clap::{Arg, ArgAction, ArgMatches, Command, builder::PossibleValuesParser, value_parser};

use crate::{bench, dist, fuzz, mutants, weights};

/// One command of the developer's.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Doctor,
    Run { options: Vec<String> },
    Build,
    Page,
    Test,
    Dist { triples: Vec<String>, check: bool },
    Deploy,
    Weights { variants: Vec<String> },
    Bench { name: String, options: Vec<String> },
    Cases { folder: String, dev: bool },
    Conformance,
    Stress { options: Vec<String> },
    Fuzz { target: Option<String>, runs: u64 },
    Mutants { name: String, options: Vec<String> },
    Generate,
}

impl Task {
    /// Parses the arguments of the process. Ends the process if they are invalid or ask for help.
    pub(crate) fn parse() -> Self {
        Self::of(&command().get_matches())
    }

    /// # Errors
    /// Why `words`, of which the first is the program's name, name no task.
    #[cfg(test)]
    fn try_of<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, clap::Error> {
        let matches = command().try_get_matches_from(words)?;
        Ok(Self::of(&matches))
    }

    fn of(matches: &ArgMatches) -> Self {
        let (name, matches) = matches.subcommand().expect("clap demands one");
        match name {
            "doctor" => Self::Doctor,
            "run" => Self::Run {
                options: words(matches, "options"),
            },
            "build" => Self::Build,
            "page" => Self::Page,
            "test" => Self::Test,
            "dist" => Self::Dist {
                triples: words(matches, "triples"),
                check: matches.get_flag("check"),
            },
            "deploy" => Self::Deploy,
            "weights" => Self::Weights {
                variants: words(matches, "variants"),
            },
            "bench" => Self::Bench {
                name: words(matches, "name").remove(0),
                options: words(matches, "options"),
            },
            "cases" => Self::Cases {
                folder: words(matches, "folder").remove(0),
                dev: matches.get_flag("dev"),
            },
            "conformance" => Self::Conformance,
            "stress" => Self::Stress {
                options: words(matches, "options"),
            },
            "fuzz" => Self::Fuzz {
                target: matches.get_one("target").cloned(),
                runs: matches.get_one("runs").copied().expect("has a default"),
            },
            "mutants" => Self::Mutants {
                name: words(matches, "name").remove(0),
                options: words(matches, "options"),
            },
            "generate" => Self::Generate,
            _ => unreachable!("clap knows the commands above alone"),
        }
    }
}

fn words(matches: &ArgMatches, name: &str) -> Vec<String> {
    matches
        .get_many(name)
        .into_iter()
        .flatten()
        .cloned()
        .collect()
}

fn command() -> Command {
    Command::new("cargo xtask")
        .bin_name("cargo xtask")
        .about("The developer's commands. Each does its own set-up, from package registries alone.")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .max_term_width(110)
        .subcommands([
            Command::new("doctor")
                .about("Shows what is missing, what will be installed, where, and how long it takes"),
            Command::new("run")
                .about("Builds page and server without link-time optimisation, and serves http://localhost:50051")
                .arg(passed_on("options").help("The server's options, such as --listen")),
            Command::new("build")
                .about("Builds page, server and command line as they are released, into target/release/"),
            Command::new("page").about("Builds the page alone, into dist/"),
            Command::new("test").about(
                "Everything: format, lints, unit, golden, integration, foreign clients, browser",
            ),
            Command::new("dist")
                .about("Builds the packages of a release into target/dist/ (docs/releasing.md)")
                .arg(
                    Arg::new("triples")
                        .value_name("TARGET")
                        .num_args(0..)
                        .value_parser(PossibleValuesParser::new(dist::TRIPLES))
                        .help("Some targets instead of all"),
                )
                .arg(
                    Arg::new("check")
                        .long("check")
                        .action(ArgAction::SetTrue)
                        .help("Builds nothing: installs each package into an empty place and tries it"),
                ),
            Command::new("deploy")
                .about("Checks the files in deploy/: chart, KServe, Compose, Envoy, alerts, dashboard")
                .arg(
                    Arg::new("check")
                        .long("check")
                        .action(ArgAction::SetTrue)
                        .required(true)
                        .help("Against schemas and with the programs that read them; nothing is deployed"),
                ),
            Command::new("weights")
                .about("Downloads and converts the weights of a larger network into target/weights/")
                .arg(
                    Arg::new("variants")
                        .num_args(1..)
                        .required(true)
                        .value_parser(PossibleValuesParser::new(weights::VARIANTS)),
                ),
            Command::new("bench")
                .about("Measures against what a user would run instead (BENCHMARKS.md)")
                .arg(
                    Arg::new("name")
                        .required(true)
                        .value_parser(PossibleValuesParser::new(bench::NAMES)),
                )
                .arg(passed_on("options").help("--json, and parts of the benchmark")),
            Command::new("cases")
                .about("Classifies the files of DIR/cases.csv, next to Pillow's and Chromium's answers")
                .arg(Arg::new("folder").value_name("DIR").required(true))
                .arg(
                    Arg::new("dev")
                        .long("dev")
                        .action(ArgAction::SetTrue)
                        .help("With the dev profile instead of a release build"),
                ),
            Command::new("conformance").about(
                "Tries independent gRPC and gRPC-Web implementations; writes docs/conformance.md",
            ),
            Command::new("stress")
                .about("Tries the promises of RELIABILITY.md on a release server")
                .arg(passed_on("options").help(
                    "[SCENARIO...] [--minutes N] [--pause MS]: memory, malformed, slow, flood, cancel, drain, \
                     overload, soak (60 minutes, or N; each caller pauses for 20 ms, or MS); all without a scenario. \
                     Or fleet [SCENARIO...]: several servers behind Envoy; `stress fleet --help` lists them",
                )),
            Command::new("fuzz")
                .about("Sends damaged bytes to what callers reach")
                .arg(
                    Arg::new("target")
                        .value_parser(PossibleValuesParser::new(fuzz::targets()))
                        .help("One target instead of all"),
                )
                .arg(
                    Arg::new("runs")
                        .long("runs")
                        .value_name("N")
                        .value_parser(value_parser!(u64).range(1..))
                        .default_value(fuzz::RUNS_DEFAULT),
                ),
            Command::new("mutants")
                .about("Changes the code of a crate in small ways, and lists the changes that its tests do not notice")
                .arg(
                    Arg::new("name")
                        .value_name("CRATE")
                        .required(true)
                        .value_parser(PossibleValuesParser::new(mutants::names())),
                )
                .arg(passed_on("options").help("cargo-mutants' options, such as --file GLOB and --shard K/N")),
            Command::new("generate").about(
                "Writes the generated files anew: Rust code of the contract, man pages, completions",
            ),
        ])
}

/// Everything that follows, options included; a first `--` is not passed on.
fn passed_on(name: &'static str) -> Arg {
    Arg::new(name)
        .num_args(0..)
        .trailing_var_arg(true)
        .allow_hyphen_values(true)
}

#[cfg(test)]
mod tests;
