//! All texts of the page in each of its languages. A text is a method of [`Language`], so a text that is missing in one
//! language does not compile. Labels of classes stay English: they are the model's.

/// `name: "English", "Russian";` makes a text; `name(number: u32): "…{number}…", "…{number}…";` one with something in it.
macro_rules! texts {
    ($($name:ident $(($($argument:ident: $kind:ty),+))?: $english:literal, $russian:literal;)+) => {
        impl crate::texts::Language {
            $(texts!(@method $name [$($($argument: $kind),+)?] $english, $russian);)+
        }
    };
    (@method $name:ident [] $english:literal, $russian:literal) => {
        pub(crate) const fn $name(self) -> &'static str {
            match self {
                Self::English => $english,
                Self::Russian => $russian,
            }
        }
    };
    (@method $name:ident [$($argument:ident: $kind:ty),+] $english:literal, $russian:literal) => {
        pub(crate) fn $name(self, $($argument: $kind),+) -> String {
            match self {
                Self::English => format!($english),
                Self::Russian => format!($russian),
            }
        }
    };
}

mod api;
mod batch;
mod failure;
mod inputs;
mod page;
mod preview;
mod result;

pub(crate) use preview::Place;

/// A language that the page speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    Russian,
}

/// A text in every language, for code that chooses the language later.
pub(crate) type Text = fn(Language) -> &'static str;

/// The forms of a noun after a number: 1 second, 2 seconds; 1 секунду, 2 секунды, 5 секунд.
pub(crate) struct Forms {
    pub(crate) english: [&'static str; 2],
    pub(crate) russian: [&'static str; 3],
}

impl Language {
    pub(crate) const ALL: [Self; 2] = [Self::English, Self::Russian];

    /// As in `<html lang>`.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Russian => "ru",
        }
    }

    pub(crate) fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Russian => "Русский",
        }
    }

    /// The language of a tag such as `ru` or `en-GB`.
    pub(crate) fn of_tag(tag: &str) -> Option<Self> {
        let spoken = tag.split('-').next()?;
        Self::ALL
            .into_iter()
            .find(|language| language.tag().eq_ignore_ascii_case(spoken))
    }

    /// A number with its decimals as people write it here.
    pub(crate) fn decimal(self, number: f64, decimals: usize) -> String {
        let text = format!("{number:.decimals$}");
        match self {
            Self::English => text,
            Self::Russian => text.replace('.', ","),
        }
    }

    /// A number and what is counted.
    pub(crate) fn count(self, number: u64, forms: &Forms) -> String {
        let form = match self {
            Self::English => forms.english[usize::from(number != 1)],
            Self::Russian => forms.russian[russian_form(number)],
        };
        format!("{number} {form}")
    }
}

fn russian_form(number: u64) -> usize {
    match (number % 10, number % 100) {
        (1, tens) if tens != 11 => 0,
        (2..=4, tens) if !(12..=14).contains(&tens) => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_names_a_language_whatever_its_region() {
        let cases = [
            ("en", Some(Language::English)),
            ("en-GB", Some(Language::English)),
            ("ru-RU", Some(Language::Russian)),
            ("RU", Some(Language::Russian)),
            ("rue", None),
            ("de", None),
            ("", None),
        ];
        for (tag, language) in cases {
            assert_eq!(Language::of_tag(tag), language, "{tag}");
        }
    }

    #[test]
    fn nouns_agree_with_their_number() {
        let forms = Forms {
            english: ["second", "seconds"],
            russian: ["секунду", "секунды", "секунд"],
        };
        let cases = [
            (1, "1 second", "1 секунду"),
            (2, "2 seconds", "2 секунды"),
            (5, "5 seconds", "5 секунд"),
            (11, "11 seconds", "11 секунд"),
            (12, "12 seconds", "12 секунд"),
            (21, "21 seconds", "21 секунду"),
            (0, "0 seconds", "0 секунд"),
        ];
        for (number, english, russian) in cases {
            assert_eq!(Language::English.count(number, &forms), english);
            assert_eq!(Language::Russian.count(number, &forms), russian);
        }
    }

    #[test]
    fn decimals_are_written_as_the_language_does() {
        assert_eq!(Language::English.decimal(12.35, 1), "12.3");
        assert_eq!(Language::Russian.decimal(12.35, 1), "12,3");
    }
}
