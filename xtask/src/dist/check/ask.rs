//! What a working server answers.

use std::path::{Path, PathBuf};

use anyhow::ensure;

use super::served::Served;
use crate::{
    process::{command, shown},
    root,
    steps::Step,
};

/// What the photograph shows.
pub(super) const LABEL: &str = "espresso";

pub(super) fn photograph() -> PathBuf {
    root().join("model/tests/golden/photos/coffee.png")
}

/// Asks over every protocol: plain HTTP, gRPC by the command line `cli`, and gRPC-Web, and for the page.
pub(super) fn everything(served: &Served, cli: &Path, step: Step<'_>) -> anyhow::Result<()> {
    let server = format!("http://{}", served.address);
    let body = format!("@{}", photograph().display());
    let said = curl(
        &["--data-binary", &body, &format!("{server}/v1/classify")],
        step,
    )?;
    ensure!(labels(&said) == [LABEL], "plain HTTP answers {said}");

    let mut classify = command(cli);
    classify
        .args(["classify", "--json", "--server", &server])
        .arg(photograph());
    let said = output(&mut classify, step)?;
    ensure!(labels(&said) == [LABEL], "gRPC answers {said}");

    // An empty message: five bytes of frame.
    let frame = root().join("target/dist-check/frame");
    std::fs::write(&frame, [0; 5])?;
    let said = curl(
        &[
            "--header",
            "content-type: application/grpc-web+proto",
            "--data-binary",
            &format!("@{}", frame.display()),
            &format!("{server}/imageclassifier.ImageClassifier/GetModel"),
        ],
        step,
    )?;
    ensure!(
        said.contains("grpc-status:0") && said.contains("efficientnet"),
        "gRPC-Web answers {said}"
    );

    let page = curl(&[&format!("{server}/")], step)?;
    ensure!(page.contains(".wasm"), "this is not the page: {page}");
    Ok(())
}

fn curl(arguments: &[&str], step: Step<'_>) -> anyhow::Result<String> {
    let mut curl = command("curl");
    curl.args(["--silent", "--show-error", "--fail", "--max-time", "30"]);
    output(curl.args(arguments), step)
}

/// What `program` prints.
pub(super) fn output(
    program: &mut std::process::Command,
    step: Step<'_>,
) -> anyhow::Result<String> {
    let finished = step.listen(program)?;
    let said = finished.lines.join("\n");
    ensure!(finished.success, "{} failed: {said}", shown(program));
    Ok(said)
}

/// The best label of each answer in `json`: each names it before those of its predictions.
pub(super) fn labels(json: &str) -> Vec<&str> {
    let answers = json.lines().filter(|line| line.starts_with('{'));
    answers
        .filter_map(|answer| {
            let (_, rest) = answer.split_once("\"label\":\"")?;
            Some(rest.split_once('"')?.0)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_one_label_of_each_answer() {
        let json = "{\"file\":\"a\",\"label\":\"espresso\",\"predictions\":[{\"label\":\"cup\"}]}\n\
            a remark\n{\"file\":\"b\",\"error\":\"no image\"}\n{\"label\":\"tabby, tabby cat\"}\n";
        assert_eq!(labels(json), ["espresso", "tabby, tabby cat"]);
    }
}
