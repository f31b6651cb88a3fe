//! What a user runs: the page, and the programs.

use std::{os::unix::process::CommandExt, path::PathBuf, process::Command, thread};

use anyhow::Context;

use crate::{
    page,
    process::command,
    root,
    steps::{Step, Steps},
    tools,
};

pub(crate) const TOOLS: &str = "build tools";
pub(crate) const COMPILE_PAGE: &str = "page: compile";
pub(crate) const PAGE: &str = "page: assemble";
const SERVER: &str = "server";
const EMBED: &str = "page into server";
const PROGRAMS: &str = "server and command line";

/// Builds the page alone.
pub(crate) fn page() -> anyhow::Result<()> {
    Steps::show(&[TOOLS, COMPILE_PAGE, PAGE], build_page)
}

/// Builds everything that is released, as it is released.
pub(crate) fn build() -> anyhow::Result<()> {
    Steps::show(&[TOOLS, COMPILE_PAGE, PAGE, PROGRAMS], |steps| {
        build_page(steps)?;
        steps.run(PROGRAMS, |step| {
            step.run(command("cargo").args([
                "build",
                "--release",
                "--locked",
                "-p",
                "imageclassifier-server",
                "-p",
                "imageclassifier-cli",
            ]))
        })
    })
}

/// Builds page and server, then becomes the server, so that Ctrl-C and exit status are its own.
pub(crate) fn serve(options: &[String]) -> anyhow::Result<()> {
    Steps::show(&[TOOLS, COMPILE_PAGE, PAGE, SERVER, EMBED], |steps| {
        thread::scope(|scope| {
            // Without the page for now: what the server depends on takes as long.
            let page = scope.spawn(|| build_page(steps));
            steps.run(SERVER, build_server)?;
            page.join().expect("a panic has been printed by its thread")
        })?;
        steps.run(EMBED, build_server)
    })?;
    let server = server();
    let error = Command::new(&server).args(options).exec();
    Err(error).with_context(|| format!("cannot start {}", server.display()))
}

/// Builds the page into `dist/`. Its program compiles while the tools are installed.
pub(crate) fn build_page(steps: &Steps) -> anyhow::Result<()> {
    let path = thread::scope(|scope| {
        let tools = scope.spawn(|| steps.run(TOOLS, tools::page_tools));
        let compiled = steps.run(COMPILE_PAGE, page::compile);
        let path = tools
            .join()
            .expect("a panic has been printed by its thread");
        compiled.and(path)
    })?;
    steps.run(PAGE, |step| page::assemble(&path, step))
}

/// Our own crates optimised, on the dependencies that the tests have.
fn build_server(step: Step<'_>) -> anyhow::Result<()> {
    step.run(
        command("cargo")
            .args(["build", "--locked", "--config", "xtask/run.toml"])
            // Not as a package, for which cargo asks dependencies for fewer features than for the tests.
            .args(["--bin", "imageclassifier-server"]),
    )
}

fn server() -> PathBuf {
    root().join("target/debug/imageclassifier-server")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The dependencies of the packages that are selected, by default of all that `cargo` takes, each with its features.
    fn dependencies(edges: &str, selection: &[&str]) -> BTreeSet<String> {
        let mut tree = command("cargo");
        tree.args(["tree", "--locked", "--prefix", "none", "--edges", edges])
            .args(["--format", "{p} with {f}"])
            .args(selection);
        let said = tree.output().unwrap();
        assert!(
            said.status.success(),
            "{}",
            String::from_utf8_lossy(&said.stderr)
        );
        let lines = String::from_utf8(said.stdout).unwrap();
        let lines = lines.lines().map(|line| line.trim_end_matches(" (*)"));
        lines
            // Our own are by path: they are compiled in both ways.
            .filter(|line| !line.is_empty() && !line.contains("(/"))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn run_and_tests_compile_the_same_dependencies() {
        let (run, tests) = (
            dependencies("normal,build", &[]),
            dependencies("normal,build,dev", &[]),
        );
        let twice: Vec<_> = run.difference(&tests).collect();
        assert!(
            twice.is_empty(),
            "tests ask for other features of these: name them in fuzz/targets/Cargo.toml too\n{twice:#?}"
        );
    }

    const BURN: [&str; 6] = ["-p", "burn", "-p", "burn-flex", "-p", "burn-ndarray"];

    /// Without its features.
    fn name(line: &str) -> String {
        let name = line.split(" with ").next().unwrap_or_default();
        name.trim_end_matches(" (proc-macro)").to_owned()
    }

    fn names(edges: &str, selection: &[&str]) -> BTreeSet<String> {
        dependencies(edges, selection)
            .iter()
            .map(|line| name(line))
            .collect()
    }

    /// Cargo compiles a crate with other options for macros and build scripts than for programs. What a macro is made of would
    /// be compiled again if a test also linked it, and so would be whatever the macro expands in.
    #[test]
    fn tests_link_nothing_that_burn_needs_for_macros_alone() {
        const SERVER: [&str; 2] = ["-p", "imageclassifier-server"];
        let (run, linked) = (
            names("normal,build", &SERVER),
            names("normal,no-proc-macro", &SERVER),
        );
        let for_macros: BTreeSet<_> = run.difference(&linked).cloned().collect();
        assert!(for_macros.iter().any(|name| name.starts_with("syn ")));
        let by_tests = names("normal,no-proc-macro,dev", &[]);
        let burn = names("normal,build", &BURN);
        let again: Vec<_> = for_macros
            .intersection(&by_tests)
            .filter(|name| burn.contains(*name))
            .collect();
        assert!(again.is_empty(), "only macros may depend on {again:#?}");
    }

    #[test]
    fn a_selection_of_programs_or_tests_does_not_compile_burn_again() {
        let burn = names("normal,build", &BURN);
        assert!(burn.len() > 50, "{burn:#?}");
        let everything = dependencies("normal,build,dev", &[]);
        for selection in [
            &["-p", "imageclassifier-server"][..],
            &["-p", "imageclassifier-cli"],
            &["-p", "imageclassifier-server", "-p", "imageclassifier-cli"],
        ] {
            let selected = dependencies("normal,build,dev", selection);
            let again: Vec<_> = selected
                .difference(&everything)
                .filter(|line| burn.contains(&name(line)))
                .collect();
            assert!(
                again.is_empty(),
                "others ask for other features of these: name them in model/Cargo.toml too\n{again:#?}"
            );
        }
    }
}
