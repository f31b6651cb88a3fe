use super::{ask, empty, package, served::Served};
use crate::{
    dist::{target::Target, version},
    process::command,
    steps::Step,
    tools::packages::debian,
};

/// Installs the wheel into an empty virtual environment, without a registry, and asks its server.
pub(super) fn try_it(target: &Target, step: Step<'_>) -> anyhow::Result<()> {
    debian("python3", &["python3", "python3-venv"], step)?;
    let folder = empty("wheel")?;
    let architecture = target.triple.split('-').next().unwrap_or_default();
    let wheel = package(
        &format!("imageclassifier_server-{}-", version()),
        &format!("{architecture}.whl"),
    )?;
    step.run(command("python3").args(["-m", "venv"]).arg(&folder))?;
    let programs = folder.join("bin");
    step.run(
        command(programs.join("python"))
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--no-index",
                "--disable-pip-version-check",
            ])
            .arg(wheel),
    )?;
    // Nothing else is on PATH: neither compiler nor Node.
    let mut server = command(programs.join("imageclassifier-server"));
    let served = Served::start(server.env("PATH", &programs))?;
    ask::everything(&served, &programs.join("imageclassifier"), step)?;
    served.stop()
}
