//! What the numbers mean, in words for people who have never trained a model.

use std::collections::BTreeMap;

use imageclassifier_train::{Interval, LearningPoint, Task};
use serde::Serialize;

use super::{Subject, confused::Confused};

/// Fewer photographs than these leave both the class and its numbers uncertain.
const FEW_PHOTOGRAPHS: usize = 10;
/// Pairs of classes that are named. A pair that was confused only once may be chance.
const PAIRS_MAX: usize = 3;
const PAIR_COUNT_MIN: usize = 2;
/// Classes with few photographs that are named.
const CLASSES_MAX: usize = 5;
/// A range of accuracy that says little.
const WIDE_RANGE: f64 = 0.1;
/// A gain in accuracy for twice as many photographs that is worth taking them.
const WORTHWHILE_GAIN: f64 = 0.01;

/// The first screen of the report.
#[derive(Debug, Serialize)]
pub(super) struct Verdict {
    /// How good the model is.
    pub(super) headline: String,
    /// Where that number comes from, and where it does not hold.
    pub(super) basis: String,
    /// What to do next, the most useful first.
    pub(super) advice: Vec<Advice>,
}

#[derive(Debug, Serialize)]
pub(super) struct Advice {
    pub(super) title: String,
    pub(super) reason: String,
    /// The section of the page that shows it.
    #[serde(skip)]
    pub(super) section: Option<&'static str>,
}

impl Verdict {
    pub(super) fn of(subject: &Subject, confused: &[Confused]) -> Self {
        let evaluation = &subject.trained.evaluation;
        let advice = [
            unreadable(subject.unreadable),
            suspicious(subject.trained.suspicious.len()),
            few_photographs(subject),
            confusions(confused),
            more_photographs(&subject.trained.learning_curve),
            uncertain(evaluation.images, evaluation.accuracy),
        ];
        Self {
            headline: headline(subject.task, evaluation.images, evaluation.accuracy),
            basis: basis(subject),
            advice: advice.into_iter().flatten().collect(),
        }
    }
}

fn headline(task: Task, images: usize, accuracy: Interval) -> String {
    let Interval { value, low, high } = accuracy;
    let right = match task {
        Task::SingleLabel => "Right",
        Task::MultiLabel => "All labels right",
    };
    let of_100 = |share: f64| format!("{:.0}", share * 100.0);
    if value >= 1.0 {
        return format!(
            "{right} for all {} test photographs. Of 100 new ones, expect at least {}.",
            images,
            of_100(low)
        );
    }
    format!(
        "{right} for about {} of 100 new photographs (between {} and {}).",
        of_100(value),
        of_100(low),
        of_100(high)
    )
}

fn basis(subject: &Subject) -> String {
    let evaluation = &subject.trained.evaluation;
    let (images, classes) = (evaluation.images, evaluation.classes.len());
    let largest = evaluation.classes.iter().map(|class| class.images).max();
    let guess = largest.unwrap_or_default() as f64 / images as f64 * 100.0;
    let guess = match subject.task {
        Task::SingleLabel => {
            format!(" Always naming the largest class would be right for {guess:.0} of 100.")
        }
        Task::MultiLabel => String::new(),
    };
    format!(
        "Measured on {images} photographs of {classes} classes, each classified by a model that had not seen it.{guess} Expect the \
         same from new photographs only if they are taken in a similar way."
    )
}

fn unreadable(count: usize) -> Option<Advice> {
    (count > 0).then(|| Advice {
        title: format!(
            "Repair or remove {}",
            counted(count, "unreadable file", "unreadable files")
        ),
        reason: "The model was trained without them. The output of the training names each."
            .to_owned(),
        section: None,
    })
}

fn suspicious(count: usize) -> Option<Advice> {
    let title = format!("Check {}", counted(count, "label", "labels"));
    (count > 0).then(|| Advice {
        title,
        reason: "These photographs look like another class than the folder they are in. Wrong labels make the model worse, and \
                 all numbers in this report too low."
            .to_owned(),
        section: Some("labels"),
    })
}

fn few_photographs(subject: &Subject) -> Option<Advice> {
    let labels = &subject.head.parts().labels;
    let few: Vec<_> = (0..labels.len())
        .map(|class| {
            let images = subject.learned_from.images.iter();
            (
                class,
                images.filter(|it| it.classes.contains(&class)).count(),
            )
        })
        .filter(|&(_, count)| count < FEW_PHOTOGRAPHS)
        .collect();
    if few.is_empty() {
        return None;
    }
    let named = few.iter().take(CLASSES_MAX);
    let named: Vec<_> = named
        .map(|&(class, count)| format!("“{}” has {count}", labels[class]))
        .collect();
    let others = match few.len().saturating_sub(CLASSES_MAX) {
        0 => String::new(),
        more => format!(", and {more} more classes have few"),
    };
    Some(Advice {
        title: format!(
            "Add photographs to {}",
            counted(few.len(), "small class", "small classes")
        ),
        reason: format!(
            "With fewer than {FEW_PHOTOGRAPHS} photographs, a class is learned badly and its numbers say little: {}{others}.",
            named.join(", ")
        ),
        section: Some("classes"),
    })
}

