use std::process::ExitCode;

use crate::{
    browser, cycles, deny, examples, openapi, page,
    tally::Tally,
    tools::{command, run},
    weights,
};

/// Everything that has to hold, cheapest first; goes on after a failure, and ends with the counts.
pub(crate) fn everything() -> ExitCode {
    let mut tally = Tally::default();
    tally.check(
        "format",
        run(command("cargo").args(["fmt", "--all", "--check"])),
    );
    tally.check("cycles of imports", cycles::check());
    tally.check("dependencies: bans, licences, sources", deny::check());
    tally.check("the benchmarks' lock file", benchmarks_are_locked());
    tally.check("lints, OpenAPI", openapi::lint());
    // Before the rest, because the server embeds it.
    tally.check("page", page::build());
    // The page by itself: its features would have the server's dependencies built a second time.
    tally.check("lints, native", lint(&["--all-targets"]));
    tally.check(
        "lints, wasm32",
        lint(&[
            "-p",
            "imageclassifier-web",
            "--target",
            "wasm32-unknown-unknown",
        ]),
    );
    tally.check("weights of Lite1 and Lite2", weights::of(&weights::TESTED));
    tally.run(
        "unit, golden and integration tests",
        command("cargo")
            .args(["test", "--locked", "--quiet", "--no-fail-fast"])
            .env("IMAGECLASSIFIER_WEIGHTS_DIR", weights::folder()),
    );
    tally.run(
        "the page's unit tests",
        command("cargo").args(["test", "--locked", "--quiet", "-p", "imageclassifier-web"]),
    );
    examples::test(&mut tally);
    browser::test(&mut tally);

    println!("{}", tally.summary());
    if tally.all_passed() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Nothing here builds the benchmarks: of what keeps them from building this notices one thing, a stale lock file.
fn benchmarks_are_locked() -> anyhow::Result<()> {
    run(command("cargo")
        .args(["update", "--workspace", "--locked", "--quiet"])
        .args(["--manifest-path", "bench/Cargo.toml"]))
}

fn lint(selection: &[&str]) -> anyhow::Result<()> {
    let mut clippy = command("cargo");
    clippy
        .args(["clippy", "--locked", "--quiet"])
        .args(selection);
    run(clippy.args(["--", "-D", "warnings"]))
}

/// Writes anew what is generated and committed: the code of the contract, the command line's man pages and completions.
/// The tests that write it are those that compare it.
pub(crate) fn generate() -> anyhow::Result<()> {
    for selection in [
        ["-p", "imageclassifier-proto", "--test", "generated"],
        ["-p", "imageclassifier-cli", "--bin", "imageclassifier"],
    ] {
        run(command("cargo")
            .args(["test", "--quiet"])
            .args(selection)
            .env("UPDATE_GENERATED", "1"))?;
    }
    Ok(())
}
