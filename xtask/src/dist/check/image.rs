use std::{fs, process::Command};

use anyhow::ensure;

use super::{ask, served::Served};
use crate::{
    dist::{image, programs, target::Target},
    process::command,
    root,
    steps::Step,
    tools::packages::debian,
};

const UNPACKED_BYTES_MAX: u64 = 45_000_000;
const COMPRESSED_BYTES_MAX: u64 = 28_000_000;

/// Runs the image without a right and without a place to write, and asks its server.
pub(super) fn try_it(target: &Target, step: Step<'_>) -> anyhow::Result<()> {
    debian("podman", &["podman", "runc"], step)?;
    let archive = image::archive(target);
    let compressed_bytes = fs::metadata(&archive)?.len();
    step.run(podman().arg("load").arg("--input").arg(&archive))?;
    let reference = image::reference();
    let mut inspect = podman();
    inspect.args([
        "image",
        "inspect",
        "--format",
        "{{.Size}} {{.Labels}}",
        &reference,
    ]);
    let said = ask::output(&mut inspect, step)?;
    let (size, labels) = said.split_once(' ').unwrap_or_default();
    let unpacked_bytes: u64 = size.parse()?;
    step.say(&format!(
        "{unpacked_bytes} bytes unpacked, {compressed_bytes} compressed; {labels}"
    ));
    ensure!(
        unpacked_bytes <= UNPACKED_BYTES_MAX && compressed_bytes <= COMPRESSED_BYTES_MAX,
        "the image is too large: at most {UNPACKED_BYTES_MAX} bytes, {COMPRESSED_BYTES_MAX} compressed"
    );

    let mut run = podman();
    run.args([
        "--runtime",
        "runc",
        "run",
        "--rm",
        "--read-only",
        "--cap-drop=all",
    ])
    .args(["--security-opt", "no-new-privileges", "--network", "host"])
    // runc may not raise the limits that podman sets by default.
    .args(["--ulimit", &format!("nofile={0}:{0}", open_files()?)])
    .args(["--ulimit", "nproc=4096:4096"])
    .arg(&reference);
    let served = Served::start(&mut run)?;
    ask::everything(&served, &programs::path(target, "imageclassifier"), step)?;
    served.stop()
}

/// Above --connections-max, if this machine allows as many.
fn open_files() -> anyhow::Result<u64> {
    const OPEN_FILES: u64 = 65536;
    let limits = fs::read_to_string("/proc/self/limits")?;
    let limit = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let hard = limit.and_then(|line| line.split_whitespace().nth(4)?.parse().ok());
    Ok(hard.unwrap_or(OPEN_FILES).min(OPEN_FILES))
}

/// With images of its own, so that the user's stay as they are.
fn podman() -> Command {
    let storage = root().join("target/containers");
    let mut podman = command("podman");
    podman
        .arg("--root")
        .arg(storage.join("storage"))
        .arg("--runroot")
        .arg(storage.join("run"))
        .args(["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs"]);
    podman
}
