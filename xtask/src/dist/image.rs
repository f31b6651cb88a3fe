//! The container image, as an archive of the OCI layout.

use std::{fs, path::PathBuf};

use super::{epoch, files::put, folder, git, licences, programs, target::Target, version};
use crate::{process::command, root, steps::Step, tools::packages::debian};

const NAME: &str = "imageclassifier-server";

/// How the image is called once it is loaded.
pub(super) fn reference() -> String {
    format!("localhost/{NAME}:{}", version())
}

pub(super) fn archive(target: &Target) -> PathBuf {
    folder().join(format!("{NAME}-{}-linux-{}.oci.tar", version(), target.oci))
}

pub(super) fn build(target: &Target, step: Step<'_>) -> anyhow::Result<()> {
    debian("buildah", &["buildah"], step)?;
    let context = root().join("target/dist-files/image");
    if context.exists() {
        fs::remove_dir_all(&context)?;
    }
    put(&programs::path(target, NAME), &context)?;
    for file in ["LICENSE-APACHE", "LICENSE-MIT", "NOTICE"] {
        put(&root().join(file), &context.join("licences"))?;
    }
    put(&licences::path(), &context.join("licences"))?;
    let weights =
        fs::read_to_string(root().join("model/weights/efficientnet_lite0.safetensors.sha256"))?;
    let digest = weights.split_whitespace().next().unwrap_or_default();
    let commit = git(&["rev-parse", "HEAD"])?;
    let labels = [
        ("org.opencontainers.image.version", version()),
        ("org.opencontainers.image.revision", &commit),
        ("imageclassifier.weights.sha256", digest),
    ];
    let mut build = buildah();
    build.args(["build", "--isolation", "chroot", "--format", "oci"]);
    build.args(["--platform", &format!("linux/{}", target.oci)]);
    // The same files give the same image.
    build.args(["--timestamp", &epoch()?]);
    for (name, value) in labels {
        build.args(["--label", &format!("{name}={value}")]);
    }
    build.args(["--file", "deploy/Containerfile", "--tag", &reference()]);
    step.run(build.arg(&context))?;
    let archive = archive(target);
    if archive.exists() {
        // buildah would add to it.
        fs::remove_file(&archive)?;
    }
    let to = format!("oci-archive:{}:{}", archive.display(), reference());
    step.run(buildah().args(["push", "--compression-level", "9", &reference(), &to]))
}

/// With images of its own, so that the user's stay as they are.
fn buildah() -> std::process::Command {
    let storage = root().join("target/containers");
    let mut buildah = command("buildah");
    buildah
        .arg("--root")
        .arg(storage.join("storage"))
        .arg("--runroot")
        .arg(storage.join("run"))
        .args(["--storage-driver", "vfs"]);
    buildah
}
