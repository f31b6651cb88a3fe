/// Number of classes of ImageNet-1k.
pub const CLASSES: usize = 1000;

/// One class a line, in order of index: its WordNet lemmas, most usual first.
const LINES: &str = include_str!("../data/imagenet1k_labels.txt");

/// The readable name of each class of ImageNet-1k (ILSVRC 2012), position being the class index. No two are equal.
pub fn labels() -> impl ExactSizeIterator<Item = &'static str> + Clone {
    let labels: [&str; CLASSES] = std::array::from_fn({
        let mut lines = LINES.lines();
        move |_| {
            let lemmas = lines.next().expect("a line for each class");
            lemmas.split_once(", ").map_or(lemmas, |(first, _)| first)
        }
    });
    labels.into_iter()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_class_has_its_own_label() {
        assert_eq!(LINES.lines().count(), CLASSES);
        assert_eq!(labels().collect::<HashSet<_>>().len(), CLASSES);
    }

    #[test]
    fn labels_stand_at_their_index() {
        let labels: Vec<_> = labels().collect();
        for (index, label) in [
            (0, "tench"),
            (282, "tiger cat"),
            (348, "ram"),
            (872, "tripod"),
            (967, "espresso"),
            (999, "toilet tissue"),
        ] {
            assert_eq!(labels[index], label);
        }
    }
}
