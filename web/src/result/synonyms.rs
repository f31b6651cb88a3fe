use imageclassifier_client::Prediction;
use leptos::{prelude::*, task::spawn_local};

use crate::fetch;

/// All names of all classes, one class per line: the model's own list, which comes with the page.
const URL: &str = "imagenet1k_labels.txt";

/// Its lines.
const CLASSES: usize = 1000;

/// The synonyms of classes, fetched when they are first shown. A handle.
#[derive(Clone, Copy)]
pub(crate) struct Synonyms(RwSignal<Option<String>>);

impl Synonyms {
    /// Fetches the list once `wanted`.
    pub(crate) fn provide(wanted: RwSignal<bool>) {
        let list = RwSignal::new(None);
        provide_context(Self(list));
        Effect::new(move |fetched: Option<bool>| {
            let is_wanted = wanted.get();
            if is_wanted && fetched != Some(true) {
                spawn_local(async move {
                    // Without the list a class has one name.
                    if let Ok(text) = fetch::text(URL).await {
                        list.set(Some(text));
                    }
                });
            }
            fetched.unwrap_or_default() || is_wanted
        });
    }

    pub(crate) fn current() -> Self {
        expect_context()
    }

    /// The names of a class besides its label. None if the model's classes are not those of the list.
    pub(crate) fn others(self, prediction: &Prediction) -> Option<String> {
        self.0.with(|list| {
            let list = list.as_ref()?;
            others(list, &prediction.label, prediction.index as usize).map(str::to_owned)
        })
    }
}

/// Whether the list is that of a model with these labels: trained models have other classes, each with one name.
pub(crate) fn are_for(labels: &[String]) -> bool {
    labels.len() == CLASSES
}

/// The names after the label in line `index`.
fn others<'a>(list: &'a str, label: &str, index: usize) -> Option<&'a str> {
    let (first, others) = list.lines().nth(index)?.split_once(", ")?;
    (first == label).then_some(others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_has_the_other_names_of_its_own_line() {
        let list = "tench, Tinca tinca\nespresso\nram, tup\n";
        assert_eq!(others(list, "tench", 0), Some("Tinca tinca"));
        assert_eq!(others(list, "espresso", 1), None);
        assert_eq!(others(list, "ram", 2), Some("tup"));
        assert_eq!(others(list, "cup", 2), None);
        assert_eq!(others(list, "ram", 3), None);
    }
}
