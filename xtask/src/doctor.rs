//! What a newcomer's machine has, lacks and will get, on one screen.

use std::{
    fmt, fs,
    num::NonZero,
    path::{Path, PathBuf},
    thread,
};

use crate::{
    process::{command, exists, folder_of},
    root,
    tools::{self, BINARYEN, Found, TRUNK, Tool, WASM_BINDGEN, archive::Origin, find_wasm_opt},
};

/// Processor minutes of each part from nothing: estimates, to go with docs/decisions/0004-minutes.md.
const SERVER_MINUTES: u32 = 12;
const PAGE_MINUTES: u32 = 4;
const TESTS_MINUTES: u32 = 34;
/// What `target/` takes after `cargo xtask test`.
const DISK_GB: u64 = 12;

/// What is known of one thing that is needed.
#[derive(Debug, PartialEq, Eq)]
enum State {
    Ready(String),
    /// It will be installed: how, and in how many processor minutes.
    Comes(String, u32),
    /// The user has to do something.
    Missing(String),
}

/// Prints the report.
///
/// # Errors
/// If something is missing that xtask does not install.
pub(crate) fn report() -> anyhow::Result<()> {
    let origin = Origin::of_environment();
    let answers = origin.answers();
    let way = |tool: &Tool| -> anyhow::Result<State> {
        Ok(match tool.find()? {
            Found::OnPath(folder) | Found::Installed(folder) => State::Ready(short(&folder)),
            Found::Missing if answers => State::Comes(
                format!("from {} into {}", origin.base, short(&tool.folder()?)),
                0,
            ),
            Found::Missing => State::Comes(
                format!(
                    "is compiled into {}: {} does not answer",
                    short(&tool.folder()?),
                    origin.base
                ),
                tool.compile_minutes,
            ),
        })
    };
    let builds = [
        (format!("Rust {}", toolchain()), rust()?),
        ("C compiler".to_owned(), c_compiler()),
        (title(&TRUNK), way(&TRUNK)?),
        (title(&WASM_BINDGEN), way(&WASM_BINDGEN)?),
        (format!("{} {}", BINARYEN.0, BINARYEN.1), wasm_opt()?),
        ("disk".to_owned(), disk()),
    ];
    let tests = [
        ("Node.js", "node", "nodejs npm"),
        ("Python 3", "python3", "python3 python3-venv"),
        (
            "Chromium",
            "chromium-headless-shell",
            "chromium-headless-shell",
        ),
        ("Go", "go", "golang-go and four more"),
    ];
    let packages = [
        ("Buildah", "buildah", "buildah"),
        ("Podman, to check", "podman", "podman runc"),
        ("QEMU, to check", "qemu-aarch64-static", "qemu-user-static"),
    ];
    println!("To build and serve, `cargo xtask run`:");
    show(&builds);
    println!("Beside it, to test, `cargo xtask test`:");
    let tests = tests.map(|(name, program, packages)| (name.to_owned(), debian(program, packages)));
    show(&tests);
    println!("And to package, `cargo xtask dist`; it says so when something is missing:");
    let packages =
        packages.map(|(name, program, packages)| (name.to_owned(), debian(program, packages)));
    show(&packages);
    time(&builds);
    let missing = builds.iter().chain(&tests);
    let missing = missing
        .filter(|(_, state)| matches!(state, State::Missing(_)))
        .count();
    anyhow::ensure!(
        missing == 0,
        "{missing} of these you have to install yourself"
    );
    println!("Nothing is left for you to install.");
    Ok(())
}

fn show(rows: &[(String, State)]) {
    for (name, state) in rows {
        println!("  {name:<24} {state}");
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready(place) => write!(f, "ready, {place}"),
            Self::Comes(how, 0) => write!(f, "comes {how}, in seconds"),
            Self::Comes(how, minutes) => write!(f, "comes: {how}; {minutes} processor minutes"),
            Self::Missing(remedy) => write!(f, "MISSING: {remedy}"),
        }
    }
}

/// How long it takes from nothing, on this many cores.
fn time(builds: &[(String, State)]) {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let cores = u32::try_from(cores).unwrap_or(u32::MAX);
    let tools: u32 = builds
        .iter()
        .map(|(_, state)| match state {
            State::Comes(_, minutes) => *minutes,
            _ => 0,
        })
        .sum();
    // Half of it does not wait for other halves; a single crate keeps a single core.
    let minutes = |processor: u32| processor.div_ceil(cores.min(4)) + 1;
    println!(
        "From an empty target/, on {cores} cores: run some {} minutes, test some {} minutes.",
        minutes(tools + PAGE_MINUTES + SERVER_MINUTES),
        minutes(tools + PAGE_MINUTES + TESTS_MINUTES),
    );
}

