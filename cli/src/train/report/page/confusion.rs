use imageclassifier_train::Confusion;
use maud::{Markup, html};

use super::{Content, Pictures, percent, picture};
use crate::train::report::pictures::Pair;

/// A larger matrix cannot be read; the pairs below it can.
const MATRIX_CLASSES_MAX: usize = 30;

/// Nothing if an image can have several classes.
pub(super) fn section(content: &Content, pictures: &Pictures) -> Markup {
    let Some(confusion) = &content.evaluation.confusion else {
        return html! {};
    };
    html! {
        section aria-labelledby="confusion" {
            h2 id="confusion" { "What is taken for what" }
            @if content.labels.len() <= MATRIX_CLASSES_MAX {
                p { "One row for each true class, one column for each answer. The diagonal is right, everything else a mistake." }
                (matrix(&content.labels, confusion))
            }
            @if pictures.pairs.is_empty() {
                p { "The model made no mistakes." }
            } @else {
                h3 { "Most frequent mistakes" }
                @for (pair, confused) in pictures.pairs.iter().zip(&content.confused) {
                    (photographs(pair, &confused.label, &confused.predicted, confused.count))
                }
            }
        }
    }
}

fn matrix(labels: &[String], confusion: &Confusion) -> Markup {
    let classes = 0..labels.len();
    let row_sum = |row: usize| classes.clone().map(|it| confusion.count(row, it)).sum();
    let shade = |row: usize, count: usize| {
        let all: usize = row_sum(row);
        format!("--share:{:.3}", count as f64 / all.max(1) as f64)
    };
    html! {
        div.scroll tabindex="0" role="region" aria-label="Confusion matrix" {
            table.matrix {
                thead {
                    tr {
                        th scope="col" { "true ↓ answer →" }
                        @for label in labels { th scope="col" { span { (label) } } }
                    }
                }
                tbody {
                    @for (row, label) in labels.iter().enumerate() {
                        tr {
                            th scope="row" { (label) }
                            @for column in classes.clone() {
                                @let count = confusion.count(row, column);
                                td .right[row == column] .none[count == 0] style=(shade(row, count)) { (count) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn photographs(pair: &Pair, label: &str, predicted: &str, count: usize) -> Markup {
    html! {
        h4 { (count) " × " span.name { (label) } " taken for " span.name { (predicted) } }
        ul.photographs {
            @for (it, confidence) in &pair.photographs {
                li {
                    figure {
                        (picture(it.photograph.as_ref(), &format!("Photograph of {label}, taken for {predicted}")))
                        figcaption { span.file { (it.file) } span { (percent(*confidence)) " sure" } }
                    }
                }
            }
        }
    }
}
