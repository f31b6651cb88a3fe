use serde_json::Value;

use crate::server::{classify, file, photograph, server, text};

const HEADER: &str = "file,label,confidence,index,model,model_revision,request_id,decode_ms,queue_ms,inference_ms,error,reason,unknown,known_score";

#[test]
fn json_has_one_line_per_file_in_order_despite_bad_files() {
    let url = server(&[]);
    let coffee = photograph("coffee.png");
    let rocket = photograph("rocket.jpg");
    let words = file("words.txt", "a thousand");
    let files = [&*coffee, &words, "missing.jpg", &rocket];
    let output = classify(&url, &[&["--json", "--top-k", "3"], &files[..]].concat());
    assert_eq!(output.status.code(), Some(1));
    let lines: Vec<Value> = text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let [espresso, rejected, unreadable, missile] = &lines[..] else {
        panic!("a line for each file, not {lines:?}")
    };
    assert_eq!(espresso["file"], coffee.as_str());
    assert_eq!(espresso["label"], "espresso");
    assert!(espresso["confidence"].as_f64().unwrap() > 0.9);
    assert_eq!(espresso["model"], "efficientnet-lite0");
    assert_eq!(espresso["predictions"].as_array().unwrap().len(), 3);
    assert_eq!(espresso["predictions"][0]["index"], 967);
    assert!(espresso["predictions"][0].get("heatmap").is_none());
    // 600 x 400 pixels: 0.875 of the shorter side.
    let crop = serde_json::json!({
        "left": 125, "top": 25, "side": 350, "picture_width": 600, "picture_height": 400,
    });
    assert_eq!(espresso["crop"], crop);
    assert!(!espresso["request_id"].as_str().unwrap().is_empty());
    assert_eq!(rejected["reason"], "IMAGE_FORMAT_UNKNOWN");
    let error = unreadable["error"].as_str().unwrap();
    assert!(error.contains("cannot read"), "{error}");
    assert_eq!(unreadable["reason"], Value::Null);
    assert_eq!(missile["label"], "missile");

    let told = text(&output.stderr);
    assert!(told.contains("missing.jpg: cannot read the file"), "{told}");
    assert!(told.contains("2 of 4 images were not classified"), "{told}");
}

#[test]
fn csv_has_one_row_per_file_quoted_where_needed() {
    let url = server(&[]);
    let coffee = std::fs::read(photograph("coffee.png")).unwrap();
    let coffee = file("cup, \"large\".png", coffee);
    let words = file("more words.txt", "a thousand");
    let output = classify(&url, &["--csv", &coffee, &words]);
    assert_eq!(output.status.code(), Some(1));
    let stdout = text(&output.stdout);
    assert!(stdout.ends_with('\n') && !stdout.contains('\r'));
    let lines: Vec<_> = stdout.lines().collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0], HEADER);
    let quoted = format!("\"{}\",espresso,0.95", coffee.replace('"', "\"\""));
    assert!(lines[1].starts_with(&quoted), "{}", lines[1]);
    assert!(lines[1].ends_with(",,"), "{}", lines[1]);

    let mut reader = csv::Reader::from_reader(&output.stdout[..]);
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!((&rows[0][0], &rows[0][3]), (&coffee[..], "967"));
    assert!(rows[0][9].parse::<f64>().unwrap() > 0.0);
    assert_eq!((&rows[1][0], &rows[1][1]), (&words[..], ""));
    assert!(rows[1][10].contains("no known format"));
    assert_eq!(&rows[1][11], "IMAGE_FORMAT_UNKNOWN");
}

#[test]
fn table_has_one_row_per_prediction() {
    let url = server(&[]);
    let coffee = photograph("coffee.png");
    let output = classify(&url, &["--top-k", "2", &coffee]);
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
    let stdout = text(&output.stdout);
    let lines: Vec<_> = stdout.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].starts_with("file  ") && lines[0].ends_with("  confidence  label"));
    assert!(lines[1].starts_with(&coffee));
    assert!(lines[1].ends_with("    95.1 %  espresso"), "{}", lines[1]);
    assert!(
        lines[2].starts_with("      ") && lines[2].contains(" %  "),
        "{}",
        lines[2]
    );
}
