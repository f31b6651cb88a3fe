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
        let share = largest_difference(ours, theirs);
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

/// The largest difference, as a share of the largest value of `theirs`; NaN if a value is not finite.
fn largest_difference(ours: &[f32], theirs: &[f32]) -> f32 {
    // `f32::max` ignores NaN.
    if !ours.iter().chain(theirs).all(|x| x.is_finite()) {
        return f32::NAN;
    }
    let largest = theirs
        .iter()
        .fold(f32::MIN_POSITIVE, |largest, x| largest.max(x.abs()));
    let pairs = ours.iter().zip(theirs);
    let difference = pairs.fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()));
    difference / largest
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_agree_if_they_are_finite_and_close() {
        for (theirs, agree) in [
            ([2.0, -1000.0], true),
            ([2.5, -1000.0], true),
            ([4.0, -1000.0], false),
            ([2.0, f32::NAN], false),
            ([f32::NAN, f32::NAN], false),
            ([2.0, f32::NEG_INFINITY], false),
        ] {
            let share = largest_difference(&[2.0, -1000.0], &theirs);
            assert_eq!(share <= TOLERANCE, agree, "{theirs:?}");
        }
        let share = largest_difference(&[f32::NAN, -1000.0], &[2.0, -1000.0]);
        assert!(share.is_nan(), "{share}");
    }
}
