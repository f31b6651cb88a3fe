mod outages;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use serde_json::Value;

use crate::{
    object_storage::Bucket,
    server::{classify, photograph, server, text},
};

pub(crate) fn photo() -> Vec<u8> {
    fs::read(photograph("coffee.png")).unwrap()
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Names and content of the files in a folder.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let read = entries.map(|entry| {
        let name = entry.file_name().into_string().unwrap();
        (name, fs::read(entry.path()).unwrap())
    });
    read.collect()
}

fn rows(parts: impl IntoIterator<Item = (String, Vec<u8>)>) -> Vec<Value> {
    let lines = parts.into_iter().map(|(_, bytes)| text(&bytes));
    let text = lines.collect::<String>();
    let rows = text.lines().map(|line| serde_json::from_str(line).unwrap());
    rows.collect()
}

fn said(output: &Output) -> String {
    text(&output.stderr)
}

#[test]
fn writes_rows_of_a_local_folder_and_repeats_nothing() {
    let url = server(&[]);
    let (images, results) = (folder("bulk-images"), folder("bulk-results"));
    for name in ["b.png", "a/1.png", "a/2.png", "c.png"] {
        fs::create_dir_all(images.join(name).parent().unwrap()).unwrap();
        fs::write(images.join(name), photo()).unwrap();
    }
    fs::write(images.join("broken.jpg"), "not an image").unwrap();
    let (images, output) = (images.display().to_string(), results.display().to_string());
    let arguments = ["--output", &output, "--rows-per-object", "2", &images];

    let first = classify(&url, &arguments);
    assert_eq!(first.status.code(), Some(1), "{}", said(&first));
    assert!(first.stdout.is_empty());
    assert!(said(&first).contains("5 images finished, 0 were finished before"));
    assert!(said(&first).contains("broken.jpg: "), "{}", said(&first));
    let written = files(&results);
    let expected = [
        "part-00000-of-00001-000000-00002.jsonl",
        "part-00000-of-00001-000001-00002.jsonl",
        "part-00000-of-00001-000002-00001.jsonl",
    ];
    assert_eq!(written.keys().collect::<Vec<_>>(), expected);
    let found = rows(written.clone());
    let names: Vec<_> = found
        .iter()
        .map(|row| row["file"].as_str().unwrap())
        .collect();
    let expected = ["a/1.png", "a/2.png", "b.png", "broken.jpg", "c.png"];
    assert_eq!(names, expected.map(|name| format!("{images}/{name}")));
    assert_eq!(found[0]["label"], "espresso");
    assert_eq!(found[3]["reason"], "IMAGE_FORMAT_UNKNOWN");

    let second = classify(&url, &arguments);
    assert_eq!(second.status.code(), Some(0), "{}", said(&second));
    assert!(said(&second).contains("0 images finished, 5 were finished before"));
    assert_eq!(files(&results), written);

    // Later in order: classified. Earlier: reported.
    fs::write(Path::new(&images).join("d.png"), photo()).unwrap();
    fs::write(Path::new(&images).join("a/0.png"), photo()).unwrap();
    let third = classify(&url, &arguments);
    assert_eq!(third.status.code(), Some(1));
    assert!(said(&third).contains("1 images finished, 5 were finished before"));
    assert!(said(&third).contains("1 images have been added with names before"));
    assert_eq!(rows(files(&results)).len(), 6);
}

