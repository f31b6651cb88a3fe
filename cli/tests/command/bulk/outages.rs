//! What bulk classification does while the storage or the server is away.

use std::fs;

use super::{files, folder, photo, rows, said};
use crate::{
    failures::fragile,
    object_storage::Bucket,
    server::{classify, server},
};

#[test]
fn an_outage_of_the_storage_makes_no_rows() {
    let url = server(&[]);
    let bucket = Bucket::start();
    for number in 0..50 {
        bucket.put(&format!("images/{number:02}.png"), photo());
    }
    let arguments = [
        "classify",
        "--server",
        &url,
        "--output",
        "s3://album/results/",
        "s3://album/images/",
    ];
    // One image is denied, which is a row; then access is lost.
    bucket.fail("GET images/03.png", 403, 1);
    bucket.fail("GET images/2", 403, 1000);
    bucket.fail("GET images/3", 403, 1000);
    let stopped = bucket.command(&arguments).output().unwrap();
    assert_eq!(stopped.status.code(), Some(2));
    let told = said(&stopped);
    assert!(
        told.contains("20 images in a row could not be classified"),
        "{told}"
    );
    assert!(told.contains("20 images are finished"), "{told}");
    let found = rows(bucket.objects("results/"));
    let failed: Vec<_> = found
        .iter()
        .filter(|row| row.get("error").is_some())
        .collect();
    assert_eq!((found.len(), failed.len()), (20, 1));
    assert_eq!(failed[0]["file"], "s3://album/images/03.png");
}

#[test]
fn failures_at_the_end_are_tried_again() {
    let url = server(&[]);
    let bucket = Bucket::start();
    for number in 0..5 {
        bucket.put(&format!("images/{number}.png"), photo());
    }
    let run = |results: &str| {
        let output = format!("s3://album/{results}/");
        let mut command = bucket.command(&["classify", "--server", &url, "--output", &output]);
        command.arg("s3://album/images/").output().unwrap()
    };
    let errors = |results: &str| {
        let rows = rows(bucket.objects(results));
        let failed = rows.iter().filter(|row| row.get("error").is_some());
        (rows.len(), failed.count())
    };

    bucket.fail("GET images/4", 403, 1);
    let stopped = run("temporary");
    assert_eq!(stopped.status.code(), Some(2), "{}", said(&stopped));
    assert!(said(&stopped).contains("4 images are finished. Run the same command again"));
    let finished = run("temporary");
    assert_eq!(finished.status.code(), Some(0), "{}", said(&finished));
    assert_eq!(errors("temporary/"), (5, 0));

    bucket.fail("GET images/3", 403, 3);
    bucket.fail("GET images/4", 403, 3);
    let stopped = run("lasting");
    assert_eq!(stopped.status.code(), Some(2), "{}", said(&stopped));
    let told = said(&stopped);
    assert!(told.contains("the last 2 images could not be"), "{told}");
    // The finished images cannot be read either.
    bucket.fail("GET images/", 403, 2);
    let outage = run("lasting");
    assert_eq!(outage.status.code(), Some(2), "{}", said(&outage));
    assert_eq!(errors("lasting/"), (3, 0));
    let finished = run("lasting");
    assert_eq!(finished.status.code(), Some(1), "{}", said(&finished));
    assert_eq!(errors("lasting/"), (5, 2));
    let again = run("lasting");
    assert_eq!(again.status.code(), Some(0), "{}", said(&again));
    assert_eq!(errors("lasting/"), (5, 2));
}

#[test]
fn continues_when_the_server_is_back() {
    // With --retries 0, a busy machine would reject images that wait too long in the queue.
    let url = server(&["--queue-wait-max", "60"]);
    let images = folder("bulk-images-of-two-runs");
    for number in 0..80 {
        fs::write(images.join(format!("{number:02}.png")), photo()).unwrap();
    }
    let results = folder("bulk-results-of-two-runs");
    let (images, output) = (images.display().to_string(), results.display().to_string());
    let arguments = [
        "--rows-per-object",
        "25",
        "--retries",
        "0",
        "--output",
        &output,
        &images,
    ];
    let fragile = fragile(&url, photo().len() as u64 * 40, 1);
    let stopped = classify(&fragile, &arguments);
    assert_eq!(stopped.status.code(), Some(2));
    assert!(
        said(&stopped).contains("cannot reach"),
        "{}",
        said(&stopped)
    );
    let before = files(&results);
    assert!(
        rows(before.clone())
            .iter()
            .all(|row| row["label"] == "espresso")
    );

    let finished = classify(&url, &arguments);
    assert_eq!(finished.status.code(), Some(0), "{}", said(&finished));
    let after = files(&results);
    assert!(
        before
            .iter()
            .all(|(name, bytes)| after.get(name) == Some(bytes))
    );
    let names: Vec<_> = rows(after)
        .iter()
        .map(|row| row["file"].as_str().unwrap().to_owned())
        .collect();
    let expected = (0..80).map(|number| format!("{images}/{number:02}.png"));
    assert_eq!(names, expected.collect::<Vec<_>>());
}
