//! Folders of photographs to train on, and training on them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
    sync::LazyLock,
};

use image::{DynamicImage, GenericImageView};
use serde_json::Value;
use tempfile::TempDir;

use crate::server::{photograph, run, text};

const SIDE: u32 = 240;

/// Different parts of one photograph stand for photographs of one class.
pub(crate) fn add_class(folder: &Path, class: &str, photograph_name: &str, count: u32) {
    let source = image::open(photograph(photograph_name)).unwrap();
    let folder = folder.join(class);
    fs::create_dir_all(&folder).unwrap();
    for index in 0..count {
        part(&source, index)
            .to_rgb8()
            .save(folder.join(format!("{index:02}.jpg")))
            .unwrap();
    }
}

/// Eight columns of parts that overlap.
fn part(source: &DynamicImage, index: u32) -> DynamicImage {
    const COLUMNS: u32 = 8;
    let (width, height) = source.dimensions();
    let left = (width - SIDE) * (index % COLUMNS) / COLUMNS;
    let top = (height - SIDE) * (index / COLUMNS % COLUMNS) / COLUMNS;
    source.crop_imm(left, top, SIDE, SIDE)
}

/// Cups and cats.
pub(crate) fn cups_and_cats(folder: &Path, count: u32) -> PathBuf {
    let photographs = folder.join("photographs");
    add_class(&photographs, "cup", "coffee.png", count);
    add_class(&photographs, "cat", "chelsea.png", count);
    photographs
}

/// Runs `train` on `photographs`, with a cache that all tests share.
pub(crate) fn train(photographs: &Path, model: &Path, options: &[&str]) -> Output {
    let arguments = [
        path(photographs),
        "-o",
        path(model),
        "--cache",
        &shared_cache(),
    ];
    run(&[&["train"], &arguments[..], options].concat())
}

pub(crate) fn shared_cache() -> String {
    format!("{}/features", env!("CARGO_TARGET_TMPDIR"))
}

/// Fails unless `output` is a success.
pub(crate) fn succeeded(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

pub(crate) fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

pub(crate) fn json(file: &Path) -> Value {
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

/// A model with everything that a report can have: enough photographs for a learning curve, and one with a wrong label.
pub(crate) struct Trained {
    _folder: TempDir,
    pub(crate) photographs: PathBuf,
    pub(crate) model: PathBuf,
}

pub(crate) static MISLABELLED: LazyLock<Trained> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let photographs = cups_and_cats(folder.path(), 32);
    let wrong = photographs.join("cup/looks like a cat.jpg");
    fs::rename(photographs.join("cat/09.jpg"), wrong).unwrap();
    let model = folder.path().join("cups-and-cats");
    succeeded(&train(&photographs, &model, &[]));
    Trained {
        photographs,
        model,
        _folder: folder,
    }
});
