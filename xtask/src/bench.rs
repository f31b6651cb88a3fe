//! Measurements against what a user would run instead. They live in `bench/`, a Cargo workspace of its own, and are built
//! into `target/bench/`; BENCHMARKS.md says what they measure.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::bail;

use crate::{
    process::{command, run},
    root,
    steps::Step,
    tools::packages::{self, debian},
};

pub(crate) const NAMES: [&str; 9] = [
    "classes",
    "engine",
    "layers",
    "models",
    "preprocessing",
    "scaling",
    "server",
    "stream",
    "wasm",
];

/// Builds what the benchmark compares, then runs it: what is printed on standard output is the result.
pub(crate) fn measure(name: &str, options: &[String]) -> anyhow::Result<()> {
    match name {
        "classes" => {
            product(&["imageclassifier-cli"])?;
            python(name, options)
        }
        "engine" | "preprocessing" => {
            build(&["-p", "bench-engines"])?;
            python(name, options)
        }
        "models" => {
            run_model()?;
            build(&["-p", "bench-engines"])?;
            debian_torchvision()?;
            python(name, options)
        }
        "server" => {
            product(&["imageclassifier-server"])?;
            build(&["-p", "bench-client", "-p", "rust-peer"])?;
            python(name, options)
        }
        "layers" => {
            product(&["imageclassifier-server"])?;
            // Another version's server takes its place.
            if !options.iter().any(|option| option.starts_with("--before")) {
                build(&["-p", "bare"])?;
            }
            python(name, options)
        }
        "scaling" => {
            product(&["imageclassifier-server"])?;
            python("scaling/main", options)
        }
        "stream" => {
            product(&["imageclassifier-server", "imageclassifier-cli"])?;
            python(name, options)
        }
        "wasm" => {
            wasm()?;
            node(options)
        }
        _ => bail!("there is no benchmark {name}"),
    }
}

fn built() -> PathBuf {
    root().join("target/bench")
}

/// The product's programs as they are released, and h2load to call them.
fn product(packages: &[&str]) -> anyhow::Result<()> {
    debian("h2load", &["nghttp2-client"], Step::unseen())?;
    let packages = packages.iter().flat_map(|package| ["-p", package]);
    run(command("cargo")
        .args(["build", "--release", "--locked"])
        .args(packages))
}

fn build(arguments: &[&str]) -> anyhow::Result<()> {
    run(cargo().args(arguments))
}

/// The engine on ONNX files, as a process that measures itself.
fn run_model() -> anyhow::Result<()> {
    run(command("cargo")
        .args(["build", "--release", "--locked", "--target-dir"])
        .arg(built().join("cargo"))
        .args(["-p", "imageclassifier-onnx", "--example", "run_model"]))
}

/// Debian's torchvision exports the networks. Its Python is Debian's, whatever comes first in PATH.
fn debian_torchvision() -> anyhow::Result<()> {
    let imports = ["-c", "import torchvision"];
    if command("/usr/bin/python3")
        .args(imports)
        .status()?
        .success()
    {
        return Ok(());
    }
    debian(
        "python3-torchvision",
        &["python3-torchvision"],
        Step::unseen(),
    )
}

fn wasm() -> anyhow::Result<()> {
    run(cargo()
        .args(["-p", "bench-wasm", "--target", "wasm32-unknown-unknown"])
        .env("RUSTFLAGS", "-C target-feature=+simd128"))
}

/// A release build in the workspace of the benchmarks.
fn cargo() -> Command {
    let mut cargo = command("cargo");
    cargo
        .current_dir(root().join("bench"))
        .args(["build", "--release", "--locked", "--target-dir"])
        .arg(built().join("cargo"));
    cargo
}

/// Runs `bench/NAME.py` in a virtual environment with everything it imports.
fn python(name: &str, options: &[String]) -> anyhow::Result<()> {
    let python = virtual_environment()?;
    onnx_file(&python)?;
    run(command(&python)
        .arg(root().join(format!("bench/{name}.py")))
        .args(options))
}

fn node(options: &[String]) -> anyhow::Result<()> {
    onnx_file(&virtual_environment()?)?;
    let folder = root().join("bench/wasm");
    packages::npm(&folder, Step::unseen())?;
    run(command("node").arg(folder.join("wasm.mjs")).args(options))
}

/// The network for the other engines, created from the product's weights.
fn onnx_file(python: &Path) -> anyhow::Result<()> {
    run(command(python)
        .arg(root().join("bench/onnx_file.py"))
        .arg(built().join("efficientnet_lite0.onnx")))
}

fn virtual_environment() -> anyhow::Result<PathBuf> {
    packages::python(
        &built().join("venv"),
        &root().join("bench/requirements.txt"),
        Step::unseen(),
    )
}
