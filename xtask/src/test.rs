//! Everything that has to hold.

mod programs;

use std::{
    process::{Command, ExitCode},
    thread,
};

use crate::{
    browser, cycles, deny, deploy, examples, openapi,
    process::{command, run},
    run::{COMPILE_PAGE, PAGE, TOOLS, build_page},
    steps::{Step, Steps},
    tally::Tally,
    tools::TARGET,
    weights,
};

const FORMAT: &str = "format";
const CYCLES: &str = "import cycles";
const LINTS: &str = "lints, native";
const PAGE_LINTS: &str = "lints, wasm32";
const PAGE_TESTS: &str = "the page's unit tests";
const DENY: &str = "dependencies: bans, licences, sources";
const BENCHMARKS: &str = "the benchmarks' lock file";
const OPENAPI: &str = "lints, OpenAPI";
const DEPLOYMENT: &str = "deployment files";
const WEIGHTS: &str = "weights of Lite1 and Lite2";
const BROWSER_SET_UP: &str = "browser tests: set-up";
const COMPILE: &str = "tests: compile";
const TESTS: &str = "unit, golden and integration tests";
const EXAMPLES: &str = "foreign clients";
const BROWSER: &str = "browser tests";

const STEPS: [&str; 18] = [
    FORMAT,
    CYCLES,
    LINTS,
    PAGE_LINTS,
    PAGE_TESTS,
    TOOLS,
    COMPILE_PAGE,
    PAGE,
    DENY,
    BENCHMARKS,
    OPENAPI,
    DEPLOYMENT,
    WEIGHTS,
    BROWSER_SET_UP,
    COMPILE,
    TESTS,
    EXAMPLES,
    BROWSER,
];

/// The generator of the contract's code, which compares what it generates with what is committed.
const CONTRACT: [&str; 2] = ["-p", "imageclassifier-proto-generator"];

/// Runs everything, also after a failure, and ends with the counts.
///
/// What compiles for different folders of `target/` runs at once, and so does what mostly waits for a registry. Tests have the
/// machine to themselves: many measure time.
pub(crate) fn everything() -> ExitCode {
    let tally = Tally::default();
    Steps::show(&STEPS, |steps| {
        thread::scope(|scope| {
            scope.spawn(|| page(&tally, steps));
            scope.spawn(|| registries(&tally, steps));
            lints(&tally, steps);
        });
        // The server embeds the page, so that it comes after it.
        tally.check(steps, COMPILE, |step| {
            step.run(tests().arg("--no-run"))?;
            step.run(tests().args(CONTRACT).arg("--no-run"))
        });
        tally.count(steps, TESTS, |step| {
            let programs = programs::run_all(&tally, step);
            let quietly = ["--quiet", "--no-fail-fast"];
            let doc = tally.count_run(step, tests().arg("--doc").args(quietly));
            let contract = tally.count_run(step, tests().args(CONTRACT).args(quietly));
            programs.and(doc).and(contract)
        });
        tally.count(steps, EXAMPLES, |step| examples::test(&tally, step));
        tally.count(steps, BROWSER, |step| browser::test(&tally, step));
    });
    println!("{}", tally.summary());
    if tally.all_passed() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn page(tally: &Tally, steps: &Steps) {
    tally.note(&build_page(steps), |why| steps.say(why));
}

fn registries(tally: &Tally, steps: &Steps) {
    tally.check(steps, DENY, deny::check);
    tally.check(steps, BENCHMARKS, benchmarks_are_locked);
    tally.check(steps, OPENAPI, openapi::lint);
    tally.check(steps, DEPLOYMENT, deploy::check);
    tally.check(steps, WEIGHTS, |step| weights::make(&weights::TESTED, step));
    tally.check(steps, BROWSER_SET_UP, browser::set_up);
}

fn lints(tally: &Tally, steps: &Steps) {
    tally.check(steps, FORMAT, |step| {
        step.run(command("cargo").args(["fmt", "--all", "--check"]))
    });
    tally.check(steps, CYCLES, |_| cycles::check());
    // The page by itself: its features would have the server's dependencies built a second time.
    tally.check(steps, LINTS, |step| {
        lint(step, &["--all-targets"])?;
        lint(step, &[&CONTRACT[..], &["--all-targets"]].concat())
    });
    let page = ["-p", "imageclassifier-web", "--target", TARGET];
    tally.check(steps, PAGE_LINTS, |step| lint(step, &page));
    tally.count(steps, PAGE_TESTS, |step| {
        tally.count_run(step, tests().args(["--quiet", "-p", "imageclassifier-web"]))
    });
}

/// `cargo test`, with the weights that some tests compare.
fn tests() -> Command {
    let mut cargo = command("cargo");
    cargo
        .args(["test", "--locked"])
        .env("IMAGECLASSIFIER_WEIGHTS_DIR", weights::folder());
    cargo
}

/// Checks that the benchmarks' lock file is current. Does not build them.
fn benchmarks_are_locked(step: Step<'_>) -> anyhow::Result<()> {
    step.run(
        command("cargo")
            .args(["update", "--workspace", "--locked", "--quiet"])
            .args(["--manifest-path", "bench/Cargo.toml"]),
    )
}

fn lint(step: Step<'_>, selection: &[&str]) -> anyhow::Result<()> {
    let mut clippy = command("cargo");
    clippy.args(["clippy", "--locked"]).args(selection);
    step.run(clippy.args(["--", "-D", "warnings"]))
}

/// Writes anew what is generated and committed: the code of the contract, the command line's man pages and completions.
/// The tests that write it are those that compare it.
pub(crate) fn generate() -> anyhow::Result<()> {
    for selection in [
        CONTRACT.as_slice(),
        &["-p", "imageclassifier-cli", "--bin", "imageclassifier"],
    ] {
        run(command("cargo")
            .args(["test", "--quiet"])
            .args(selection)
            .env("UPDATE_GENERATED", "1"))?;
    }
    Ok(())
}
