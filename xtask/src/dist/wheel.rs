//! The programs as a wheel, for pip.

use std::fs;

use super::{
    files::{lay_out_shared, put},
    folder,
    programs::{self, PROGRAMS},
    sbom,
    target::Target,
    tools::Tools,
};
use crate::{root, steps::Step};

/// maturin compiles the server, which is compiled already, in the same way. The other files it takes from a folder that
/// `deploy/wheel/pyproject.toml` names.
pub(super) fn build(target: &Target, tools: &Tools, step: Step<'_>) -> anyhow::Result<()> {
    let data = root().join("target/dist-files/wheel");
    if data.exists() {
        fs::remove_dir_all(&data)?;
    }
    put(
        &programs::path(target, "imageclassifier"),
        &data.join("scripts"),
    )?;
    lay_out_shared(&data.join("data"))?;
    let mut maturin = tools.compiler("maturin", target)?;
    maturin.arg("build");
    tools.audit(&mut maturin)?;
    for (_, program) in PROGRAMS {
        maturin
            .arg("--sbom-include")
            .arg(sbom::path(target, program));
    }
    step.run(
        maturin
            .current_dir(root().join("deploy/wheel"))
            .args(["--release", "--locked", "--target", target.triple])
            // A static program runs with every C library.
            .args(["--compatibility", "manylinux2014", "musllinux_1_1"])
            .arg("--out")
            .arg(folder()),
    )
}
