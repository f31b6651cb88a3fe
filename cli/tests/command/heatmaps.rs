use std::{
    fs,
    path::{Path, PathBuf},
};

use image::Rgb;
use serde_json::Value;

use crate::server::{classify, photograph, run, server, text};

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn draws_each_prediction_over_the_image() {
    let url = server(&[]);
    let (asked, local) = (folder("heatmaps"), folder("local heatmaps"));
    let [coffee, rocket] = ["coffee.png", "rocket.jpg"].map(photograph);
    let out = asked.display().to_string();
    let arguments = [
        "--json",
        "--top-k",
        "2",
        "--explain",
        &*out,
        &coffee,
        &rocket,
        &coffee,
    ];
    let output = classify(&url, &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));

    let drawn = names(&asked);
    assert_eq!(drawn.len(), 6);
    assert_eq!(drawn[0], "coffee.1-espresso.png");
    assert!(drawn[1].starts_with("coffee.2-"));
    assert_eq!(drawn[2], "coffee~2.1-espresso.png");
    assert_eq!(drawn[4], "rocket.1-missile.png");
    let first: Value = serde_json::from_str(text(&output.stdout).lines().next().unwrap()).unwrap();
    let path = asked.join(&drawn[0]).display().to_string();
    assert_eq!(first["heatmap_files"][0], path.as_str());

    let original = image::open(&coffee).unwrap().into_rgb8();
    let drawing = image::open(&path).unwrap().into_rgb8();
    assert_eq!(drawing.dimensions(), original.dimensions());
    // The cup fills the middle; what lies outside the square is dark.
    assert_ne!(drawing.get_pixel(300, 200), original.get_pixel(300, 200));
    let dark = original
        .get_pixel(5, 200)
        .0
        .map(|value| (f32::from(value) * 0.4).round() as u8);
    assert_eq!(*drawing.get_pixel(5, 200), Rgb(dark));

    let out = local.display().to_string();
    let output = run(&[
        "classify",
        "--local",
        "--top-k",
        "2",
        "--explain",
        &out,
        &coffee,
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(names(&local), drawn[..2]);
    for file in names(&local) {
        let [asked, local] =
            [&asked, &local].map(|folder| image::open(folder.join(&file)).unwrap());
        let pixels = asked.as_bytes().iter().zip(local.as_bytes());
        assert!(
            pixels.map(|(a, b)| a.abs_diff(*b)).max().unwrap() <= 1,
            "{file}"
        );
    }
}

#[test]
fn draws_over_every_format() {
    let out = folder("heatmaps of formats");
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds/formats");
    let files = [
        "same-turned.tif",
        "few-interlaced.gif",
        "same-bmp.ico",
        "same-png.ico",
        "same-rgba.qoi",
        "same-text.ppm",
        "same-runs.tga",
        "same-headerless.dib",
        "same-bitfields.bmp",
        "same-exif-with-prefix.webp",
        "same-interlaced.png",
        "top-20-cut.tif",
    ];
    let files = files.map(|file| seeds.join(file).display().to_string());
    let mut files: Vec<_> = files.iter().map(String::as_str).collect();
    let rocket = photograph("rocket.jpg");
    files.push(&rocket);
    let path = out.display().to_string();
    let options = ["classify", "--local", "--top-k", "1", "--explain", &path];
    let output = run(&[&options[..], &files].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(names(&out).len(), files.len(), "{}", text(&output.stderr));
}

#[test]
fn reports_a_folder_that_cannot_be_created_before_the_first_image() {
    let url = server(&[]);
    let coffee = photograph("coffee.png");
    let output = classify(&url, &["--explain", &format!("{coffee}/x"), &coffee]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("cannot create the folder"));
}
