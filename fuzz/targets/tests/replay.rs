//! Runs every target with its seeds and with thousands of mutated seeds, the same ones each time. `MUTATIONS=100000 cargo test
//! --test replay` runs more mutations; `cargo xtask fuzz` searches with libFuzzer.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    env, fs, panic,
    path::{Path, PathBuf},
    sync::{
        Mutex, Once, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use imageclassifier_fuzz::{
    checkpoint, form, grpc_web, headers, image, infer, jpeg, model_folder, onnx,
};

const MUTATIONS_DEFAULT: usize = 4000;

/// Runs one target at a time, so that a panic can be attributed to it.
static EXCLUSIVE: Mutex<()> = Mutex::new(());
/// Panics of all threads. The service catches its own, so the target alone would not notice them.
static PANICS: AtomicUsize = AtomicUsize::new(0);

#[test]
fn replays_jpeg_seeds() {
    replay(
        "jpeg",
        jpeg::run,
        &["jpeg/tests/golden", "jpeg/tests/golden/scans"],
    );
}

#[test]
fn replays_image_seeds() {
    let folders = [
        "fuzz/seeds/image",
        "fuzz/seeds/formats",
        "jpeg/tests/golden/scans",
    ];
    replay("image", image::run, &folders);
}

#[test]
fn replays_grpc_web_seeds() {
    replay("grpc_web", grpc_web::run, &["fuzz/seeds/grpc_web"]);
}

#[test]
fn replays_form_seeds() {
    replay("form", form::run, &["fuzz/seeds/form"]);
}

#[test]
fn replays_infer_seeds() {
    replay("infer", infer::run, &["fuzz/seeds/infer"]);
}

#[test]
fn replays_header_seeds() {
    replay("headers", headers::run, &["fuzz/seeds/headers"]);
}

#[test]
fn replays_model_folder_seeds() {
    replay(
        "model_folder",
        model_folder::run,
        &["fuzz/seeds/model_folder"],
    );
}

#[test]
fn replays_onnx_seeds() {
    let files = ["onnx/tests/fixtures", "onnx/tests/rejected"];
    replay("onnx", onnx::run, &files);
}

#[test]
fn replays_checkpoint_seeds() {
    replay(
        "checkpoint",
        checkpoint::run,
        &["checkpoints/tests/fixtures"],
    );
}

fn replay(target: &str, run: fn(&[u8]), folders: &[&str]) {
    let _exclusive = EXCLUSIVE.lock().unwrap_or_else(PoisonError::into_inner);
    count_panics();
    let number = env::var("MUTATIONS").map(|number| number.parse().unwrap());
    let mutations = number.unwrap_or(MUTATIONS_DEFAULT);
    let seeds = seeds(folders);
    for seed in &seeds {
        run_and_report(target, run, seed);
    }
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for round in 0..mutations {
        let mut data = seeds[round % seeds.len()].clone();
        for _ in 0..=random.below(4) {
            mutate(&mut data, &mut random);
        }
        run_and_report(target, run, &data);
    }
}

/// Runs the target. If it panics, writes the bytes to a file and fails.
fn run_and_report(target: &str, run: fn(&[u8]), data: &[u8]) {
    let outcome = panic::catch_unwind(|| run(data));
    if outcome.is_err() || PANICS.load(Ordering::SeqCst) > 0 {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{target}.panic"));
        fs::write(&file, data).unwrap();
        panic!("{target} panicked with the bytes in {}", file.display());
    }
}

fn count_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |panicked| {
            PANICS.fetch_add(1, Ordering::SeqCst);
            print(panicked);
        }));
    });
    PANICS.store(0, Ordering::SeqCst);
}

/// The contents of the files in `folders`, in a fixed order.
fn seeds(folders: &[&str]) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let entries = folders
        .iter()
        .flat_map(|folder| fs::read_dir(root.join(folder)).unwrap());
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.is_file());
    files.sort();
    assert!(!files.is_empty());
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// A xorshift generator with a fixed seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 11) % limit as u64).unwrap()
    }

    /// A random byte; in a third of all cases one with a special meaning in a format or protocol.
    fn byte(&mut self) -> u8 {
        const SPECIAL: [u8; 10] = [0, 1, 0x0A, 0x20, 0x3B, 0x7F, 0x80, 0xD0, 0xFE, 0xFF];
        match self.below(3) {
            0 => SPECIAL[self.below(SPECIAL.len())],
            _ => u8::try_from(self.below(256)).unwrap(),
        }
    }
}

fn mutate(data: &mut Vec<u8>, random: &mut Random) {
    const HEADER_BYTES: usize = 700;
    if data.is_empty() {
        return data.push(random.byte());
    }
    // Half of the mutations affect the first bytes, although headers are a small part of an image.
    let end = [data.len(), data.len().min(HEADER_BYTES)][random.below(2)];
    let at = random.below(end);
    match random.below(7) {
        0 => data.truncate(at),
        1 => drop(data.remove(at)),
        2 => data.insert(at, random.byte()),
        3 => data[at] ^= 1 << random.below(8),
        4 => {
            let end = data.len().min(at + 1 + random.below(16));
            let copied = data[at..end].to_vec();
            let to = random.below(data.len());
            data.splice(to..to, copied);
        }
        _ => data[at] = random.byte(),
    }
}
