//! The developer's commands. Each does its own set-up, from package registries alone.

mod bench;
mod browser;
mod conformance;
mod cycles;
mod deny;
mod examples;
mod fuzz;
mod openapi;
mod page;
mod run;
mod stress;
mod tally;
mod test;
mod tools;
mod weights;

use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
};

const USAGE: &str = "\
usage: cargo xtask COMMAND

  run [-- SERVER OPTIONS]  build page and server (release) and serve http://localhost:50051
  build                    build page, server and command line into target/release/
  page                     build the page alone into dist/
  test                     everything: format, lints, unit, golden, integration, foreign clients, browser
  weights lite1 | lite2    download and convert the weights of a larger network into target/weights/, for --weights
  bench engine | layers | picture | server | stream | wasm [--json] [PART...]
                           measure against what a user would run instead (BENCHMARKS.md)
  conformance              try independent gRPC and gRPC-Web implementations; writes docs/conformance.md
  stress [SCENARIO...] [--minutes N] [--pause MS]
                           try the promises of RELIABILITY.md on a release server: memory, malformed, slow, flood,
                           cancel, drain, overload, soak (60 minutes, or N; each caller pauses for 20 ms, or MS);
                           without a scenario all of them
  fuzz [TARGET] [--runs N] throw bytes at what callers reach: one target or all, 100,000 times
  generate                 write anew the Rust code of proto/image_classifier.proto, the man pages and the completions
";

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.filter(|argument| argument != "--").collect();
    let outcome = match command.as_str() {
        "run" => run::serve(&rest),
        "build" => run::build(),
        "page" => page::build(),
        "test" => return test::everything(),
        "weights" => weights::of(&rest),
        "bench" => bench::of(&rest),
        "conformance" => conformance::table(),
        "stress" => stress::of(&rest),
        "fuzz" => fuzz::run_targets(&rest),
        "generate" => test::generate(),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The repository's top folder.
fn root() -> PathBuf {
    let parent = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    parent.expect("xtask lies in the repository").to_owned()
}
