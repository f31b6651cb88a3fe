//! `embed`, the cache of features, and `evaluate`.

use std::{fs, path::Path};

use serde_json::Value;

use crate::{
    own_classes::{MISLABELLED, add_class, cups_and_cats, path, shared_cache, succeeded},
    server::{command, file, photograph, photographs, run, text},
};

const CHANNELS: usize = 1280;

fn embed(options: &[&str], files: &[&str]) -> Vec<u8> {
    let output = run(&[&["embed"], options, files].concat());
    succeeded(&output);
    output.stdout
}

fn rows(json_lines: &[u8]) -> Vec<(String, Vec<f64>)> {
    let row = |line| {
        let row: Value = serde_json::from_str(line).unwrap();
        let values = row["embedding"].as_array().unwrap();
        let values = values.iter().map(|value| value.as_f64().unwrap()).collect();
        (row["file"].as_str().unwrap().to_owned(), values)
    };
    text(json_lines).lines().map(row).collect()
}

#[test]
fn writes_a_matrix_for_numpy_with_the_numbers_of_the_json_lines() {
    let photographs = photographs().display().to_string();
    let cache = shared_cache();
    let json = rows(&embed(&["--jsonl", "--cache", &cache], &[&photographs]));
    assert_eq!(json.len(), 10);
    assert!(json.iter().all(|(_, values)| values.len() == CHANNELS));
    assert_eq!(json, rows(&embed(&["--cache", ""], &[&photographs])));

    let npy = embed(&["--npy", "--cache", &cache], &[&photographs]);
    assert_eq!(npy[..8], *b"\x93NUMPY\x01\x00");
    let header_bytes = usize::from(u16::from_le_bytes([npy[8], npy[9]]));
    let (header, values) = npy[10..].split_at(header_bytes);
    assert_eq!((10 + header_bytes) % 64, 0);
    assert_eq!(header.last(), Some(&b'\n'));
    let header = text(header);
    assert!(
        header.contains("'descr': '<f4', 'fortran_order': False, 'shape': (10, 1280)"),
        "{header}"
    );
    assert_eq!(values.len(), 10 * CHANNELS * size_of::<f32>());
    let values = values
        .as_chunks()
        .0
        .iter()
        .map(|&bytes| f32::from_le_bytes(bytes));
    let expected = json.iter().flat_map(|(_, values)| values);
    for (value, expected) in values.zip(expected) {
        assert!((f64::from(value) - expected).abs() < 1e-6);
    }
}

#[test]
fn an_explicit_base_overrides_the_variable() {
    let folder = tempfile::tempdir().unwrap();
    let photographs = cups_and_cats(folder.path(), 2);
    let (photographs, model) = (path(&photographs), folder.path().join("pets"));
    let model = path(&model);
    let commands: [&[&str]; 3] = [
        &["train", photographs, "-o", model],
        &["evaluate", model, photographs],
        &["embed", photographs],
    ];
    for arguments in commands {
        let run = |options: &[&str]| {
            let mut command =
                command(&[arguments, &["--cache", &shared_cache()], options].concat());
            let output = command.env("IMAGECLASSIFIER_WEIGHTS", "no such file");
            output.output().unwrap()
        };
        let failed = run(&[]);
        assert_eq!(failed.status.code(), Some(2), "{arguments:?}");
        let said = text(&failed.stderr);
        assert!(said.contains("no such file"), "{said}");
        succeeded(&run(&["--base", "lite0"]));
    }
}

