use imageclassifier_train::{CoveragePoint, LearningPoint};
use maud::{Markup, html};

use super::{Content, figure, percent, plots};

pub(super) fn reliability(content: &Content) -> Markup {
    let calibration = &content.evaluation.calibration;
    let ece = format!("{:.3}", calibration.ece);
    let points = format!("{:.0}", calibration.ece * 100.0);
    let caption = html! {
        "Each dot stands for the photographs with about the same confidence; larger dots for more photographs. On the dashed line, \
         the model is right as often as it says."
    };
    html! {
        section aria-labelledby="confidence" {
            h2 id="confidence" { "Can its confidence be believed?" }
            p {
                "When the model says that it is 80\u{a0}% sure, it should be right 8 times in 10. On average, what it says is "
                strong { (points) " points" } " off (expected calibration error, ECE: " (ece) ")."
            }
            (figure(
                &plots::reliability(calibration),
                &format!("Reliability diagram. Expected calibration error {ece}."),
                &caption,
            ))
        }
    }
}

/// Nothing if there are too few photographs for a curve.
pub(super) fn learning(content: &Content) -> Markup {
    let curve = &content.learning_curve;
    let (Some(first), Some(last)) = (curve.first(), curve.last()) else {
        return html! {};
    };
    let told = |point: &LearningPoint| {
        let accuracy = percent(point.balanced_accuracy);
        format!("{accuracy} with {}", point.examples_per_class)
    };
    let description = format!(
        "Learning curve, photographs per class: {}.",
        curve.iter().map(told).collect::<Vec<_>>().join(", ")
    );
    let caption = html! {
        "Each step to the right by the same distance multiplies the photographs. While the line rises, more photographs help."
    };
    html! {
        section aria-labelledby="learning" {
            h2 id="learning" { "Would more photographs help?" }
            p {
                "Balanced accuracy of models that learned from fewer photographs: from " (told(first)) " per class to "
                strong { (told(last)) } "."
            }
            (figure(&plots::learning_curve(curve), &description, &caption))
        }
    }
}

pub(super) fn coverage(content: &Content) -> Markup {
    let curve = &content.evaluation.coverage;
    let told = |point: &CoveragePoint| {
        format!(
            "{} right of {}",
            percent(point.accuracy),
            percent(point.coverage)
        )
    };
    let ends = [curve.first(), curve.last()].into_iter().flatten();
    let description = format!(
        "Accuracy against the share of photographs that get an answer: {}.",
        ends.map(told).collect::<Vec<_>>().join(" to ")
    );
    html! {
        section aria-labelledby="unknown" {
            h2 id="unknown" { "What if it may say “unknown”?" }
            @match &content.unknown {
                Some(kept) => p {
                    "Each photograph gets a score of how much it resembles the classes. Below " (format!("{:.3}", kept.threshold))
                    ", the answer is “unknown”: that leaves " strong { (percent(kept.coverage)) }
                    " of these photographs with an answer, of which " strong { (percent(kept.accuracy)) } " are right."
                },
                None => p { "This model never says “unknown”. With a threshold on how much a photograph resembles the classes, it could." },
            }
            (figure(&plots::coverage(curve, content.unknown), &description, &html! {
                "The further left, the more photographs are called unknown."
                @if content.unknown.is_some() { " The dashed line is this model's threshold." }
            }))
        }
    }
}