/// Both directions of a pair count together.
fn confusions(confused: &[Confused]) -> Option<Advice> {
    let mut pairs: BTreeMap<[&str; 2], usize> = BTreeMap::new();
    for it in confused {
        let mut pair = [&*it.label, &*it.predicted];
        pair.sort_unstable();
        *pairs.entry(pair).or_default() += it.count;
    }
    let mut pairs: Vec<_> = pairs
        .into_iter()
        .filter(|&(_, count)| count >= PAIR_COUNT_MIN)
        .collect();
    pairs.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    pairs.truncate(PAIRS_MAX);
    let [([one, other], _), ..] = pairs[..] else {
        return None;
    };
    let listed: Vec<_> = pairs
        .iter()
        .map(|([one, other], count)| format!("“{one}” and “{other}” ({count} mistakes)"))
        .collect();
    Some(Advice {
        title: format!("Show the difference between “{one}” and “{other}”"),
        reason: format!(
            "Most often confused: {}. Add photographs that show the difference. If people cannot tell them apart either, make them \
             one class.",
            listed.join(", ")
        ),
        section: Some("confusion"),
    })
}

fn more_photographs(curve: &[LearningPoint]) -> Option<Advice> {
    let [.., before, last] = curve else {
        return None;
    };
    let doublings = (last.examples_per_class as f64 / before.examples_per_class as f64).log2();
    let gained = last.balanced_accuracy - before.balanced_accuracy;
    let (title, outlook) = if gained / doublings >= WORTHWHILE_GAIN {
        (
            "Take more photographs",
            "Twice as many will probably bring a little less than the last doubling did",
        )
    } else {
        (
            "More photographs of the same kind would help little",
            "Photographs of what is still confused, or of other places and light, help more",
        )
    };
    Some(Advice {
        title: title.to_owned(),
        reason: format!(
            "From {} to {} photographs per class, accuracy went from {:.0} to {:.0} %. {outlook}.",
            before.examples_per_class,
            last.examples_per_class,
            before.balanced_accuracy * 100.0,
            last.balanced_accuracy * 100.0
        ),
        section: Some("learning"),
    })
}

fn uncertain(images: usize, accuracy: Interval) -> Option<Advice> {
    let Interval { low, high, .. } = accuracy;
    (high - low > WIDE_RANGE).then(|| Advice {
        title: "Test on more photographs".to_owned(),
        reason: format!(
            "{images} photographs are few for a test: the model may be right for anything from {:.0} to {:.0} of 100 new ones.",
            low * 100.0,
            high * 100.0
        ),
        section: Some("accuracy"),
    })
}

fn counted(count: usize, one: &str, many: &str) -> String {
    let what = if count == 1 { one } else { many };
    format!("{count} {what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_headline_does_not_promise_perfection() {
        let of = |right| headline(Task::SingleLabel, 100, Interval::wilson(right, 100));
        assert_eq!(
            of(86),
            "Right for about 86 of 100 new photographs (between 78 and 91)."
        );
        assert_eq!(
            of(100),
            "Right for all 100 test photographs. Of 100 new ones, expect at least 96."
        );
    }

    #[test]
    fn a_wide_range_asks_for_more_test_photographs() {
        let of = |images| uncertain(images, Interval::wilson(images, images));
        let reason = of(20).unwrap().reason;
        assert_eq!(
            reason,
            "20 photographs are few for a test: the model may be right for anything from 84 to 100 of 100 new ones."
        );
        assert!(of(1000).is_none());
    }

    #[test]
    fn both_directions_of_a_confusion_count_together() {
        let confused = |label: &str, predicted: &str, count| Confused {
            label: label.to_owned(),
            predicted: predicted.to_owned(),
            count,
        };
        let mistakes = [
            confused("hat", "shoe", 4),
            confused("shirt", "T-shirt", 3),
            confused("T-shirt", "shirt", 2),
            confused("shoe", "shirt", 1),
        ];
        let Advice { title, reason, .. } = confusions(&mistakes).unwrap();
        assert_eq!(title, "Show the difference between “T-shirt” and “shirt”");
        assert!(
            reason
                .contains("“T-shirt” and “shirt” (5 mistakes), “hat” and “shoe” (4 mistakes). Add")
        );
        assert!(confusions(&mistakes[3..]).is_none());
    }

    #[test]
    fn more_photographs_are_advised_while_accuracy_grows() {
        let curve = |accuracies: [f64; 3]| {
            let sizes = [10, 20, 40].into_iter();
            let points = sizes
                .zip(accuracies)
                .map(|(examples_per_class, it)| LearningPoint {
                    examples_per_class,
                    balanced_accuracy: it,
                });
            points.collect::<Vec<_>>()
        };
        let title = |accuracies| more_photographs(&curve(accuracies)).unwrap().title;
        assert_eq!(title([0.6, 0.7, 0.75]), "Take more photographs");
        let little = "More photographs of the same kind would help little";
        assert_eq!(title([0.6, 0.75, 0.755]), little);
        assert!(more_photographs(&[]).is_none());
    }
}
