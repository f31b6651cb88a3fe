//! Classifies one image file, alone in its process, and prints one line: `index probability width height milliseconds
//! kibibytes`, or `rejected` and the reason. For `cargo xtask cases`, which measures time and memory of each file so.
//!
//! The milliseconds are those of decoding and preparing. The kibibytes are the process's peak, the network included.

#![allow(clippy::unwrap_used, reason = "a developer's tool may panic")]

use std::{env, fs, time::Instant};

use imageclassifier_model::{
    Compute, DecodedImage, EncodedImage, Input, InvalidImage, Network, Ranking, ThreadTeam, Weights,
};

/// The server's limits.
const IMAGE_BYTES_MAX: u64 = 10 << 20;
const PIXELS_MAX: u64 = 25_000_000;

fn main() {
    let file = env::args().nth(1).expect("the file is given");
    let bytes = fs::read(file).unwrap();
    let weights = Weights::lite0();
    let input_size = weights.variant().input_size();
    let mut runner = Network::load(&weights, Compute::fastest())
        .unwrap()
        .runner();
    let begun_at = Instant::now();
    let (decoded, input) = match prepare(&bytes, input_size) {
        Ok(prepared) => prepared,
        Err(error) => {
            println!("rejected {error}");
            return;
        }
    };
    let milliseconds = begun_at.elapsed().as_millis();
    let logits = runner.run(input, &mut ThreadTeam::solo()).unwrap();
    let ranking = Ranking::of(&logits, 1);
    let best = &ranking.classes()[0];
    let crop = decoded.crop().expect("a built-in network crops");
    println!(
        "{} {:.3} {} {} {milliseconds} {}",
        best.index,
        best.probability,
        crop.image_width,
        crop.image_height,
        peak_kibibytes()
    );
}

fn prepare(bytes: &[u8], input_size: u32) -> Result<(DecodedImage, Input), InvalidImage> {
    let encoded = EncodedImage::new(bytes, IMAGE_BYTES_MAX)?;
    let decoded = DecodedImage::decode(&encoded, PIXELS_MAX, input_size)?;
    let input = Input::prepare(&decoded);
    Ok((decoded, input))
}

/// Of this process, as Linux counts it; 0 elsewhere.
fn peak_kibibytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.map_or(0, |number| number.parse().unwrap())
}
