//! The developer's commands. Each does its own set-up, from package registries alone.

mod arguments;
mod bench;
mod browser;
mod cases;
mod conformance;
mod cycles;
mod deny;
mod deploy;
mod dist;
mod doctor;
mod examples;
mod folders;
mod fuzz;
mod mutants;
mod openapi;
mod page;
mod process;
mod run;
mod steps;
mod stress;
mod tally;
mod test;
mod tools;
mod weights;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use arguments::Task;
use steps::Step;

fn main() -> ExitCode {
    let outcome = match Task::parse() {
        Task::Doctor => doctor::report(),
        Task::Run { options } => run::serve(&options),
        Task::Build => run::build(),
        Task::Page => run::page(),
        Task::Test => return test::everything(),
        Task::Dist { triples, check } if check => dist::check(&triples),
        Task::Dist { triples, .. } => dist::build(&triples),
        Task::Deploy => deploy::check(Step::unseen()),
        Task::Weights { variants } => weights::make(&variants, Step::unseen()),
        Task::Bench { name, options } => bench::measure(&name, &options),
        Task::Cases { folder, dev } => cases::compare(&folder, dev),
        Task::Conformance => conformance::table(),
        Task::Stress { options } => stress::try_promises(&options),
        Task::Mutants { name, options } => mutants::try_crate(&name, &options),
        Task::Fuzz { target, runs } => fuzz::run_targets(target.as_deref(), runs),
        Task::Generate => test::generate(),
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
