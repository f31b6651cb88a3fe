use std::{
    fs,
    path::{Path, PathBuf},
};

use imageclassifier_model::{DecodedImage, EncodedImage, Input, Logits, Ranking, Variant};
use safetensors::SafeTensors;

/// What the reference says of the photographs.
pub(crate) struct Golden {
    answers: Vec<u8>,
    pub(crate) photographs: Vec<PathBuf>,
}

impl Golden {
    pub(crate) fn open() -> Self {
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

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.photographs
            .iter()
            .map(|path| path.file_stem().unwrap().to_str().unwrap())
    }

    pub(crate) fn tensor(&self, name: &str) -> Vec<f32> {
        let answers = SafeTensors::deserialize(&self.answers).unwrap();
        let data = answers.tensor(name).unwrap().data();
        let values = data.chunks_exact(4);
        values
            .map(|v| f32::from_le_bytes(v.try_into().unwrap()))
            .collect()
    }

    /// The reference's input, `[channel, height, width]` there, `[height, width, channel]` here.
    pub(crate) fn lite0_input(&self, name: &str) -> Input {
        let planes = self.tensor(&format!("{name}.lite0.input"));
        let size = Variant::Lite0.input_size();
        let pixels = (size * size) as usize;
        let values = (0..pixels * 3).map(|i| planes[i % 3 * pixels + i / 3]);
        Input::from_values(size, values.collect()).unwrap()
    }
}

/// Our own way from the file to the network's input.
pub(crate) fn prepare(path: &Path, variant: Variant) -> Input {
    let encoded = EncodedImage::new(fs::read(path).unwrap(), u64::MAX).unwrap();
    let decoded = DecodedImage::decode(&encoded, 25_000_000, variant.input_size()).unwrap();
    Input::prepare(&decoded)
}

pub(crate) fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, f32::max)
}

/// The classes of the five largest logits.
pub(crate) fn top5(logits: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..logits.len()).collect();
    order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
    order.truncate(5);
    order
}

pub(crate) fn ranked(logits: &Logits) -> Vec<usize> {
    let ranking = Ranking::of(logits, 5);
    ranking.classes().iter().map(|class| class.index).collect()
}
