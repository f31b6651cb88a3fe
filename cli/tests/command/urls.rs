use crate::{
    bulk::photo,
    object_storage::Bucket,
    server::{run, server},
};

#[test]
fn prints_results_of_urls_in_order() {
    let url = server(&[]);
    let bucket = Bucket::start();
    for key in ["images/b.png", "images/a c.png"] {
        bucket.put(key, photo());
    }
    let web = bucket.web_url("images/b.png");
    let web_missing = bucket.web_url("images/missing.png");
    let arguments = [
        "classify",
        "--server",
        &url,
        "--csv",
        &web,
        "s3://album/images/",
        "s3://album/images/a c.png",
        &web_missing,
        "s3://album/images",
    ];
    let output = bucket.command(&arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let mut reader = csv::Reader::from_reader(&output.stdout[..]);
    let found: Vec<_> = reader.records().map(Result::unwrap).collect();
    let names: Vec<_> = found.iter().map(|row| &row[0]).collect();
    let (a, b) = ("s3://album/images/a c.png", "s3://album/images/b.png");
    assert_eq!(names, [&*web, a, b, a, &web_missing, "s3://album/images"]);
    let labels: Vec<_> = found.iter().map(|row| &row[1]).collect();
    assert_eq!(
        labels,
        ["espresso", "espresso", "espresso", "espresso", "", ""]
    );
    assert!(found[5][10].contains("The URL of a folder ends with /"));
}

#[test]
fn other_commands_reject_urls() {
    let output = run(&["embed", "s3://album/x.png"]);
    assert_eq!(output.status.code(), Some(2));
}
