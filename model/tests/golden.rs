//! The answers of PyTorch's reference implementation on ten photographs (`golden/make_golden.py`), whatever computes the network.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{fs, path::PathBuf};

use imageclassifier_model::{
    Compute, EncodedImage, Explainer, Input, Logits, Network, Picture, Ranking, Team, Variant,
    Weights,
};
use safetensors::SafeTensors;

/// One of the 256 steps of a channel value: the reference resizes with Pillow, we with fast_image_resize.
const INPUT_TOLERANCE: f32 = 1.0 / 128.0;
const LOGITS_TOLERANCE: f32 = 1e-3;
/// Values of the maps reach some 30.
const HEATMAP_TOLERANCE: f32 = 1e-3;

struct Golden {
    answers: Vec<u8>,
    photographs: Vec<PathBuf>,
}

impl Golden {
    fn open() -> Self {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
        let mut photographs: Vec<_> = fs::read_dir(folder.join("photos"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        photographs.sort();
        assert_eq!(photographs.len(), 10);
        Self {
            answers: fs::read(folder.join("golden.safetensors")).unwrap(),
            photographs,
        }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.photographs
            .iter()
            .map(|path| path.file_stem().unwrap().to_str().unwrap())
    }

    fn tensor(&self, name: &str) -> Vec<f32> {
        let answers = SafeTensors::deserialize(&self.answers).unwrap();
        let data = answers.tensor(name).unwrap().data();
        let values = data.chunks_exact(4);
        values
            .map(|v| f32::from_le_bytes(v.try_into().unwrap()))
            .collect()
    }

    /// The reference's input, `[channel, height, width]` there, `[height, width, channel]` here.
    fn input(&self, name: &str) -> Input {
        let planes = self.tensor(&format!("{name}.lite0.input"));
        let size = Variant::Lite0.input_size();
        let pixels = (size * size) as usize;
        let values = (0..pixels * 3).map(|i| planes[i % 3 * pixels + i / 3]);
        Input::from_values(size, values.collect()).unwrap()
    }
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, f32::max)
}

fn top5(logits: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..logits.len()).collect();
    order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
    order.truncate(5);
    order
}

fn prepare(path: &PathBuf) -> Input {
    let encoded = EncodedImage::new(fs::read(path).unwrap(), u64::MAX).unwrap();
    let picture = Picture::decode(&encoded, 25_000_000, Variant::Lite0.input_size()).unwrap();
    Input::prepare(&picture)
}

#[test]
fn inputs_are_the_references() {
    let golden = Golden::open();
    for (path, name) in golden.photographs.iter().zip(golden.names()) {
        let difference = largest_difference(prepare(path).values(), golden.input(name).values());
        println!(
            "{name}: input differs by at most {:.0}/128",
            difference * 128.0
        );
        assert!(difference <= INPUT_TOLERANCE, "{name}: {difference}");
    }
}

#[test]
fn answers_are_the_references_whatever_computes_them() {
    for compute in Compute::available() {
        answers_are_the_references(compute);
    }
}

fn answers_are_the_references(compute: Compute) {
    let golden = Golden::open();
    let network = Network::load(&Weights::lite0(), compute).unwrap();
    let mut runner = network.runner(1);
    let mut forward = |inputs: Vec<Input>| -> Vec<Logits> {
        let inputs = inputs.into_iter();
        inputs
            .map(|input| runner.run(input, &mut Team::solo()).unwrap())
            .collect()
    };

    let from_reference_inputs = forward(golden.names().map(|name| golden.input(name)).collect());
    let from_files = forward(golden.photographs.iter().map(prepare).collect());
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
        let mut runner = network.runner(1);
        for name in golden.names() {
            let (logits, features) = runner
                .run_explained(golden.input(name), &mut Team::solo())
                .unwrap();
            let expected = golden.tensor(&format!("{name}.lite0.cam"));
            let maps = ranked(&logits)
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

fn ranked(logits: &Logits) -> Vec<usize> {
    let ranking = Ranking::of(logits, 5);
    ranking.classes().iter().map(|class| class.index).collect()
}
