//! What inputs and outputs have in common: how tensors are written, and their parameters.

use imageclassifier_proto::inference as proto;
use proto::{DataType, InferParameter};

use crate::request::error::RequestError;

/// How the elements of tensors are encoded, in a request and in its response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As raw bytes outside the tensors.
    Raw,
    /// As numbers or strings within them.
    Typed,
}

/// The name in the protocol, which differs from the one in Triton's configuration.
pub(crate) fn datatype_name(datatype: DataType) -> &'static str {
    match datatype {
        DataType::TypeFp32 => "FP32",
        DataType::TypeString => "BYTES",
        other => unreachable!("no tensor of the model is {other:?}"),
    }
}

/// Rejects tensors in shared memory. Triton supports it for clients on the same machine; this server does not.
pub(crate) fn no_shared_memory<'a>(
    field: &'static str,
    mut parameters: impl Iterator<Item = &'a String>,
) -> Result<(), RequestError> {
    if parameters.any(|name| name.starts_with("shared_memory_")) {
        let problem = "there is no shared memory here: send tensors in the message".to_owned();
        return Err(RequestError::tensor(field, problem));
    }
    Ok(())
}

/// The parameter's value, if it is a whole number.
pub(crate) fn whole_number(parameter: &InferParameter) -> Option<i64> {
    use proto::infer_parameter::ParameterChoice::{Int64Param, Uint64Param};
    match parameter.parameter_choice.as_ref()? {
        Int64Param(number) => Some(*number),
        Uint64Param(number) => i64::try_from(*number).ok(),
        _ => None,
    }
}
