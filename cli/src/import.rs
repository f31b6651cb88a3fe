//! `imageclassifier import`: a model folder from a classifier that was trained elsewhere.

mod check;
mod labels;
mod preprocessing;
mod source;

use imageclassifier_model::{Activation, ImportedModel, ImportedNetwork, Isa};
use imageclassifier_onnx::Model;
use serde_json::json;

use crate::{args, outcome::Outcome, train::model_name};
use source::Source;

pub(crate) fn run(args: &args::Import) -> Outcome {
    match import(args) {
        Ok(agrees) => Outcome::complete_if(agrees),
        Err(why) => Outcome::failure(why),
    }
}

/// Whether `--check` found nothing.
fn import(args: &args::Import) -> Result<bool, String> {
    let name = model_name(&args.output)?;
    let source = Source::read(&args.source)?;
    let unusable =
        |error: imageclassifier_onnx::OnnxError| format!("{}: {error}", source.file.display());
    let model = Model::parse(&source.onnx).map_err(unusable)?;
    let size = args
        .input_size
        .or(source.input_size())
        .map(|size| size as usize);
    let network = model.network(size).map_err(unusable)?;
    let input_size = u32::try_from(network.graph.input_shape()[2]).unwrap_or(u32::MAX);
    if args.input_size.is_some_and(|wanted| wanted != input_size) {
        return Err(format!(
            "the network's input is {input_size} pixels wide: leave out --input-size"
        ));
    }
    let classes = network.graph.output_shape()[1];
    let labels = labels::labels(args, &source, &model, classes)?;
    let preprocessing = preprocessing::preprocessing(args, &source, &model, input_size)?;
    let had_softmax = network.had_softmax;
    let activation = if args.multi_label {
        Activation::Sigmoid
    } else {
        Activation::Softmax
    };
    let origin = json!({
        "file": source.file.file_name().map(|name| name.to_string_lossy()),
        "producer": model.producer(),
        "had_softmax": had_softmax,
    });
    drop(network);
    let imported = ImportedModel::new(
        &name,
        source.onnx.clone(),
        labels,
        activation,
        preprocessing,
        origin,
    );
    let imported = imported.map_err(|error| error.to_string())?;
    let network = ImportedNetwork::load(
        &imported,
        imageclassifier_model::Compute::Fused(Isa::detect()),
    );
    let network = network.map_err(|error| error.to_string())?;
    imported
        .write(&args.output)
        .map_err(|error| error.to_string())?;
    println!(
        "{classes} classes, {input_size} x {input_size} pixels, {:.1} % of the arithmetic in kernels",
        network.kernel_share() * 100.0
    );
    println!("wrote {}", args.output.display());
    if args.check.is_empty() {
        return Ok(true);
    }
    check::check(args, &network, had_softmax)
}