#[test]
fn shards_of_a_bucket_have_each_image_once() {
    let url = server(&[]);
    let bucket = Bucket::start();
    for number in 0..9 {
        bucket.put(&format!("images/{number}.png"), photo());
    }
    bucket.put("images/notes.txt", b"no image".to_vec());
    bucket.put("images/.hidden/x.png", photo());
    bucket.put("others/y.png", photo());
    // A temporary fault, after which the storage works.
    bucket.fail("GET images/3.png", 503, 2);
    let arguments = [
        "classify",
        "--server",
        &url,
        "--top-k",
        "1",
        "--shards",
        "2",
        "--output",
        "s3://album/results",
        "s3://album/images/",
    ];
    for index in ["0", "1"] {
        let output = bucket
            .command(&arguments)
            .env("JOB_COMPLETION_INDEX", index)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    }
    assert_eq!(bucket.take_requests("GET images/"), 9 + 2);
    let parts = bucket.objects("results/");
    assert_eq!(parts.len(), 2);
    assert!(
        parts[1]
            .0
            .starts_with("results/part-00001-of-00002-000000-")
    );
    let mut names: Vec<_> = rows(parts.clone())
        .iter()
        .map(|row| row["file"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    let expected: Vec<_> = (0..9)
        .map(|number| format!("s3://album/images/{number}.png"))
        .collect();
    assert_eq!(names, expected);

    let mut again = bucket.command(&arguments);
    let again = again.env("JOB_COMPLETION_INDEX", "0").output().unwrap();
    assert_eq!(again.status.code(), Some(0), "{}", said(&again));
    assert_eq!(bucket.take_requests("GET images/"), 0);
    assert_eq!(bucket.objects("results/"), parts);

    let arguments = [&arguments[..5], &["--shard", "0/3"], &arguments[7..]].concat();
    let other = bucket.command(&arguments).output().unwrap();
    assert_eq!(other.status.code(), Some(2));
    assert!(
        said(&other).contains("another number of shards"),
        "{}",
        said(&other)
    );
}

#[test]
fn continues_after_the_last_object_of_results() {
    let url = server(&[]);
    for format in ["jsonl", "parquet"] {
        let bucket = Bucket::start();
        for number in 0..9 {
            bucket.put(&format!("images/{number}.png"), photo());
        }
        let arguments = [
            "classify",
            "--server",
            &url,
            "--rows-per-object",
            "3",
            "--format",
            format,
            "--output",
            "s3://album/results/",
            "s3://album/images/",
        ];
        // The second object is lost with the permission to write it.
        bucket.fail("PUT results/part-00000-of-00001-000001", 403, 1);
        let stopped = bucket.command(&arguments).output().unwrap();
        assert_eq!(stopped.status.code(), Some(2), "{}", said(&stopped));
        let told = said(&stopped);
        assert!(told.contains("Check the credentials"), "{told}");
        assert!(
            told.contains("3 images are finished. Run the same command again"),
            "{told}"
        );
        let before = bucket.objects("results/");
        assert_eq!(before.len(), 1);
        bucket.take_requests("GET images/");

        let output = bucket.command(&arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert!(said(&output).contains("6 images finished, 3 were finished before"));
        assert_eq!(bucket.take_requests("GET images/"), 6);
        let parts = bucket.objects("results/");
        assert_eq!(parts.len(), 3);
        assert_eq!(parts[0], before[0]);
        assert_eq!(
            bucket.take_requests("PUT results/part-00000-of-00001-000000"),
            1
        );

        // An object in the middle is gone: continuing would leave a hole.
        bucket.delete(&parts[1].0);
        let hole = bucket.command(&arguments).output().unwrap();
        assert_eq!(hole.status.code(), Some(2));
        assert!(
            said(&hole).contains("a part before it is missing"),
            "{}",
            said(&hole)
        );
    }
}

#[test]
fn names_a_key_that_is_not_supported() {
    let bucket = Bucket::start();
    bucket.put("images/a//b.png", photo());
    let arguments = ["classify", "--local", "--output", "s3://album/results/"];
    let mut command = bucket.command(&arguments);
    let output = command.arg("s3://album/images/").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    let told = said(&output);
    assert!(told.contains("images/a//b.png"), "{told}");
    assert!(told.contains("rename this object"), "{told}");
}

#[test]
fn exits_with_2_on_wrong_usage() {
    let bucket = Bucket::start();
    for (arguments, why) in [
        (vec!["--output", "results.parquet", "x.jpg"], "--format"),
        (
            vec!["--output", "https://host/results/", "x.jpg"],
            "cannot write to",
        ),
        (vec!["--output", "s3://", "x.jpg"], "names no bucket"),
        (vec!["--output", "gs:///", "x.jpg"], "names no bucket"),
        (
            vec!["--output", "az:///results/", "x.jpg"],
            "names no bucket",
        ),
        (
            vec!["--output", "results", "ftp://host/x.jpg"],
            "give s3://BUCKET/KEY",
        ),
        (vec!["--output", "results", "-"], "standard input"),
        (vec!["--output", "results", "--csv", "x.jpg"], "--csv"),
        (
            vec!["--output", "results", "--shard", "4/4", "x.jpg"],
            "0/4 to 3/4",
        ),
        (
            vec!["--output", "results", "--shards", "4", "x.jpg"],
            "JOB_COMPLETION_INDEX",
        ),
        (vec!["--shard", "0/4", "x.jpg"], "--output"),
    ] {
        let arguments = [&["classify", "--local"], &arguments[..]].concat();
        let output = bucket.command(&arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(
            said(&output).contains(why),
            "{arguments:?}: {}",
            said(&output)
        );
    }
    let mut command = bucket.command(&["classify", "--local", "--output", "results", "x.jpg"]);
    let output = command.env("JOB_COMPLETION_INDEX", "1").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("give --shards N"));
}
