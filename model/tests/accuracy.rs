//! Accuracy on labelled photographs, against PyTorch's answers to the same ones. The photographs are not part of the
//! repository: `IMAGECLASSIFIER_EVAL_DIR` names a folder with `images/` and `expected.csv` (file, label, lite0, …; the
//! model columns hold `index:probability` of PyTorch's top 5). Without it, and without `../shared/eval` beside the
//! repository, there is nothing to measure. Lite1 and Lite2 are measured where `IMAGECLASSIFIER_WEIGHTS_DIR` names a folder
//! with their weights (`cargo xtask weights lite1 lite2`).

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{env, fs, path::PathBuf, thread};

use imageclassifier_model::{
    Backend, Compute, DecodedImage, EncodedImage, Input, Isa, Network, Precision, Ranking,
    ThreadTeam, Weights,
};

/// Of a hundred photographs.
struct Bounds {
    top1_points_lost_max: f64,
    same_top1_min: f64,
}

const F32: Bounds = Bounds {
    top1_points_lost_max: 0.5,
    same_top1_min: 0.99,
};
const BF16: Bounds = Bounds {
    top1_points_lost_max: 1.0,
    same_top1_min: 0.97,
};

struct Photograph {
    path: PathBuf,
    label: usize,
    reference_top1: usize,
}

/// With the answers of the reference in the column `model`.
fn photographs(model: &str) -> Option<Vec<Photograph>> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/eval");
    let folder = env::var_os("IMAGECLASSIFIER_EVAL_DIR").map_or(beside, PathBuf::from);
    let table = fs::read_to_string(folder.join("expected.csv")).ok()?;
    let mut lines = table
        .lines()
        .map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next()?;
    let reference = header.iter().position(|&name| name == model).unwrap();
    let photographs = lines.map(|fields| {
        let top5 = fields[reference];
        Photograph {
            path: folder.join("images").join(fields[0]),
            label: fields[1].parse().unwrap(),
            reference_top1: top5.split(':').next().unwrap().parse().unwrap(),
        }
    });
    Some(photographs.collect())
}

fn prepare(photograph: &Photograph, input_size: u32) -> Input {
    let bytes = fs::read(&photograph.path).unwrap();
    let encoded = EncodedImage::new(bytes, 10 << 20).unwrap();
    let decoded = DecodedImage::decode(&encoded, 25_000_000, input_size).unwrap();
    Input::prepare(&decoded)
}

fn top1_on(weights: &Weights, compute: Compute, photographs: &[Photograph], bounds: &Bounds) {
    let network = Network::load(weights, compute).unwrap();
    let input_size = weights.variant().input_size();
    let mut runner = network.runner();
    let mut right = 0;
    let mut reference_right = 0;
    let mut same = 0;
    for eight in photographs.chunks(8) {
        let inputs: Vec<Input> = thread::scope(|scope| {
            let prepared: Vec<_> = eight
                .iter()
                .map(|p| scope.spawn(|| prepare(p, input_size)))
                .collect();
            prepared.into_iter().map(|p| p.join().unwrap()).collect()
        });
        for (photograph, input) in eight.iter().zip(inputs) {
            let logits = runner.run(input, &mut ThreadTeam::solo()).unwrap();
            let top1 = Ranking::of(&logits, 1).classes()[0].index;
            right += usize::from(top1 == photograph.label);
            reference_right += usize::from(photograph.reference_top1 == photograph.label);
            same += usize::from(top1 == photograph.reference_top1);
        }
    }
    let share = |count: usize| f64::from(u32::try_from(count).unwrap()) / photographs.len() as f64;
    println!(
        "{}, {compute}: {} photographs, top-1 {:.3} (PyTorch {:.3}), same top-1 as PyTorch {:.3}",
        weights.variant().name(),
        photographs.len(),
        share(right),
        share(reference_right),
        share(same)
    );
    assert!(share(right) >= share(reference_right) - bounds.top1_points_lost_max / 100.0);
    assert!(share(same) >= bounds.same_top1_min);
}

/// Each way of computing has its own test, so that they run at the same time.
fn top1_is_the_references(compute: Compute, bounds: &Bounds) {
    top1_is_the_references_on_every(1, compute, bounds);
}

/// On every `step`-th photograph.
fn top1_is_the_references_on_every(step: usize, compute: Compute, bounds: &Bounds) {
    match photographs("lite0") {
        Some(photographs) => {
            let some: Vec<_> = photographs.into_iter().step_by(step).collect();
            top1_on(&Weights::lite0(), compute, &some, bounds);
        }
        None => println!("no labelled photographs here: nothing measured"),
    }
}

#[test]
fn top1_is_the_references_on_every_kernel() {
    for compute in Compute::available() {
        if let Compute::Fused(kernel) = compute {
            // Without vectors it takes as long as all others together.
            let step = if kernel == Isa::Scalar { 10 } else { 1 };
            top1_is_the_references_on_every(step, compute, &F32);
        }
    }
}

#[test]
fn top1_is_nearly_the_references_in_bf16() {
    for kernel in Isa::ALL {
        if kernel.precision() == Precision::Bf16 && kernel.is_available() {
            top1_is_the_references(Compute::Fused(kernel), &BF16);
        }
    }
}

#[test]
fn top1_is_the_references_on_flex() {
    // It takes a quarter of a second for each. `golden` compares the logits.
    top1_is_the_references_on_every(4, Compute::Plain(Backend::Flex), &F32);
}

#[test]
fn top1_is_the_references_on_ndarray() {
    // It takes a second for each.
    top1_is_the_references_on_every(20, Compute::Plain(Backend::Ndarray), &F32);
}

#[test]
fn top1_of_lite1_is_the_references() {
    top1_of_a_sibling("lite1");
}

#[test]
fn top1_of_lite2_is_the_references() {
    top1_of_a_sibling("lite2");
}

/// With the kernel that would be chosen, and in bf16. That the others give the same is another test's.
fn top1_of_a_sibling(name: &str) {
    let Some(folder) = env::var_os("IMAGECLASSIFIER_WEIGHTS_DIR").map(PathBuf::from) else {
        println!(
            "IMAGECLASSIFIER_WEIGHTS_DIR names no folder with {name}'s weights: nothing measured"
        );
        return;
    };
    let Some(photographs) = photographs(name) else {
        println!("no labelled photographs here: nothing measured");
        return;
    };
    let file = folder.join(format!("efficientnet_{name}.safetensors"));
    let weights = Weights::read(&file).unwrap();
    top1_on(&weights, Compute::fastest(), &photographs, &F32);
    if Isa::Avx512Bf16.is_available() {
        let compute = Compute::Fused(Isa::Avx512Bf16);
        top1_on(&weights, compute, &photographs, &BF16);
    }
}
