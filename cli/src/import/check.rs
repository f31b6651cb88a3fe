//! `--check`: the same images through onnxruntime.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use bytes::Bytes;
use imageclassifier_model::{
    DecodedImage, EncodedImage, ImportedNetwork, Input, Ranking, ThreadTeam,
};

use crate::{
    args,
    local::network::{IMAGE_BYTES_MAX, PIXELS_MAX},
};

/// Reads tensors from standard input and writes the first output for each.
const SCRIPT: &str = r#"
import sys
import numpy as np
import onnxruntime
options = onnxruntime.SessionOptions()
options.log_severity_level = 3
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
[tensor] = session.get_inputs()
side = int(sys.argv[2])
values = np.frombuffer(sys.stdin.buffer.read(), np.float32).reshape(-1, 1, 3, side, side)
for image in values:
    if tensor.shape[3] == 3:
        image = np.ascontiguousarray(image.transpose(0, 2, 3, 1))
    print(*session.run(None, {tensor.name: image})[0].ravel().tolist())
"#;

/// Differences over this share of the largest value are no rounding.
const TOLERANCE: f32 = 1e-3;

/// Whether all results agree.
pub(super) fn check(
    args: &args::Import,
    network: &ImportedNetwork,
    had_softmax: bool,
) -> Result<bool, String> {
    let preprocessing = network.preprocessing();
    let mut runner = network.runner();
    let (mut tensors, mut ours) = (Vec::new(), Vec::new());
    for file in &args.check {
        let input = prepare(file, network)?;
        let (pixels, _) = input.values().as_chunks::<3>();
        for channel in 0..3 {
            tensors.extend(pixels.iter().flat_map(|pixel| pixel[channel].to_le_bytes()));
        }
        let inference = runner.infer(&input, &mut ThreadTeam::solo(), false);
        let logits = inference
            .map_err(|error| format!("{}: {error}", file.display()))?
            .logits;
        let mut values = logits.values().to_vec();
        if had_softmax {
            for class in Ranking::of(&logits, values.len()).classes() {
                values[class.index] = class.probability;
            }
        }
        ours.push(values);
    }
    let theirs = run_onnxruntime(
        &args.output.join("model.onnx"),
        preprocessing.input_size,
        &tensors,
    )?;
    let mut agrees = theirs.len() == ours.len();
    for ((file, ours), theirs) in args.check.iter().zip(&ours).zip(&theirs) {
        if ours.len() != theirs.len() {
            return Err("onnxruntime's output has another length".to_owned());
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
            "{}: {verdict} with onnxruntime, largest difference {share:.1e} of the largest value",
            file.display()
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

fn run_onnxruntime(model: &Path, side: u32, tensors: &[u8]) -> Result<Vec<Vec<f32>>, String> {
    const HELP: &str =
        "--check needs python3 with onnxruntime: `python3 -m pip install onnxruntime`";
    let mut python = Command::new("python3")
        .args(["-c", SCRIPT])
        .arg(model)
        .arg(side.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{HELP} ({error})"))?;
    let mut input = python.stdin.take().expect("it is piped");
    // It reads everything before it writes. If it ends early, its own message says why.
    let _ = input.write_all(tensors);
    drop(input);
    let output = python
        .wait_with_output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        let last = errors.lines().last().unwrap_or_default();
        return Err(format!("{HELP} ({last})"));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let rows = text
        .lines()
        .map(|line| line.split(' ').map(str::parse).collect());
    rows.collect::<Result<_, _>>()
        .map_err(|error| format!("onnxruntime's output cannot be read: {error}"))
}
