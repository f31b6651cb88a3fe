use std::{fs, path::Path};

use anyhow::ensure;

use super::{ask, empty, package, served::Served};
use crate::{
    dist::{programs, target::Target, version},
    process::command,
    steps::Step,
};

const PYTHON: &str = "import sys
from imageclassifier import Client
with Client(sys.argv[1]) as client:
    print(client.classify(sys.argv[2]).label)
";
const JAVASCRIPT: &str = "import { readFile } from 'node:fs/promises';
import { Classifier } from 'imageclassifier';
const [server, photograph] = process.argv.slice(2);
console.log((await new Classifier(`http://${server}`).classify(await readFile(photograph))).label);
";

/// Installs each client package into an empty project and asks a server with it.
pub(super) fn try_them(target: &Target, step: Step<'_>) -> anyhow::Result<()> {
    let server = programs::path(target, "imageclassifier-server");
    let served = Served::start(&mut command(server))?;
    python(&served, step)?;
    javascript(&served, step)?;
    served.stop()
}

fn python(served: &Served, step: Step<'_>) -> anyhow::Result<()> {
    let folder = empty("python")?;
    step.run(command("python3").args(["-m", "venv"]).arg(&folder))?;
    let python = folder.join("bin/python");
    step.run(
        command(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .arg(package(&format!("imageclassifier-{}-", version()), ".whl")?),
    )?;
    ask_with(&python, &folder.join("ask.py"), PYTHON, served, step)
}

fn javascript(served: &Served, step: Step<'_>) -> anyhow::Result<()> {
    let folder = empty("javascript")?;
    fs::write(folder.join("package.json"), "{\"private\":true}")?;
    step.run(
        command("npm")
            .current_dir(&folder)
            .args(["install", "--silent", "--no-audit", "--no-fund"])
            .arg(package(&format!("imageclassifier-{}", version()), ".tgz")?),
    )?;
    ask_with(
        Path::new("node"),
        &folder.join("ask.mjs"),
        JAVASCRIPT,
        served,
        step,
    )
}

fn ask_with(
    interpreter: &Path,
    file: &Path,
    program: &str,
    served: &Served,
    step: Step<'_>,
) -> anyhow::Result<()> {
    fs::write(file, program)?;
    let mut ask = command(interpreter);
    ask.arg(file).arg(&served.address).arg(ask::photograph());
    let said = ask::output(&mut ask, step)?;
    ensure!(
        said.trim() == ask::LABEL,
        "{} prints {said}",
        file.display()
    );
    Ok(())
}
