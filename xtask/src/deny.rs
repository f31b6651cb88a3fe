use crate::tools::{cargo_tool, command, run};

const CARGO_DENY: (&str, &str) = ("cargo-deny", "0.20.2");

/// What `deny.toml` says of licences, bans and sources. Not of advisories: their database is a git repository, and the
/// tests have package registries alone.
pub(crate) fn check() -> anyhow::Result<()> {
    let program = cargo_tool(CARGO_DENY, "cargo-deny")?.join("cargo-deny");
    run(command(program)
        // Duplicates are for who looks for them.
        .args(["--locked", "--log-level", "error", "check"])
        .args(["--allow", "duplicate"])
        .args(["bans", "licenses", "sources"]))
}
