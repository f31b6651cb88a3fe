use imageclassifier_train::Interval;
use maud::{Markup, html};

use super::{Content, percent};

pub(super) fn accuracy(content: &Content) -> Markup {
    let evaluation = &content.evaluation;
    let (right, balanced) = if content.multi_label {
        (
            "Photographs of which all labels were right.",
            "How many of a label's photographs are found, averaged over the labels.",
        )
    } else {
        (
            "Photographs that got the right class.",
            "The same if every class had equally many photographs.",
        )
    };
    html! {
        section aria-labelledby="accuracy" {
            h2 id="accuracy" { "Accuracy" }
            div.tiles {
                (tile("Accuracy", evaluation.accuracy, right))
                (tile("Balanced accuracy", evaluation.balanced_accuracy, balanced))
            }
            p.note {
                "The true values lie in the ranges with 95\u{a0}% confidence. More test photographs make the ranges narrower."
            }
        }
    }
}

fn tile(name: &str, share: Interval, meaning: &str) -> Markup {
    html! {
        div.tile {
            h3 { (name) }
            p.value { (percent(share.value)) }
            p.range { (percent(share.low)) " to " (percent(share.high)) }
            p { (meaning) }
        }
    }
}

pub(super) fn table(content: &Content) -> Markup {
    html! {
        section aria-labelledby="classes" {
            h2 id="classes" { "Classes" }
            p {
                strong { "Found" } " (recall): of the photographs of a class, how many the model finds. "
                strong { "Correct" } " (precision): of the photographs that the model gives this class, how many have it."
            }
            div.scroll tabindex="0" role="region" aria-labelledby="classes" {
                table {
                    thead {
                        tr {
                            th scope="col" { "Class" }
                            th scope="col" { "Number" }
                            th scope="col" { "Found" }
                            th scope="col" { "Correct" }
                        }
                    }
                    tbody {
                        @for (label, class) in content.labels.iter().zip(&content.evaluation.classes) {
                            tr {
                                th scope="row" { (label) }
                                td { (class.images) }
                                td { (share(class.recall)) }
                                td { (share(class.precision)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn share(share: Interval) -> Markup {
    html! {
        span.bar style=(format!("--share:{:.3}", share.value)) { (percent(share.value)) }
        small { (format!("{:.0}–{:.0}", share.low * 100.0, share.high * 100.0)) }
    }
}
