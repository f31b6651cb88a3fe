use prometheus_client::encoding::EncodeLabelSet;

/// A part of a request's time.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stage {
    Upload,
    Queue,
    Decode,
    Inference,
    Total,
}

/// Why a job was abandoned.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Abandoned {
    /// Its deadline passed.
    Expired,
    /// The client left.
    Cancelled,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RequestLabels {
    pub(super) method: &'static str,
    pub(super) protocol: &'static str,
    pub(super) code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ReasonLabels {
    pub(super) reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct AbandonedLabels {
    pub(super) why: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ModelLabels {
    pub(super) state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct LoadLabels {
    pub(super) result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct StageLabels {
    pub(super) stage: &'static str,
}

/// A model folder that works, and one that does not.
pub(super) const LOAD_RESULTS: [&str; 2] = ["ok", "failed"];

impl Stage {
    pub(super) const ALL: [Self; 5] = [
        Self::Upload,
        Self::Queue,
        Self::Decode,
        Self::Inference,
        Self::Total,
    ];

    pub(super) fn labels(self) -> StageLabels {
        let stage = match self {
            Self::Upload => "upload",
            Self::Queue => "queue",
            Self::Decode => "decode",
            Self::Inference => "inference",
            Self::Total => "total",
        };
        StageLabels { stage }
    }
}

impl Abandoned {
    pub(super) fn labels(self) -> AbandonedLabels {
        let why = match self {
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        };
        AbandonedLabels { why }
    }
}
