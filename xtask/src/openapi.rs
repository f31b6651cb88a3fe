use crate::{
    process::command,
    root,
    steps::Step,
    tools::{cache, packages::python},
};

/// Whether the description of plain HTTP is one that OpenAPI's tools can read.
pub(crate) fn lint(step: Step<'_>) -> anyhow::Result<()> {
    let requirements = root().join("xtask/openapi-requirements.txt");
    let python = python(&cache()?.join("openapi"), &requirements, step)?;
    step.run(command(python).args(["-m", "openapi_spec_validator", "proto/openapi.json"]))
}
