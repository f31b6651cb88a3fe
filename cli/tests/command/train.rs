use std::{fs, path::Path, process::Command};

use crate::{
    own_classes::{MISLABELLED, add_class, cups_and_cats, json, path, succeeded, train},
    server::{photograph, run, text},
};

/// Every file of a model folder.
const FILES: [&str; 5] = [
    "LICENSE",
    "config.json",
    "model.safetensors",
    "report.html",
    "report.json",
];

#[test]
fn classifies_with_the_classes_of_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("pets.1");
    let output = train(&cups_and_cats(folder.path(), 6), &model, &[]);
    succeeded(&output);
    assert!(text(&output.stderr).contains("12 images of 2 classes"));
    assert!(text(&output.stdout).contains("each image left out once"));
    let mut files: Vec<_> = fs::read_dir(&model)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, FILES);

    let [cat, cup] = ["chelsea.png", "coffee.png"].map(photograph);
    let arguments = [
        "classify",
        "--local",
        "--csv",
        "--model",
        path(&model),
        &cat,
        &cup,
    ];
    let classified = run(&arguments);
    succeeded(&classified);
    let rows = text(&classified.stdout);
    let rows: Vec<Vec<_>> = rows.lines().map(|row| row.split(',').collect()).collect();
    assert_eq!((rows[1][1], rows[2][1]), ("cat", "cup"));
    assert_eq!(rows[1][4], "pets.1");
}

/// The first processor that this process may use.
fn allowed_processor() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let mut lines = status.lines();
    let list = lines.find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let first = list.unwrap().trim().split([',', '-']).next();
    first.unwrap().to_owned()
}

#[test]
fn the_same_photographs_give_the_same_bytes_on_one_processor_and_on_all() {
    let trained = &*MISLABELLED;
    let folder = tempfile::tempdir().unwrap();
    let again = folder.path().join("cups-and-cats");
    // Without a cache the features are computed again too.
    let arguments = [
        "train",
        path(&trained.photographs),
        "-o",
        path(&again),
        "--cache",
        "",
    ];
    let output = Command::new("taskset")
        .args(["-c", &allowed_processor()])
        .arg(env!("CARGO_BIN_EXE_imageclassifier"))
        .args(arguments)
        .output()
        .unwrap();
    succeeded(&output);
    for file in FILES {
        let read = |model: &Path| fs::read(model.join(file)).unwrap();
        assert!(read(&again) == read(&trained.model), "{file} differs");
    }
}

#[test]
fn names_unreadable_files_and_exits_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let photographs = cups_and_cats(folder.path(), 4);
    fs::write(photographs.join("cat/damaged.jpg"), "a thousand words").unwrap();
    let model = folder.path().join("pets");
    let output = train(&photographs, &model, &[]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("cat/damaged.jpg: "), "{said}");
    assert_eq!(
        json(&model.join("report.json"))["training"]["unreadable"],
        1
    );
    assert_eq!(json(&model.join("config.json"))["training"]["images"], 8);
}

#[test]
fn says_what_is_wrong_with_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let case = |name: &str| {
        let case = folder.join(name);
        fs::create_dir_all(&case).unwrap();
        case
    };
    let empty = case("empty");
    let no_images = case("no images");
    fs::create_dir_all(no_images.join("cat")).unwrap();
    let one_class = case("one class");
    add_class(&one_class, "cat", "chelsea.png", 3);
    let one_photograph = case("one photograph");
    add_class(&one_photograph, "cat", "chelsea.png", 3);
    add_class(&one_photograph, "cup", "coffee.png", 1);
    let same = case("same photograph");
    add_class(&same, "cat", "chelsea.png", 3);
    add_class(&same, "cup", "coffee.png", 3);
    fs::copy(same.join("cat/01.jpg"), same.join("cup/also.jpg")).unwrap();
    for (photographs, why) in [
        (empty, vec!["has no subfolders: make one for each class"]),
        (no_images, vec!["contains no images"]),
        (
            one_class,
            vec!["there are 1 classes: at least 2 are needed"],
        ),
        (one_photograph, vec!["class \"cup\" has 1 usable images"]),
        (
            same,
            vec![
                "1 images are in several classes",
                "cat/01.jpg",
                "cup/also.jpg",
            ],
        ),
        (folder.join("missing"), vec!["cannot read the folder"]),
    ] {
        let model = folder.join("model");
        let output = train(&photographs, &model, &[]);
        assert_eq!(output.status.code(), Some(2), "{}", photographs.display());
        let said = text(&output.stderr);
        assert!(why.iter().all(|why| said.contains(why)), "{said}");
        assert!(!model.exists(), "{}", photographs.display());
    }
}

#[test]
fn measures_on_the_validation_folder() {
    let folder = tempfile::tempdir().unwrap();
    let photographs = cups_and_cats(folder.path(), 6);
    let validation = folder.path().join("validation");
    add_class(&validation, "cat", "chelsea.png", 12);
    // Not a cup.
    add_class(&validation, "cup", "rocket.jpg", 1);
    let model = folder.path().join("pets");
    let output = train(&photographs, &model, &["--validation", path(&validation)]);
    succeeded(&output);
    let report = json(&model.join("report.json"));
    assert_eq!(report["evaluation"]["images"], 13);
    assert_eq!(report["training"]["images"], 12);
    assert_eq!(report["training"]["evaluated_on"], "validation folder");
    let files = report["photographs"].as_array().unwrap();
    assert!(files.iter().any(|it| it["file"] == "cat/11.jpg"));

    fs::rename(validation.join("cup"), validation.join("mug")).unwrap();
    let output = train(&photographs, &model, &["--validation", path(&validation)]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(
        said.contains("\"mug\", but the model's classes are cat, cup"),
        "{said}"
    );
}

#[test]
fn learns_several_labels_of_a_photograph_from_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let photographs = cups_and_cats(folder.path(), 5);
    let mut table = String::from("file,label\n");
    for index in 0..5 {
        table += &format!("cat/0{index}.jpg,animal,fur\ncup/0{index}.jpg,thing\n");
    }
    // Nothing of the three.
    fs::copy(photograph("rocket.jpg"), photographs.join("rocket.jpg")).unwrap();
    table += "rocket.jpg\n";
    let csv = photographs.join("labels.csv");
    fs::write(&csv, table).unwrap();
    let model = folder.path().join("many");
    let arguments = ["--csv", path(&csv), "-o", path(&model), "--cache", ""];
    let output = run(&[&["train"], &arguments[..]].concat());
    succeeded(&output);
    let config = json(&model.join("config.json"));
    assert_eq!(config["activation"], "sigmoid");
    assert_eq!(
        config["labels"],
        serde_json::json!(["animal", "fur", "thing"])
    );
    let report = json(&model.join("report.json"));
    assert_eq!(report["evaluation"]["images"], 11);
    assert!(report["evaluation"]["confusion"].is_null());
    let page = fs::read_to_string(model.join("report.html")).unwrap();
    assert!(page.contains("id=\"classes\""));
    assert!(!page.contains("id=\"confusion\"") && !page.contains("id=\"labels\""));
}
