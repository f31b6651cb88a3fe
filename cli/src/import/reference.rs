//! Other programs that compute the network: onnxruntime, or PyTorch with timm or torchvision.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use imageclassifier_model::NetworkFile;

/// A program in Python that reads tensors from standard input and writes the first output for each.
pub(super) struct Reference {
    pub(super) name: &'static str,
    /// What to install if something is missing.
    help: &'static str,
    script: &'static str,
    /// After the file and the side of the input.
    arguments: Vec<String>,
}

const ONNXRUNTIME: &str = r#"
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

const PYTORCH: &str = r#"
import sys
from importlib.util import find_spec
import numpy as np
import torch
from safetensors.torch import load_file
file, side, architecture, classes = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
weights = {name: tensor.float() for name, tensor in load_file(file).items() if name != "n_averaged"}
for _ in range(4):
    for wrapper in ["module.", "model.", "_orig_mod."]:
        if all(name.startswith(wrapper) for name in weights):
            weights = {name[len(wrapper):]: tensor for name, tensor in weights.items()}
            break
if "resnet.embedder.embedder.convolution.weight" in weights:
    from transformers import ResNetConfig, ResNetForImageClassification
    depths = [2, 2, 2, 2] if architecture == "resnet18" else [3, 4, 6, 3]
    bottleneck = architecture == "resnet50"
    config = ResNetConfig(
        depths=depths,
        hidden_sizes=[256, 512, 1024, 2048] if bottleneck else [64, 128, 256, 512],
        layer_type="bottleneck" if bottleneck else "basic",
        num_labels=classes,
    )
    model = ResNetForImageClassification(config)
elif "features.0.0.weight" in weights or architecture.startswith("resnet") and not find_spec("timm"):
    import torchvision
    model = getattr(torchvision.models, architecture)(num_classes=classes)
else:
    import timm
    model = timm.create_model(architecture, num_classes=classes)
missing, unexpected = model.load_state_dict(weights, strict=False)
missing = [name for name in missing if not name.endswith("num_batches_tracked")]
if missing or unexpected:
    sys.exit(f"the weights do not fit: {missing} {unexpected}")
model.eval()
values = np.frombuffer(sys.stdin.buffer.read(), np.float32).reshape(-1, 1, 3, side, side)
with torch.no_grad():
    for image in values:
        output = model(torch.from_numpy(image.copy()))
        print(*getattr(output, "logits", output).ravel().tolist())
"#;

impl Reference {
    /// The program that can compute the network of a file.
    pub(super) fn of(file: &NetworkFile, classes: usize) -> Self {
        match file {
            NetworkFile::Onnx(_) => Self {
                name: "onnxruntime",
                help: "--check needs python3 with onnxruntime: `python3 -m pip install onnxruntime`",
                script: ONNXRUNTIME,
                arguments: Vec::new(),
            },
            NetworkFile::Checkpoint { architecture, .. } => Self {
                name: "PyTorch",
                help: "--check needs python3 with PyTorch and the weights' library: `python3 -m pip install torch safetensors`, and timm, torchvision or transformers, whichever the weights come from",
                script: PYTORCH,
                arguments: vec![architecture.name().to_owned(), classes.to_string()],
            },
        }
    }

    /// The first output for each of `tensors`, `[3, side, side]` in f32.
    ///
    /// # Errors
    /// If the program is not installed or fails.
    pub(super) fn run(
        &self,
        model: &Path,
        side: u32,
        tensors: &[u8],
    ) -> Result<Vec<Vec<f32>>, String> {
        let mut python = Command::new("python3")
            .args(["-c", self.script])
            .arg(model)
            .arg(side.to_string())
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{} ({error})", self.help))?;
        let mut input = python.stdin.take().expect("it is piped");
        // It reads everything before it writes. If it ends early, its own message says why.
        let _ = input.write_all(tensors);
        drop(input);
        let output = python
            .wait_with_output()
            .map_err(|error| error.to_string())?;
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            return Err(self.failure(errors.lines().last().unwrap_or_default()));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let rows = text
            .lines()
            .map(|line| line.split(' ').map(str::parse).collect());
        rows.collect::<Result<_, _>>()
            .map_err(|error| format!("{}'s output cannot be read: {error}", self.name))
    }

    /// What to say about a program that failed with this last line.
    fn failure(&self, last: &str) -> String {
        let is_missing = ["ModuleNotFoundError", "ImportError"]
            .iter()
            .any(|error| last.starts_with(error));
        if is_missing {
            format!("{} ({last})", self.help)
        } else {
            format!("{} could not compute the network: {last}", self.name)
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn only_missing_modules_are_to_be_installed() {
        let reference = Reference::of(&NetworkFile::Onnx(Bytes::new()), 2);
        for (last, expected) in [
            (
                "ModuleNotFoundError: No module named 'onnxruntime'",
                "--check needs python3 with onnxruntime",
            ),
            (
                "ImportError: libgomp.so.1 is missing",
                "--check needs python3 with onnxruntime",
            ),
            (
                "the weights do not fit: ['fc.weight'] []",
                "onnxruntime could not compute the network: the weights do not fit",
            ),
        ] {
            let failure = reference.failure(last);
            assert!(failure.starts_with(expected), "{failure}");
        }
    }
}
