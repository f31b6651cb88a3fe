use std::array;

/// Where plain HTTP accepts an image.
pub(crate) const CLASSIFY_PATH: &str = "/v1/classify";
/// Where plain HTTP speaks the Open Inference Protocol.
pub(crate) const OIP_PATH: &str = "/v2";

/// The method of the request. Of methods that others define, only the service or the purpose is distinguished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Classify,
    ClassifyBatch,
    ClassifyStream,
    GetModel,
    ListModels,
    Embed,
    PublishModel,
    Feedback,
    ModelInfer,
    /// Open Inference Protocol: which models there are.
    OipMetadata,
    /// Open Inference Protocol: loads and unloads models.
    OipRepository,
    /// Open Inference Protocol: whether requests should be sent here.
    OipHealth,
    Health,
    Reflection,
    Unknown,
}

/// Whether the path is [`OIP_PATH`] or below it.
pub(crate) fn is_oip_path(path: &str) -> bool {
    let rest = path.strip_prefix(OIP_PATH);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Method {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Classify => "Classify",
            Self::ClassifyBatch => "ClassifyBatch",
            Self::ClassifyStream => "ClassifyStream",
            Self::GetModel => "GetModel",
            Self::ListModels => "ListModels",
            Self::Embed => "Embed",
            Self::PublishModel => "PublishModel",
            Self::Feedback => "Feedback",
            Self::OipRepository => "inference-repository",
            Self::ModelInfer => "ModelInfer",
            Self::OipMetadata => "inference-metadata",
            Self::OipHealth => "inference-health",
            Self::Health => "health",
            Self::Reflection => "reflection",
            Self::Unknown => "unknown",
        }
    }

    /// The full name, for traces.
    pub(crate) fn full_name(self) -> &'static str {
        match self {
            Self::Classify => "imageclassifier.ImageClassifier/Classify",
            Self::ClassifyBatch => "imageclassifier.ImageClassifier/ClassifyBatch",
            Self::ClassifyStream => "imageclassifier.ImageClassifier/ClassifyStream",
            Self::GetModel => "imageclassifier.ImageClassifier/GetModel",
            Self::ListModels => "imageclassifier.ImageClassifier/ListModels",
            Self::Embed => "imageclassifier.ImageClassifier/Embed",
            Self::PublishModel => "imageclassifier.ImageClassifier/PublishModel",
            Self::Feedback => "imageclassifier.ImageClassifier/Feedback",
            Self::ModelInfer => "inference.GRPCInferenceService/ModelInfer",
            Self::OipMetadata | Self::OipRepository | Self::OipHealth => {
                "inference.GRPCInferenceService"
            }
            Self::Health => "grpc.health.v1.Health",
            Self::Reflection => "grpc.reflection.v1.ServerReflection",
            Self::Unknown => "_OTHER",
        }
    }

    /// Whether the network sees the request's images.
    pub(crate) fn infers(self) -> bool {
        match self {
            Self::Classify
            | Self::ClassifyBatch
            | Self::ClassifyStream
            | Self::Embed
            | Self::Feedback
            | Self::ModelInfer => true,
            Self::GetModel
            | Self::PublishModel
            | Self::OipRepository
            | Self::ListModels
            | Self::OipMetadata
            | Self::OipHealth
            | Self::Health
            | Self::Reflection
            | Self::Unknown => false,
        }
    }

    /// Whether the network sees one image.
    pub(crate) fn has_one_image(self) -> bool {
        matches!(self, Self::Classify | Self::Embed | Self::Feedback)
    }

    /// Whether it only asks if requests should be sent here. Probes do so, and have no access token.
    pub(crate) fn probes(self) -> bool {
        matches!(self, Self::Health | Self::OipHealth)
    }

    pub(crate) fn parse_path(path: &str) -> Self {
        match path {
            "/imageclassifier.ImageClassifier/Classify" => Self::Classify,
            "/imageclassifier.ImageClassifier/ClassifyBatch" => Self::ClassifyBatch,
            "/imageclassifier.ImageClassifier/ClassifyStream" => Self::ClassifyStream,
            "/imageclassifier.ImageClassifier/GetModel" => Self::GetModel,
            "/imageclassifier.ImageClassifier/ListModels" => Self::ListModels,
            "/imageclassifier.ImageClassifier/Embed" => Self::Embed,
            "/imageclassifier.ImageClassifier/PublishModel" => Self::PublishModel,
            "/imageclassifier.ImageClassifier/Feedback" => Self::Feedback,
            "/inference.GRPCInferenceService/ModelInfer" => Self::ModelInfer,
            "/inference.GRPCInferenceService/ServerMetadata"
            | "/inference.GRPCInferenceService/ModelMetadata"
            | "/inference.GRPCInferenceService/ModelConfig"
            | "/inference.GRPCInferenceService/RepositoryIndex" => Self::OipMetadata,
            "/inference.GRPCInferenceService/RepositoryModelLoad"
            | "/inference.GRPCInferenceService/RepositoryModelUnload" => Self::OipRepository,
            "/inference.GRPCInferenceService/ServerLive"
            | "/inference.GRPCInferenceService/ServerReady"
            | "/inference.GRPCInferenceService/ModelReady" => Self::OipHealth,
            CLASSIFY_PATH => Self::Classify,
            _ if path.starts_with("/grpc.health.v1.Health/") => Self::Health,
            _ if path.starts_with("/grpc.reflection.v1") => Self::Reflection,
            _ => Self::parse_oip_path(path).unwrap_or(Self::Unknown),
        }
    }

    /// The paths of the Open Inference Protocol in plain HTTP: `/v2`, and below it.
    fn parse_oip_path(path: &str) -> Option<Self> {
        let mut segments = path.strip_prefix(OIP_PATH)?.split('/');
        let segments: [_; 7] = array::from_fn(|_| segments.next());
        // The first is what stands before the first slash.
        Some(match segments {
            [Some(""), None | Some(""), None, ..] => Self::OipMetadata,
            [Some(""), Some("health"), Some("live" | "ready"), None, ..] => Self::OipHealth,
            [Some(""), Some("models"), Some(_), action, None, ..]
            | [
                Some(""),
                Some("models"),
                Some(_),
                Some("versions"),
                Some(_),
                action,
                None,
            ] => match action {
                None | Some("config") => Self::OipMetadata,
                Some("ready") => Self::OipHealth,
                Some("infer") => Self::ModelInfer,
                Some(_) => return None,
            },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_the_open_inference_protocol_are_told_apart() {
        for (path, expected) in [
            ("/v2", Method::OipMetadata),
            ("/v2/", Method::OipMetadata),
            ("/v2/health/live", Method::OipHealth),
            ("/v2/health/ready", Method::OipHealth),
            ("/v2/models/a", Method::OipMetadata),
            ("/v2/models/a/config", Method::OipMetadata),
            ("/v2/models/a/ready", Method::OipHealth),
            ("/v2/models/a/infer", Method::ModelInfer),
            ("/v2/models/infer", Method::OipMetadata),
            ("/v2/models/a/versions/1", Method::OipMetadata),
            ("/v2/models/a/versions/1/ready", Method::OipHealth),
            ("/v2/models/a/versions/1/infer", Method::ModelInfer),
            ("/v2/models/a/versions/ready", Method::OipMetadata),
            ("/v2/health", Method::Unknown),
            ("/v2/health/ready/", Method::Unknown),
            ("/v2/health/ready/now", Method::Unknown),
            ("/v2/models", Method::Unknown),
            ("/v2/models/a/stats", Method::Unknown),
            ("/v2/models/a/infer/ready", Method::Unknown),
            ("/v2/models/a/versions/1/infer/ready", Method::Unknown),
            ("/v2health/ready", Method::Unknown),
            ("/v22", Method::Unknown),
        ] {
            assert_eq!(Method::parse_path(path), expected, "{path}");
        }
    }
}
