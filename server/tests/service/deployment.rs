//! What `deploy/` has for Prometheus and Grafana names series that the server has.

use std::{collections::BTreeSet, fs, path::PathBuf};

use crate::app::App;

/// Files that name metrics.
const FILES: [&str; 4] = [
    "deploy/chart/files/alerts.yaml",
    "deploy/chart/files/dashboard.json",
    "deploy/chart/values.yaml",
    "deploy/check/cases.yaml",
];
const PREFIX: &str = "imageclassifier_";

#[tokio::test]
async fn alerts_and_dashboards_name_series_of_the_server() {
    let app = App::start().await;
    let text = app.metrics().await;
    for file in FILES {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(file);
        let uses = uses(&fs::read_to_string(path).unwrap());
        assert!(!uses.is_empty(), "{file} names no metric");
        for used in uses {
            assert!(is_served(&used, &text), "{file} uses {used:?}");
        }
    }
}

#[test]
fn notices_a_metric_or_label_that_is_not_served() {
    let text = "imageclassifier_calls_total{method=\"Classify\",code=\"OK\"} 0\n";
    for (expression, served) in [
        ("rate(imageclassifier_calls_total[5m])", true),
        (
            "imageclassifier_calls_total{code=\"OK\", job=~\"$job\"}",
            true,
        ),
        ("imageclassifier_call_total", false),
        ("imageclassifier_calls", false),
        ("imageclassifier_calls_total{kode=\"OK\"}", false),
        ("imageclassifier_calls_total{code=\"NICE\"}", false),
    ] {
        let uses = uses(expression);
        assert_eq!(uses.len(), 1, "{uses:?}");
        assert!(
            uses.iter().all(|used| is_served(used, text) == served),
            "{uses:?}"
        );
    }
}

/// A series that an expression names, and the labels that it selects by equality. Those that Prometheus adds are left out.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Use {
    name: String,
    labels: Vec<String>,
}

fn uses(text: &str) -> BTreeSet<Use> {
    // In JSON, quotes are escaped.
    let text = text.replace('\\', "");
    let uses = text.split(PREFIX).skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '_');
        let (name, rest) = rest.split_at(end.unwrap_or(rest.len()));
        let selector = rest
            .strip_prefix('{')
            .and_then(|rest| rest.split('}').next());
        let labels = selector.into_iter().flat_map(|labels| labels.split(','));
        let labels = labels.map(|label| label.trim().to_owned());
        Use {
            name: format!("{PREFIX}{name}"),
            labels: labels.filter(|label| !label.contains("=~")).collect(),
        }
    });
    uses.collect()
}

fn is_served(used: &Use, text: &str) -> bool {
    text.lines().any(|line| {
        let rest = line.strip_prefix(&used.name);
        rest.is_some_and(|rest| {
            rest.starts_with([' ', '{'])
                && used.labels.iter().all(|label| {
                    rest.contains(&format!("{label},")) || rest.contains(&format!("{label}}}"))
                })
        })
    })
}
