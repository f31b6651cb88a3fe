//! The installed files, below a prefix such as `/usr`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;

use super::{
    licences,
    programs::{self, PROGRAMS},
    target::Target,
};
use crate::root;

/// What goes where, beside programs and man pages. Whoever passes the programs on has to pass on the licences.
const FILES: [(&str, &str); 7] = [
    ("LICENSE-APACHE", DOCUMENTS),
    ("LICENSE-MIT", DOCUMENTS),
    ("NOTICE", DOCUMENTS),
    ("CHANGELOG.md", DOCUMENTS),
    (
        "cli/completions/imageclassifier.bash",
        "share/bash-completion/completions",
    ),
    (
        "cli/completions/imageclassifier.fish",
        "share/fish/vendor_completions.d",
    ),
    (
        "cli/completions/_imageclassifier",
        "share/zsh/site-functions",
    ),
];
const DOCUMENTS: &str = "share/doc/imageclassifier";

/// Lays out the files of `target` in an empty folder; gives that folder.
pub(super) fn lay_out(target: &Target) -> anyhow::Result<PathBuf> {
    let prefix = root().join("target/dist-files").join(target.triple);
    if prefix.exists() {
        fs::remove_dir_all(&prefix)?;
    }
    for (_, program) in PROGRAMS {
        put(&programs::path(target, program), &prefix.join("bin"))?;
    }
    lay_out_shared(&prefix)?;
    Ok(prefix)
}

/// Lays out below `prefix` the files that are the same for every target.
pub(super) fn lay_out_shared(prefix: &Path) -> anyhow::Result<()> {
    for (file, folder) in FILES {
        put(&root().join(file), &prefix.join(folder))?;
    }
    put(&licences::path(), &prefix.join(DOCUMENTS))?;
    for page in fs::read_dir(root().join("docs/man"))? {
        put(&page?.path(), &prefix.join("share/man/man1"))?;
    }
    // Where bash looks for the completions of a command.
    let completions = prefix.join("share/bash-completion/completions");
    fs::rename(
        completions.join("imageclassifier.bash"),
        completions.join("imageclassifier"),
    )?;
    Ok(())
}

/// Copies `file` into `folder`, which is made.
pub(super) fn put(file: &Path, folder: &Path) -> anyhow::Result<()> {
    let name = file.file_name().context("a file has a name")?;
    fs::create_dir_all(folder)?;
    fs::copy(file, folder.join(name)).with_context(|| format!("cannot copy {}", file.display()))?;
    Ok(())
}
