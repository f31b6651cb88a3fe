//! Measurements against what a user would run instead. They live in `bench/`, a Cargo workspace of its own, and are built
//! into `target/bench/`; BENCHMARKS.md says what they measure.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail};

use crate::{
    root,
    tools::{self, command, debian, run},
};

const NAMES: &str = "there are these benchmarks: engine, picture, server, stream, wasm";

/// Builds what the benchmark compares, then runs it: what is printed on standard output is the result.
pub(crate) fn of(arguments: &[String]) -> anyhow::Result<()> {
    let (name, options) = arguments.split_first().context(NAMES)?;
    match name.as_str() {
        "engine" | "picture" => {
            build(&["-p", "bench-engines"])?;
            python(name, options)
        }
        "server" => {
            debian("h2load", &["nghttp2-client"])?;
            run(command("cargo").args([
                "build",
                "--release",
                "--locked",
                "-p",
                "imageclassifier-server",
            ]))?;
            build(&["-p", "bench-client", "-p", "rust-peer"])?;
            python(name, options)
        }
        "stream" => {
            debian("h2load", &["nghttp2-client"])?;
            run(command("cargo").args([
                "build",
                "--release",
                "--locked",
                "-p",
                "imageclassifier-server",
                "-p",
                "imageclassifier-cli",
            ]))?;
            python(name, options)
        }
        "wasm" => {
            wasm()?;
            node(options)
        }
        _ => bail!(NAMES),
    }
}

fn built() -> PathBuf {
    root().join("target/bench")
}

fn build(arguments: &[&str]) -> anyhow::Result<()> {
    run(cargo().args(arguments))
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
    debian("npm", &["nodejs", "npm"])?;
    onnx_file(&virtual_environment()?)?;
    let folder = root().join("bench/wasm");
    run(command("npm")
        .current_dir(&folder)
        .args(["ci", "--silent", "--no-audit", "--no-fund"]))?;
    run(command("node").arg(folder.join("wasm.mjs")).args(options))
}

/// The network for everybody else's engines, made of the product's weights.
fn onnx_file(python: &Path) -> anyhow::Result<()> {
    run(command(python)
        .arg(root().join("bench/onnx_file.py"))
        .arg(built().join("efficientnet_lite0.onnx")))
}

fn virtual_environment() -> anyhow::Result<PathBuf> {
    tools::python(
        &built().join("venv"),
        &root().join("bench/requirements.txt"),
    )
}
