use std::sync::LazyLock;

/// Number of classes of ImageNet-1k.
pub const CLASSES: usize = 1000;

/// One class per line, in order of index: its WordNet lemmas, most common first.
const LINES: &str = include_str!("../data/imagenet1k_labels.txt");

static LABELS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let lemmas = LINES.lines();
    lemmas
        .map(|line| line.split_once(", ").map_or(line, |(first, _)| first))
        .collect()
});

/// The readable names of the classes of ImageNet-1k (ILSVRC 2012), by class index. No two are equal.
#[must_use]
pub fn labels() -> &'static [&'static str] {
    &LABELS
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_class_has_its_own_label() {
        assert_eq!(labels().len(), CLASSES);
        assert_eq!(labels().iter().collect::<HashSet<_>>().len(), CLASSES);
    }

    #[test]
    fn labels_stand_at_their_index() {
        for (index, label) in [
            (0, "tench"),
            (282, "tiger cat"),
            (348, "ram"),
            (872, "tripod"),
            (967, "espresso"),
            (999, "toilet tissue"),
        ] {
            assert_eq!(labels()[index], label);
        }
    }
}
