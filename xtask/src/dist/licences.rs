//! The licences of the crates that the programs contain. They require that their texts are passed on with the programs.

use std::{fs, path::PathBuf};

use super::tools::Tools;
use crate::{root, steps::Step};

/// Where [`write`] writes them.
pub(super) fn path() -> PathBuf {
    root().join("target/dist-files/THIRD-PARTY-LICENSES.txt")
}

pub(super) fn write(tools: &Tools, step: Step<'_>) -> anyhow::Result<()> {
    let path = path();
    fs::create_dir_all(path.with_file_name(""))?;
    step.run(
        tools
            .command("cargo")
            .args(["about", "generate", "--workspace", "--locked", "--fail"])
            .args(["--config", "deploy/about.toml", "--output-file"])
            .arg(path)
            .arg("deploy/about.hbs"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a TOML file lists between `start` and the next `]`, and what follows if it is a licence.
    fn listed(file: &str, start: &str) -> Vec<String> {
        let text = fs::read_to_string(root().join(file)).unwrap();
        let list = text.split_once(start).unwrap().1;
        let list = list.split_once(']').unwrap().0;
        list.split('"')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn what_may_be_depended_on_is_packed() {
        let mut allowed = listed("deny.toml", "\nallow = [");
        // Its exceptions.
        allowed.push("MPL-2.0".to_owned());
        allowed.sort();
        assert_eq!(listed("deploy/about.toml", "\naccepted = ["), allowed);
    }
}
