//! `imageclassifier import`: a model folder from a classifier that was trained elsewhere.

mod architecture;
mod check;
mod labels;
mod network;
mod preprocessing;
mod reference;
mod source;

use std::path::Path;

use imageclassifier_model::{Activation, Compute, ImportedModel, ImportedNetwork, Isa};
use serde_json::json;

use crate::{args, model_name::model_name, outcome::Outcome, output_folder::check_output};
use network::Network;
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
    let (source, contents) = Source::read(args)?;
    // Its `config.json` would be replaced.
    let source_file = source.file.canonicalize().ok();
    let source_folder = source_file.as_deref().and_then(Path::parent);
    check_output(&args.output, source_folder, "the source")?;
    let network = Network::read(args, &source, contents)?;
    let labels = labels::labels(args, &source, &network)?;
    let preprocessing = preprocessing::preprocessing(args, &source, &network)?;
    let activation = if args.multi_label {
        Activation::Sigmoid
    } else {
        Activation::Softmax
    };
    let origin = json!({
        "file": source.file.file_name().map(|name| name.to_string_lossy()),
        "producer": network.producer,
        "had_softmax": network.had_softmax,
    });
    let imported = ImportedModel::new(
        &name,
        network.file.clone(),
        labels,
        activation,
        preprocessing,
        origin,
    );
    let imported = imported.map_err(|error| error.to_string())?;
    let compute = Compute::Fused(Isa::detect());
    let runnable = ImportedNetwork::load(&imported, compute).map_err(|error| error.to_string())?;
    imported
        .write(&args.output)
        .map_err(|error| error.to_string())?;
    println!(
        "{} classes, {1} x {1} pixels, {2:.1} % of the arithmetic in kernels",
        network.classes,
        network.input_size,
        runnable.kernel_share() * 100.0
    );
    println!("wrote {}", args.output.display());
    if args.check.is_empty() {
        return Ok(true);
    }
    check::check(args, &network, &runnable)
}
