//! Triton's model repository extension.

use imageclassifier_proto::inference as proto;
use proto::{
    RepositoryIndexResponse, RepositoryModelLoadRequest, RepositoryModelUnloadRequest,
    repository_index_response::ModelIndex,
};

use crate::{
    engine::{
        Engine,
        models::{State, Version},
    },
    protocols::oip::models::version_name,
    request::error::RequestError,
};

/// Every version of every model, or only those that are served.
pub(super) fn index(engine: &Engine, ready: bool) -> RepositoryIndexResponse {
    let network = engine.built_in().name();
    let table = engine.models().table();
    let all = table.all();
    let wanted = all.filter(|(_, version)| !ready || version.classifier().is_some());
    RepositoryIndexResponse {
        models: wanted
            .map(|(name, version)| entry(name, version, name == network))
            .collect(),
    }
}

fn entry(name: &str, version: &Version, is_network: bool) -> ModelIndex {
    let (state, reason) = match &version.state {
        State::Serving { problem, .. } => ("READY", problem.as_deref().unwrap_or_default()),
        State::Broken(problem) => ("UNAVAILABLE", problem.as_str()),
        State::Unloaded => ("UNAVAILABLE", "unloaded"),
    };
    ModelIndex {
        name: name.to_owned(),
        version: version_name(version, is_network).unwrap_or_else(|| version.number.to_string()),
        state: state.to_owned(),
        reason: reason.to_owned(),
    }
}

pub(super) async fn load(
    engine: &Engine,
    request: RepositoryModelLoadRequest,
) -> Result<(), RequestError> {
    let name = request.model_name;
    if !request.parameters.is_empty() {
        let problem = "files and configuration come from its folder: send no parameters".to_owned();
        return Err(RequestError::ModelUnusable {
            model: name,
            problem,
        });
    }
    engine.with_repository(move |it| it.load(&name)).await?
}

pub(super) async fn unload(
    engine: &Engine,
    request: RepositoryModelUnloadRequest,
) -> Result<(), RequestError> {
    let name = request.model_name;
    engine.with_repository(move |it| it.unload(&name)).await?
}
