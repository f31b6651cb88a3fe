//! Lite1 and Lite2. Their weights are not in the repository: `cargo xtask weights lite1 lite2` makes them, and
//! `IMAGECLASSIFIER_WEIGHTS_DIR` names the folder where they lie; without it nothing is compared. Nor are the inputs that the
//! reference's answers are for: ours, from the same photographs, differ by a step of a channel value here and there.

use std::{env, path::Path};

use imageclassifier_model::{
    Backend, Compute, Explainer, Inference, Input, Network, ThreadTeam, Variant, Weights,
};

use crate::reference::{Golden, largest_difference, prepare, ranked, top5};

/// What computes the network must not matter.
const COMPUTE_TOLERANCE: f32 = 1e-4;
/// Tolerance for logits up to 10, because the inputs differ slightly: at most 0.028 was measured.
const LOGITS_TOLERANCE: f32 = 0.05;
/// And of maps whose values reach 43: at most 0.23.
const HEATMAP_TOLERANCE: f32 = 0.4;
/// Classes that the reference holds for as probable as this may change places; in one photograph two do.
const TIE: f32 = 0.01;

#[test]
fn lite1_answers_as_the_reference_whatever_computes_it() {
    compare(Variant::Lite1, "lite1", 8);
}

#[test]
fn lite2_answers_as_the_reference_whatever_computes_it() {
    compare(Variant::Lite2, "lite2", 9);
}

fn compare(variant: Variant, name: &str, map_side: usize) {
    let Some(folder) = env::var_os("IMAGECLASSIFIER_WEIGHTS_DIR") else {
        println!(
            "IMAGECLASSIFIER_WEIGHTS_DIR names no folder with {name}'s weights: nothing compared"
        );
        return;
    };
    let file = Path::new(&folder).join(format!("efficientnet_{name}.safetensors"));
    let weights = Weights::read(&file).unwrap();
    assert_eq!(weights.variant(), variant);
    let golden = Golden::open();
    let photographs = golden.photographs.iter();
    let inputs: Vec<_> = photographs.map(|path| prepare(path, variant)).collect();

    let plain = answers(&weights, Compute::Plain(Backend::Flex), &inputs);
    results_are_the_references(&golden, name, &plain);
    heatmaps_are_the_references(&golden, name, &weights, &plain, map_side);
    for compute in Compute::available() {
        // This backend takes as long for one image as the others for all.
        let slow = compute == Compute::Plain(Backend::Ndarray);
        let inputs = &inputs[..if slow { 1 } else { inputs.len() }];
        let found = answers(&weights, compute, inputs);
        for (photograph, (found, plain)) in golden.names().zip(found.iter().zip(&plain)) {
            let difference = largest_difference(found.logits.values(), plain.logits.values());
            println!(
                "{name}, {compute}; {photograph}: logits differ by {difference:.1e} from burn's"
            );
            assert!(
                difference <= COMPUTE_TOLERANCE,
                "{photograph}: {difference}"
            );
        }
    }
}

fn answers(weights: &Weights, compute: Compute, inputs: &[Input]) -> Vec<Inference> {
    let network = Network::load(weights, compute).unwrap();
    let mut runner = network.runner();
    let inputs = inputs.iter().cloned();
    inputs
        .map(|input| runner.infer(input, &mut ThreadTeam::solo(), true).unwrap())
        .collect()
}

/// Classes may change places only where the reference itself can hardly tell which is the more probable.
fn results_are_the_references(golden: &Golden, name: &str, answers: &[Inference]) {
    for (photograph, Inference { logits, .. }) in golden.names().zip(answers) {
        let expected = golden.tensor(&format!("{photograph}.{name}.logits"));
        let difference = largest_difference(logits.values(), &expected);
        let (found, top5) = (ranked(logits), top5(&expected));
        let same = found == top5;
        println!(
            "{name}; {photograph}: logits differ by {difference:.1e} from PyTorch's, same top 5: {same}"
        );
        assert!(difference <= LOGITS_TOLERANCE, "{photograph}: {difference}");
        for (found, reference) in found.into_iter().zip(top5) {
            let gap = (expected[found] - expected[reference]).abs();
            assert!(gap <= TIE, "{photograph}: {found} for {reference}");
        }
    }
}

fn heatmaps_are_the_references(
    golden: &Golden,
    name: &str,
    weights: &Weights,
    answers: &[Inference],
    side: usize,
) {
    let explainer = Explainer::new(weights);
    for (photograph, answer) in golden.names().zip(answers) {
        let features = answer.features.as_ref().unwrap();
        let logits = golden.tensor(&format!("{photograph}.{name}.logits"));
        let expected = golden.tensor(&format!("{photograph}.{name}.cam"));
        let mut values = Vec::new();
        for class in top5(&logits) {
            let map = explainer.heatmap(features, class);
            assert_eq!((map.height, map.width), (side, side));
            values.extend(map.values);
        }
        let difference = largest_difference(&values, &expected);
        println!("{name}; {photograph}: heatmaps differ by {difference:.1e} from PyTorch's");
        assert!(
            difference <= HEATMAP_TOLERANCE,
            "{photograph}: {difference}"
        );
    }
}
