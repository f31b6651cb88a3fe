//! The network whose weights are in the program.

use imageclassifier_model::{
    Backend, Compute, Explainer, Input, Logits, Network, ThreadTeam, Variant, Weights,
};

use crate::reference::{Golden, largest_difference, prepare, ranked, top5};

/// One of the 256 steps of a channel value: the reference resizes with Pillow, we with fast_image_resize.
const INPUT_TOLERANCE: f32 = 1.0 / 128.0;
const LOGITS_TOLERANCE: f32 = 1e-3;
/// Values of the maps reach some 30.
const HEATMAP_TOLERANCE: f32 = 1e-3;

#[test]
fn inputs_are_the_references() {
    let golden = Golden::open();
    for (path, name) in golden.photographs.iter().zip(golden.names()) {
        let difference = largest_difference(
            prepare(path, Variant::Lite0).values(),
            golden.lite0_input(name).values(),
        );
        println!(
            "{name}: input differs by at most {:.0}/128",
            difference * 128.0
        );
        assert!(difference <= INPUT_TOLERANCE, "{name}: {difference}");
    }
}

#[test]
fn results_are_the_references_on_every_kernel_and_backend() {
    for compute in Compute::available() {
        results_are_the_references(compute);
    }
}

fn results_are_the_references(compute: Compute) {
    let golden = Golden::open();
    let network = Network::load(&Weights::lite0(), compute).unwrap();
    let mut runner = network.runner();
    let mut forward = |inputs: Vec<Input>| -> Vec<Logits> {
        let inputs = inputs.into_iter();
        inputs
            .map(|input| runner.run(input, &mut ThreadTeam::solo()).unwrap())
            .collect()
    };

    let names = || golden.names();
    let from_reference_inputs = forward(names().map(|name| golden.lite0_input(name)).collect());
    for (name, logits) in names().zip(&from_reference_inputs) {
        let expected = golden.tensor(&format!("{name}.lite0.logits"));
        let difference = largest_difference(logits.values(), &expected);
        println!("{compute}; {name}: logits differ by at most {difference:.1e}");
        assert!(difference <= LOGITS_TOLERANCE, "{name}: {difference}");
        assert_eq!(ranked(logits), top5(&expected), "{name}");
    }
    // The files' inputs are almost the references': this backend, which takes a second for each, adds nothing.
    if compute == Compute::Plain(Backend::Ndarray) {
        return;
    }
    let photographs = golden.photographs.iter();
    let inputs = photographs.map(|path| prepare(path, Variant::Lite0));
    for (name, logits) in names().zip(forward(inputs.collect())) {
        let expected = golden.tensor(&format!("{name}.lite0.logits"));
        assert_eq!(ranked(&logits), top5(&expected), "{name}, from the file");
    }
}

#[test]
fn heatmaps_are_the_references_whatever_computes_them() {
    let golden = Golden::open();
    let weights = Weights::lite0();
    let explainer = Explainer::new(&weights);
    for compute in Compute::available() {
        let network = Network::load(&weights, compute).unwrap();
        let mut runner = network.runner();
        // This backend takes a second for each.
        let slow = compute == Compute::Plain(Backend::Ndarray);
        for name in golden.names().take(if slow { 2 } else { usize::MAX }) {
            let inference = runner
                .infer(golden.lite0_input(name), &mut ThreadTeam::solo(), true)
                .unwrap();
            let features = inference.features.unwrap();
            let expected = golden.tensor(&format!("{name}.lite0.cam"));
            let maps = ranked(&inference.logits)
                .into_iter()
                .map(|class| explainer.heatmap(&features, class));
            let mut values = Vec::new();
            for map in maps {
                assert_eq!((map.height, map.width), (7, 7));
                values.extend(map.values);
            }
            let difference = largest_difference(&values, &expected);
            println!("{compute}; {name}: heatmaps differ by at most {difference:.1e}");
            assert!(
                difference <= HEATMAP_TOLERANCE,
                "{compute}, {name}: {difference}"
            );
        }
    }
}
