//! Every seed, and thousands of damaged ones, the same each time. `MUTATIONS=100000 cargo test -p imageclassifier-fuzz`
//! tries more of them; `cargo xtask fuzz` looks for them cleverly.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    env, fs, panic,
    path::{Path, PathBuf},
    sync::{
        Mutex, Once, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use imageclassifier_fuzz::{grpc_web, headers, jpeg, picture};

const MUTATIONS_DEFAULT: usize = 4000;

/// One target at a time, so that a panic is known to be its.
static ALONE: Mutex<()> = Mutex::new(());
/// Of all threads: the service answers in spite of them.
static PANICS: AtomicUsize = AtomicUsize::new(0);

#[test]
fn jpegs() {
    replay(
        "jpeg",
        jpeg::run,
        &["jpeg/tests/golden", "jpeg/tests/golden/scans"],
    );
}

#[test]
fn pictures() {
    let folders = ["fuzz/seeds/picture", "jpeg/tests/golden/scans"];
    replay("picture", picture::run, &folders);
}

#[test]
fn calls_over_grpc_web() {
    replay("grpc_web", grpc_web::run, &["fuzz/seeds/grpc_web"]);
}

#[test]
fn heads_of_calls() {
    replay("headers", headers::run, &["fuzz/seeds/headers"]);
}

fn replay(target: &str, run: fn(&[u8]), folders: &[&str]) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    count_panics();
    let number = env::var("MUTATIONS").map(|number| number.parse().unwrap());
    let mutations = number.unwrap_or(MUTATIONS_DEFAULT);
    let seeds = seeds(folders);
    for seed in &seeds {
        survive(target, run, seed);
    }
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for round in 0..mutations {
        let mut data = seeds[round % seeds.len()].clone();
        for _ in 0..=random.below(4) {
            mutate(&mut data, &mut random);
        }
        survive(target, run, &data);
    }
}

/// Runs, and keeps the bytes of a run that panics for a closer look.
fn survive(target: &str, run: fn(&[u8]), data: &[u8]) {
    let outcome = panic::catch_unwind(|| run(data));
    if outcome.is_err() || PANICS.load(Ordering::SeqCst) > 0 {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{target}.panic"));
        fs::write(&file, data).unwrap();
        panic!("{target} panicked on the bytes in {}", file.display());
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

/// The files in `folders`, in an order that is always the same.
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

/// Numbers that look random.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 11) % limit as u64).unwrap()
    }

    /// Often one that means something.
    fn byte(&mut self) -> u8 {
        const MEANT: [u8; 10] = [0, 1, 0x0A, 0x20, 0x3B, 0x7F, 0x80, 0xD0, 0xFE, 0xFF];
        match self.below(3) {
            0 => MEANT[self.below(MEANT.len())],
            _ => u8::try_from(self.below(256)).unwrap(),
        }
    }
}

fn mutate(data: &mut Vec<u8>, random: &mut Random) {
    const HEAD_BYTES: usize = 700;
    if data.is_empty() {
        return data.push(random.byte());
    }
    // The head, which is the smaller part of a picture, is hit as often as the rest.
    let reach = [data.len(), data.len().min(HEAD_BYTES)][random.below(2)];
    let at = random.below(reach);
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