#[test]
fn names_files_that_cannot_be_embedded() {
    let words = file("no image to embed.jpg", "a thousand words");
    let coffee = photograph("coffee.png");
    let output = run(&["embed", "--cache", "", &coffee, &words, "missing.jpg"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(rows(&output.stdout).len(), 1);
    let said = text(&output.stderr);
    assert!(
        said.contains(&words) && said.contains("missing.jpg"),
        "{said}"
    );
    let nothing = run(&["embed", "--cache", "", &words]);
    assert_eq!(nothing.status.code(), Some(2));
}

fn cached(cache: &Path) -> Vec<std::path::PathBuf> {
    let revisions = fs::read_dir(cache).unwrap();
    let folders = revisions.map(|folder| folder.unwrap().path());
    let files = folders.flat_map(|folder| fs::read_dir(folder).unwrap());
    files.map(|file| file.unwrap().path()).collect()
}

#[test]
fn reads_features_from_the_cache_unless_they_are_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let [cat, cup] = ["chelsea.png", "coffee.png"].map(photograph);
    let embed = |file: &str| {
        rows(&embed(&["--cache", path(&cache)], &[file]))
            .remove(0)
            .1
    };
    let of_cat = embed(&cat);
    let [cached_cat] = &cached(&cache)[..] else {
        panic!("one file is cached");
    };
    let of_cup = embed(&cup);
    assert_ne!(of_cat, of_cup);
    let files = cached(&cache);
    assert_eq!(files.len(), 2);
    let cached_cup = files.iter().find(|&file| file != cached_cat).unwrap();
    fs::copy(cached_cat, cached_cup).unwrap();
    assert_eq!(embed(&cup), of_cat);
    fs::write(cached_cup, "half a file").unwrap();
    assert_eq!(embed(&cup), of_cup);
}

#[test]
fn training_on_more_photographs_embeds_only_those() {
    let folder = tempfile::tempdir().unwrap();
    let photographs = cups_and_cats(folder.path(), 3);
    let (cache, model) = (folder.path().join("cache"), folder.path().join("pets"));
    let train = || {
        let arguments = [
            path(&photographs),
            "-o",
            path(&model),
            "--cache",
            path(&cache),
        ];
        succeeded(&run(&[&["train"], &arguments[..]].concat()));
        let modified =
            |file: std::path::PathBuf| (fs::metadata(&file).unwrap().modified().unwrap(), file);
        let mut files: Vec<_> = cached(&cache).into_iter().map(modified).collect();
        files.sort();
        files
    };
    let before = train();
    assert_eq!(before.len(), 6);
    add_class(&photographs, "cat", "chelsea.png", 5);
    let after = train();
    assert_eq!(after.len(), 8);
    assert_eq!(after[..6], before);
}

#[test]
fn evaluates_a_model_on_other_photographs() {
    let folder = tempfile::tempdir().unwrap();
    let photographs = folder.path();
    add_class(photographs, "cat", "chelsea.png", 5);
    add_class(photographs, "cup", "coffee.png", 3);
    let model = path(&MISLABELLED.model);
    let cache = shared_cache();
    let evaluate = |options: &[&str]| {
        let arguments = ["evaluate", model, path(photographs), "--cache", &cache];
        run(&[&arguments[..], options].concat())
    };
    let output = evaluate(&["--json"]);
    succeeded(&output);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["labels"], serde_json::json!(["cat", "cup"]));
    let evaluation = &json["evaluation"];
    assert_eq!(evaluation["images"], 8);
    assert_eq!(evaluation["confusion"], serde_json::json!([[5, 0], [0, 3]]));
    assert_eq!(evaluation["accuracy"]["value"], 1.0);
    let low = evaluation["accuracy"]["low"].as_f64().unwrap();
    assert!((low - 0.676).abs() < 1e-3, "{low}");

    let table = text(&evaluate(&[]).stdout);
    assert!(
        table.contains("accuracy           100.0 % (95 % confidence: 67.6 % to 100.0 %)"),
        "{table}"
    );

    fs::write(photographs.join("cat/damaged.jpg"), "words").unwrap();
    let output = evaluate(&[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("damaged.jpg"));
    fs::create_dir(photographs.join("dog")).unwrap();
    let output = evaluate(&[]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(
        said.contains("\"dog\", but the model's classes are cat, cup"),
        "{said}"
    );
}

#[test]
fn rejects_a_folder_that_is_no_model() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(&["evaluate", path(folder.path()), path(folder.path())]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("cannot read config.json"), "{said}");
}
