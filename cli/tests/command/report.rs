use std::{fs, path::Path};

use serde_json::Value;

use crate::own_classes::{MISLABELLED, add_class, cups_and_cats, json, succeeded, train};

fn read(model: &Path) -> (String, Value) {
    let page = fs::read_to_string(model.join("report.html")).unwrap();
    (page, json(&model.join("report.json")))
}

fn percent(share: &Value) -> String {
    format!("{:.1}\u{a0}%", share.as_f64().unwrap() * 100.0)
}

/// What follows each `start` in `text`, up to the next quotation mark.
fn values<'a>(text: &'a str, start: &str) -> Vec<&'a str> {
    let parts = text.split(start).skip(1);
    parts.map(|rest| rest.split('"').next().unwrap()).collect()
}

#[test]
fn the_page_is_one_file_that_loads_nothing() {
    let (page, _) = read(&MISLABELLED.model);
    let sources = values(&page, " src=\"");
    assert!(!sources.is_empty());
    assert!(
        sources
            .iter()
            .all(|it| it.starts_with("data:image/jpeg;base64,"))
    );
    let references = [
        "http:", "https:", "<link", "<script", "<iframe", "url(", "@import",
    ];
    for reference in references {
        assert!(!page.contains(reference), "{reference}");
    }
    assert!(
        values(&page, " href=\"")
            .iter()
            .all(|it| it.starts_with('#'))
    );
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
}

#[test]
fn every_picture_and_diagram_has_a_description() {
    let (page, _) = read(&MISLABELLED.model);
    assert_eq!(page.matches("<img").count(), page.matches("alt=\"").count());
    assert_eq!(page.matches("<svg").count(), 3);
    assert_eq!(page.matches("role=\"img\" aria-label=\"").count(), 3);
    assert_eq!(page.matches("<h1").count(), 1);
}

#[test]
fn the_page_states_the_numbers_of_the_json() {
    let (page, report) = read(&MISLABELLED.model);
    assert_eq!(report["format"], 1);
    assert_eq!(report["model"], "cups-and-cats");
    let evaluation = &report["evaluation"];
    for measure in ["accuracy", "balanced_accuracy"] {
        for end in ["value", "low", "high"] {
            let number = percent(&evaluation[measure][end]);
            assert!(page.contains(&number), "{measure}.{end}: {number}");
        }
    }
    for class in evaluation["classes"].as_array().unwrap() {
        for measure in ["recall", "precision"] {
            let number = percent(&class[measure]["value"]);
            assert!(page.contains(&number), "{measure}: {number}");
        }
    }
    let ece = evaluation["calibration"]["ece"].as_f64().unwrap();
    assert!(page.contains(&format!("ECE: {ece:.3}")));
    for kept in ["coverage", "accuracy"] {
        let number = percent(&report["unknown"][kept]);
        assert!(
            page.contains(&format!("<strong>{number}</strong>")),
            "{kept}: {number}"
        );
    }
    let curve = report["learning_curve"].as_array().unwrap();
    let sizes: Vec<_> = curve
        .iter()
        .map(|it| it["examples_per_class"].as_u64().unwrap())
        .collect();
    assert_eq!(sizes, [1, 2, 5, 10, 20, 26]);
    for point in curve {
        let told = format!(
            "{} with {}",
            percent(&point["balanced_accuracy"]),
            point["examples_per_class"]
        );
        assert!(page.contains(&told), "{told}");
    }
    for text in ["headline", "basis"] {
        assert!(page.contains(report["verdict"][text].as_str().unwrap()));
    }
    let count = |row: usize, column: usize| &evaluation["confusion"][row][column];
    let images: u64 = [(0, 0), (0, 1), (1, 0), (1, 1)]
        .map(|(row, column)| count(row, column).as_u64().unwrap())
        .iter()
        .sum();
    assert_eq!(images, 64);
    assert_eq!(report["photographs"].as_array().unwrap().len(), 64);
}

#[test]
fn a_wrong_label_is_shown_first_with_its_heatmap() {
    let (page, report) = read(&MISLABELLED.model);
    let first = &report["suspicious"][0];
    assert_eq!(first["file"], "cup/looks like a cat.jpg");
    assert_eq!(first["label"], "cup");
    assert_eq!(first["likely"], "cat");
    let labels = page.split("id=\"labels\"").nth(1).unwrap();
    let item = labels.split("<li>").nth(1).unwrap();
    let item = item.split("</li>").next().unwrap();
    assert!(item.contains("cup/looks like a cat.jpg"));
    assert_eq!(item.matches("<img").count(), 2);
    let pictures = values(item, " src=\"");
    assert_ne!(pictures[0], pictures[1]);
    let advice = report["verdict"]["advice"].as_array().unwrap();
    assert!(
        advice
            .iter()
            .any(|it| it["title"].as_str().unwrap().starts_with("Check "))
    );
}

#[test]
fn labels_and_file_names_are_text() {
    let folder = tempfile::tempdir().unwrap();
    let photographs = cups_and_cats(folder.path(), 4);
    let label = "<script>alert('a&b')<";
    add_class(&photographs, label, "rocket.jpg", 4);
    let file = "\"><img onerror=alert(1)>.jpg";
    // A cat among the others, so that the file is shown.
    fs::rename(
        photographs.join("cat/03.jpg"),
        photographs.join(label).join(file),
    )
    .unwrap();
    let model = folder.path().join("hostile");
    succeeded(&train(&photographs, &model, &[]));
    let (page, report) = read(&model);
    assert_eq!(report["labels"][0], label);
    assert!(
        page.contains("&lt;script&gt;alert('a&amp;b')&lt;"),
        "no such label"
    );
    assert!(
        page.contains("&lt;img onerror=alert(1)&gt;.jpg"),
        "no such file"
    );
    assert!(!page.contains("<script") && !page.contains("<img onerror"));
}

#[test]
fn few_photographs_have_no_learning_curve() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("few");
    succeeded(&train(
        &cups_and_cats(folder.path(), 2),
        &model,
        &["--unknown", "off"],
    ));
    let (page, report) = read(&model);
    assert_eq!(report["learning_curve"], serde_json::json!([]));
    assert!(report["unknown"].is_null());
    assert!(!page.contains("id=\"learning\""));
    assert!(page.contains("never says “unknown”"));
    let headline = report["verdict"]["headline"].as_str().unwrap();
    assert!(headline.starts_with("Right for "), "{headline}");
    assert!(page.contains("Add photographs to 2 small classes"));
}

#[test]
fn the_model_folder_has_the_licence_of_the_base_network() {
    let licence = fs::read_to_string(MISLABELLED.model.join("LICENSE")).unwrap();
    assert!(licence.contains("Copyright (c) 2020 ML Illustrated"));
    assert!(licence.contains("Apache License\n"));
    assert!(licence.contains("END OF TERMS AND CONDITIONS"));
    let (page, report) = read(&MISLABELLED.model);
    assert!(licence.contains(report["base"]["digest"].as_str().unwrap()));
    assert!(page.contains("Apache License 2.0"));
}
