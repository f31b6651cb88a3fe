use crate::{
    root,
    tools::{cache, command, python, run},
};

/// Whether the description of plain HTTP is one that OpenAPI's tools can read.
pub(crate) fn lint() -> anyhow::Result<()> {
    let requirements = root().join("xtask/openapi-requirements.txt");
    let python = python(&cache()?.join("openapi"), &requirements)?;
    run(command(python).args(["-m", "openapi_spec_validator", "proto/openapi.json"]))
}
