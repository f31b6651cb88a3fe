use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Stdio,
};

use crate::server::{classify, command, file, photograph, server, text};

/// The files in the order of the rows, and how the command exits.
fn files(url: &str, arguments: &[&str]) -> (Vec<String>, Option<i32>) {
    let output = classify(url, &[&["--csv"], arguments].concat());
    let mut reader = csv::Reader::from_reader(&output.stdout[..]);
    let files = reader.records().map(|row| row.unwrap()[0].to_owned());
    (files.collect(), output.status.code())
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn expands_folders_and_patterns_in_order() {
    let url = server(&[]);
    let folder = folder("album");
    for name in [
        "b.png",
        "a/2.PNG",
        "a/1.jpeg",
        "a/3.Tiff",
        "a/notes.txt",
        ".hidden/x.png",
        "c/.thumb.png",
    ] {
        fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
        fs::copy(photograph("coffee.png"), folder.join(name)).unwrap();
    }
    let path = |name: &str| folder.join(name).display().to_string();

    let (found, code) = files(&url, &[&folder.display().to_string()]);
    assert_eq!(
        found,
        ["a/1.jpeg", "a/2.PNG", "a/3.Tiff", "b.png"].map(path)
    );
    assert_eq!(code, Some(0));

    let pattern = path("**/*.png");
    let (found, code) = files(&url, &[&photograph("rocket.jpg"), &pattern, &path("a")]);
    assert_eq!(found[0], photograph("rocket.jpg"));
    let expected = [
        ".hidden/x.png",
        "b.png",
        "c/.thumb.png",
        "a/1.jpeg",
        "a/2.PNG",
        "a/3.Tiff",
    ]
    .map(path);
    assert_eq!(found[1..], expected);
    assert_eq!(code, Some(0));

    // A file of that name comes before what the pattern would match.
    let odd = file(
        "album/odd[1].png",
        fs::read(photograph("coffee.png")).unwrap(),
    );
    file("album/odd1.png", "");
    assert_eq!(files(&url, &[&odd]), (vec![odd.clone()], Some(0)));
}

#[test]
fn reports_arguments_without_images() {
    let url = server(&[]);
    let empty = folder("empty").display().to_string();
    let coffee = photograph("coffee.png");
    for (argument, complaint) in [
        (&*empty, "this folder contains no images"),
        ("nowhere/*.jpg", "no file matches this pattern"),
        ("odd[", "invalid pattern"),
    ] {
        let output = classify(&url, &["--csv", argument, &coffee]);
        assert_eq!(output.status.code(), Some(1));
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(stdout.lines().count(), 3, "{stdout}");
        assert!(stderr.contains(complaint), "{stderr}");
    }
}

#[test]
fn reads_an_image_from_standard_input() {
    let url = server(&[]);
    let coffee = fs::read(photograph("coffee.png")).unwrap();
    let mut child = command(&["classify", "--server", &url, "--csv", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&coffee).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("\n-,espresso,0.95"));
}

#[test]
fn keeps_the_order_of_many_images() {
    let url = server(&[]);
    let folder = folder("many");
    // Large ones and bad ones among small ones: answers come in another order.
    let photos = ["french-alpine-landscape.jpg", "camera.png", "coffee.png"];
    let expected: Vec<_> = (0..120)
        .map(|number| {
            let path = folder.join(format!("{number:03}.jpg"));
            match photos.get(number % 4) {
                Some(photo) => drop(fs::copy(photograph(photo), &path).unwrap()),
                None => fs::write(&path, "not an image").unwrap(),
            }
            path.display().to_string()
        })
        .collect();
    let output = classify(&url, &["--csv", &folder.display().to_string()]);
    assert_eq!(output.status.code(), Some(1));
    let mut reader = csv::Reader::from_reader(&output.stdout[..]);
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), expected.len());
    for (number, (row, file)) in rows.iter().zip(&expected).enumerate() {
        assert_eq!(&row[0], file);
        let label = ["alp", "tripod", "espresso", ""][number % 4];
        assert_eq!(&row[1], label, "{file}");
        assert_eq!(row[11].is_empty(), number % 4 != 3, "{file}");
    }
    assert!(text(&output.stderr).contains("30 of 120 images were not classified"));
}

#[test]
fn reads_no_more_of_a_file_than_the_server_accepts() {
    let url = server(&["--image-bytes-max", "1000"]);
    // Sparse: it would not fit into memory.
    let huge = file("huge.jpg", "");
    let open = fs::OpenOptions::new().write(true).open(&huge).unwrap();
    open.set_len(1 << 40).unwrap();
    let output = classify(&url, &["--csv", &huge, "/dev/zero"]);
    fs::remove_file(huge).unwrap();
    let rows = text(&output.stdout);
    assert_eq!(rows.matches("the limit of 1000 bytes").count(), 2, "{rows}");
    assert_eq!(rows.matches(",IMAGE_TOO_LARGE,,\n").count(), 2, "{rows}");
    assert_eq!(output.status.code(), Some(1));
}
