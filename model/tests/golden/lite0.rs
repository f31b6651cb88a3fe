//! The network whose weights are in the program.

use imageclassifier_model::{
    Compute, Explainer, Input, Logits, Network, ThreadTeam, Variant, Weights,
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

    let from_reference_inputs = forward(
        golden
            .names()
            .map(|name| golden.lite0_input(name))
            .collect(),
    );
    let photographs = golden.photographs.iter();
    let from_files = forward(
        photographs
            .map(|path| prepare(path, Variant::Lite0))
            .collect(),
    );
    for ((name, reference_input), file) in
        golden.names().zip(&from_reference_inputs).zip(&from_files)
    {
        let expected = golden.tensor(&format!("{name}.lite0.logits"));
        let difference = largest_difference(reference_input.values(), &expected);
        println!("{compute}; {name}: logits differ by at most {difference:.1e}");
        assert!(difference <= LOGITS_TOLERANCE, "{name}: {difference}");
        assert_eq!(ranked(reference_input), top5(&expected), "{name}");
        assert_eq!(ranked(file), top5(&expected), "{name}, from the file");
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
        for name in golden.names() {
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
