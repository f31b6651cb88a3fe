use crate::texts::{Language, Text};

/// An image that comes with the page.
pub(crate) struct Sample {
    title: Text,
    file_name: &'static str,
}

pub(crate) static SAMPLES: [Sample; 4] = [
    Sample {
        title: Language::sample_coffee,
        file_name: "coffee.jpg",
    },
    Sample {
        title: Language::sample_cat,
        file_name: "chelsea.jpg",
    },
    Sample {
        title: Language::sample_rocket,
        file_name: "rocket.jpg",
    },
    Sample {
        title: Language::sample_pasture,
        file_name: "march-pastoral.jpg",
    },
];

impl Sample {
    pub(crate) fn title(&self) -> Text {
        self.title
    }

    pub(crate) fn file_name(&self) -> &'static str {
        self.file_name
    }

    pub(crate) fn url(&self) -> String {
        format!("samples/{}", self.file_name)
    }
}