fn title(tool: &Tool) -> String {
    format!("{} {}", tool.program, tool.version)
}

/// The version that `rust-toolchain.toml` asks for.
fn toolchain() -> String {
    let file = fs::read_to_string(root().join("rust-toolchain.toml")).unwrap_or_default();
    let channel = file
        .lines()
        .find_map(|line| line.strip_prefix("channel = \""));
    channel.unwrap_or_default().trim_end_matches('"').to_owned()
}

fn rust() -> anyhow::Result<State> {
    Ok(if tools::has_target(tools::TARGET)? {
        State::Ready(format!("with {}", tools::TARGET))
    } else if exists("rustup") {
        State::Comes(format!("from rustup: {}", tools::TARGET), 0)
    } else {
        State::Missing(format!(
            "install rustup, or the standard library of {}",
            tools::TARGET
        ))
    })
}

fn c_compiler() -> State {
    match folder_of("cc") {
        Some(folder) => State::Ready(short(&folder)),
        None => State::Missing("as root, `apt-get install gcc libc6-dev`".to_owned()),
    }
}

fn wasm_opt() -> anyhow::Result<State> {
    Ok(match find_wasm_opt()? {
        Found::OnPath(folder) | Found::Installed(folder) => State::Ready(short(&folder)),
        Found::Missing if exists("npm") => {
            State::Comes(format!("from npm into {}", short(&tools::cache()?)), 0)
        }
        Found::Missing => match debian("npm", "nodejs npm") {
            State::Comes(how, minutes) => State::Comes(format!("from npm, and npm {how}"), minutes),
            missing => missing,
        },
    })
}

fn debian(program: &str, packages: &str) -> State {
    match folder_of(program) {
        Some(folder) => State::Ready(short(&folder)),
        None if exists("apt-get") => State::Comes(format!("from Debian: {packages}"), 0),
        None => State::Missing(format!("install {program}; Debian calls it {packages}")),
    }
}

fn disk() -> State {
    let mut df = command("df");
    let said = df.args(["-Pk", "."]).output();
    let said = said.map(|said| String::from_utf8_lossy(&said.stdout).into_owned());
    match said.ok().as_deref().and_then(free_gb) {
        Some(free) if free < DISK_GB => State::Missing(format!(
            "{free} GB free; run and test need some {DISK_GB} GB from nothing"
        )),
        Some(free) => State::Ready(format!("{free} GB free; target/ takes up to {DISK_GB}")),
        None => State::Ready(format!("target/ may take {DISK_GB} GB")),
    }
}

/// From what `df -Pk` says.
fn free_gb(said: &str) -> Option<u64> {
    let kilobytes: u64 = said
        .lines()
        .nth(1)?
        .split_whitespace()
        .nth(3)?
        .parse()
        .ok()?;
    Some(kilobytes / 1_000_000)
}

/// `folder` with `~` for the user's home.
fn short(folder: &Path) -> String {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let below = home.and_then(|home| folder.strip_prefix(home).ok().map(Path::to_owned));
    match below {
        Some(below) => format!("~/{}", below.display()),
        None => folder.display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_says_what_happens() {
        for (state, expected) in [
            (State::Ready("/usr/bin".to_owned()), "ready, /usr/bin"),
            (
                State::Comes("from npm".to_owned(), 0),
                "comes from npm, in seconds",
            ),
            (
                State::Comes("is compiled".to_owned(), 8),
                "comes: is compiled; 8 processor minutes",
            ),
            (
                State::Missing("install gcc".to_owned()),
                "MISSING: install gcc",
            ),
        ] {
            assert_eq!(state.to_string(), expected);
        }
    }

    #[test]
    fn reads_free_space_and_the_toolchains_version() {
        let said = "Filesystem 1024-blocks Used Available Capacity Mounted on\n\
            /dev/vda 264000000 20000000 44000000 8% /\n";
        assert_eq!(free_gb(said), Some(44));
        assert_eq!(free_gb(""), None);
        assert!(toolchain().starts_with("1."));
    }

    #[test]
    fn a_program_that_is_nowhere_is_not_ready() {
        let state = debian("no-such-program-anywhere", "nothing");
        assert!(!matches!(state, State::Ready(_)));
    }
}
