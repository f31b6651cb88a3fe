//! `--check`: the same images through another program.

use std::{fs, path::Path};

use bytes::Bytes;
use imageclassifier_model::{
    DecodedImage, EncodedImage, ImportedNetwork, Input, Ranking, ThreadTeam,
};

use super::{network::Network, reference::Reference};
use crate::{
    args,
    local::network::{IMAGE_BYTES_MAX, PIXELS_MAX},
};

/// Differences over this share of the largest value are no rounding.
const TOLERANCE: f32 = 1e-3;

/// Whether all results agree.
pub(super) fn check(
    args: &args::Import,
    network: &Network,
    runnable: &ImportedNetwork,
) -> Result<bool, String> {
    let mut runner = runnable.runner();
    let (mut tensors, mut ours) = (Vec::new(), Vec::new());
    for file in &args.check {
        let input = prepare(file, runnable)?;
        let (pixels, _) = input.values().as_chunks::<3>();
        for channel in 0..3 {
            tensors.extend(pixels.iter().flat_map(|pixel| pixel[channel].to_le_bytes()));
        }
        let inference = runner.infer(&input, &mut ThreadTeam::solo(), false);
        let logits = inference
            .map_err(|error| format!("{}: {error}", file.display()))?
            .logits;
        let mut values = logits.values().to_vec();
        if network.had_softmax {
            for class in Ranking::of(&logits, values.len()).classes() {
                values[class.index] = class.probability;
            }
        }
        ours.push(values);
    }
    let reference = Reference::of(&network.file, network.classes);
    let file = args.output.join(network.file.name());
    let theirs = reference.run(&file, network.input_size, &tensors)?;
    let mut agrees = theirs.len() == ours.len();
    for ((file, ours), theirs) in args.check.iter().zip(&ours).zip(&theirs) {
        if ours.len() != theirs.len() {
            return Err(format!("{}'s output has another length", reference.name));
        }
        let largest = theirs
            .iter()
            .fold(0.0_f32, |largest, x| largest.max(x.abs()));
        let difference = ours
            .iter()
            .zip(theirs)
            .fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()));
        let share = difference / largest.max(f32::MIN_POSITIVE);
        let same = share <= TOLERANCE;
        agrees &= same;
        let verdict = if same { "agrees" } else { "DIFFERS" };
        println!(
            "{}: {verdict} with {}, largest difference {share:.1e} of the largest value",
            file.display(),
            reference.name
        );
    }
    Ok(agrees)
}

fn prepare(file: &Path, network: &ImportedNetwork) -> Result<Input, String> {
    let error = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let bytes = Bytes::from(fs::read(file).map_err(|it| error(&it))?);
    let image = EncodedImage::new(&bytes, IMAGE_BYTES_MAX).map_err(|it| error(&it))?;
    let preprocessing = network.preprocessing();
    let decoded =
        DecodedImage::decode(&image, PIXELS_MAX, preprocessing.view()).map_err(|it| error(&it))?;
    Ok(Input::prepare_for(&decoded, preprocessing))
}
