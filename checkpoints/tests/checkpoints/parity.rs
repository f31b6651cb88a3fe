//! Every architecture under each naming, against PyTorch's logits.

use imageclassifier_checkpoints::{Architecture, Naming};
use imageclassifier_kernels::{Isa, Program, ThreadTeam};

use crate::fixture;
use crate::formula::{CLASSES, Formula, uniform};

const SIDE: usize = 72;

/// A line of `logits.txt`.
struct Case {
    architecture: Architecture,
    naming: Naming,
    tensors: usize,
    elements: usize,
    logits: Vec<f32>,
}

fn cases() -> Vec<Case> {
    let text = String::from_utf8(fixture("logits.txt")).unwrap();
    let cases = text.lines().map(|line| {
        let mut fields = line.split(' ');
        let architecture = Architecture::named(fields.next().unwrap());
        let naming = match fields.next().unwrap() {
            "timm" => Naming::Timm,
            "torchvision" => Naming::Torchvision,
            "transformers" => Naming::Transformers,
            other => panic!("{other}"),
        };
        let mut number = || fields.next().unwrap().parse().unwrap();
        Case {
            architecture: architecture.unwrap_or_else(|| panic!("{line}")),
            naming,
            tensors: number(),
            elements: number(),
            logits: fields.map(|logit| logit.parse().unwrap()).collect(),
        }
    });
    cases.collect()
}

fn image() -> Vec<f32> {
    let pixels = uniform("image", 3 * SIDE * SIDE);
    pixels.map(|u| u * 4.0 - 2.0).collect()
}

#[test]
fn every_architecture_has_a_case_for_each_naming() {
    let cases = cases();
    for architecture in Architecture::all() {
        for naming in architecture.namings() {
            let mut cases = cases.iter();
            let has_case =
                cases.any(|case| case.architecture == architecture && case.naming == *naming);
            assert!(has_case, "{architecture:?} {naming:?}");
        }
    }
}

#[test]
fn logits_agree_with_pytorch() {
    let image = image();
    for case in cases() {
        let mut weights = Formula::new(case.naming);
        let graph = case.architecture.graph(&mut weights, SIDE).unwrap();
        let name = format!("{:?} {:?}", case.architecture, case.naming);
        assert_eq!(graph.output_shape(), [1, CLASSES], "{name}");
        assert_eq!(weights.taken.len(), case.tensors, "{name}");
        assert_eq!(weights.elements(), case.elements, "{name}");

        let program = Program::new(Isa::detect(), graph).unwrap();
        let mut buffers = program.buffers();
        let logits = program.run(&mut ThreadTeam::solo(), &mut buffers, &image);
        let largest = (case.logits.iter()).fold(0.0_f32, |largest, x| largest.max(x.abs()));
        for (found, expected) in logits.iter().zip(&case.logits) {
            assert!(
                (found - expected).abs() <= 1e-4 * largest,
                "{name}: {logits:?} instead of {:?}",
                case.logits
            );
        }
    }
}

#[test]
fn networks_of_inverted_residuals_run_in_fused_blocks() {
    for (name, blocks) in [
        ("tf_efficientnet_lite0", 16),
        ("efficientnet_b0", 16),
        ("mobilenetv2_100", 17),
        ("mobilenetv3_large_100", 15),
        ("resnet18", 0),
    ] {
        let architecture = Architecture::named(name).unwrap();
        let graph = architecture.graph(&mut Formula::new(Naming::Timm), SIDE);
        let program = Program::new(Isa::detect(), graph.unwrap()).unwrap();
        assert_eq!(program.fused_blocks(), blocks, "{name}");
        assert!(program.kernel_share() > 0.999, "{name}");
        // MobileNetV3 has a layer between pooling and classifier.
        assert_eq!(program.is_explainable(), !name.contains("v3"), "{name}");
    }
}
