//! The operators of ONNX, each as operations of the graph.

mod attributes;
mod constants;
mod elementwise;
mod layers;
mod shapes;

use crate::OnnxError;
use crate::context::Context;

/// Adds the operations of one operator.
pub(crate) fn import(context: &mut Context<'_, '_, '_>) -> Result<(), OnnxError> {
    let node = context.node;
    if !matches!(node.domain, "" | "ai.onnx") {
        return Err(unsupported(context));
    }
    check_attributes(context)?;
    let is_known = layers::import(context)?
        || elementwise::import(context)?
        || shapes::import(context)?
        || constants::import(context)?;
    if is_known {
        Ok(())
    } else {
        Err(unsupported(context))
    }
}

fn check_attributes(context: &Context<'_, '_, '_>) -> Result<(), OnnxError> {
    let node = context.node;
    let known = attributes::known(node.op_type).ok_or_else(|| unsupported(context))?;
    let mut names = node.attributes.iter().map(|attribute| attribute.name);
    // Names that begin with two underscores are notes of programs to themselves.
    match names.find(|name| !known.contains(name) && !name.starts_with("__")) {
        Some(name) => {
            let name: String = name.chars().take(100).collect();
            let operator = node.op_type;
            Err(context.error(format!(
                "the attribute {name:?} of {operator} is not supported"
            )))
        }
        None => Ok(()),
    }
}

fn unsupported(context: &Context<'_, '_, '_>) -> OnnxError {
    let node = context.node;
    let separator = if node.domain.is_empty() { "" } else { "." };
    let name: String = [node.domain, separator, node.op_type]
        .concat()
        .chars()
        .take(100)
        .collect();
    context.error(format!("the operator {name} is not supported"))
}
