use crate::failure::Failure;

/// How far the visitor's correction of an answer is: the image with its correct class, kept by a server that accepts it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum CorrectionState {
    /// None was sent.
    #[default]
    None,
    Sending,
    /// The server has kept it under this class.
    Kept(String),
    Failed(Failure),
}
