//! The elements of a tensor in JSON: numbers or strings, in a list, or in lists of lists, row by row.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};

/// The elements in one list.
#[derive(Debug, Default, PartialEq)]
pub(super) enum Elements {
    #[default]
    None,
    Numbers(Vec<f32>),
    Strings(Vec<String>),
}

/// As many as the largest batch has images, and one more. A string takes more memory than its text.
const STRINGS_MAX: usize = 1 << 16;

impl Elements {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a number beyond the range becomes infinite, which the model rejects"
    )]
    fn push_number<E: Error>(&mut self, number: f64) -> Result<(), E> {
        let number = number as f32;
        match self {
            Self::None => *self = Self::Numbers(vec![number]),
            Self::Numbers(numbers) => numbers.push(number),
            Self::Strings(_) => return Err(mixed()),
        }
        Ok(())
    }

    fn push_string<E: Error>(&mut self, string: String) -> Result<(), E> {
        match self {
            Self::None => *self = Self::Strings(vec![string]),
            Self::Strings(strings) if strings.len() < STRINGS_MAX => strings.push(string),
            Self::Strings(_) => return Err(E::custom(format!("over {STRINGS_MAX} strings"))),
            Self::Numbers(_) => return Err(mixed()),
        }
        Ok(())
    }
}

fn mixed<E: Error>() -> E {
    E::custom("numbers and strings in one tensor")
}

impl<'de> Deserialize<'de> for Elements {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut elements = Self::default();
        Row(&mut elements).deserialize(deserializer)?;
        Ok(elements)
    }
}

/// Where the next element, or list of elements, goes.
struct Row<'a>(&'a mut Elements);

impl<'de> DeserializeSeed<'de> for Row<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Row<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("numbers, strings, or lists of them")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Row(&mut *self.0))?.is_some() {}
        Ok(())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.0.push_number(number)
    }

    #[allow(clippy::cast_precision_loss, reason = "as for other numbers")]
    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.0.push_number(number as f64)
    }

    #[allow(clippy::cast_precision_loss, reason = "as for other numbers")]
    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.0.push_number(number as f64)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.0.push_string(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<Elements, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn lists_of_lists_become_one_list() {
        let numbers = |list: &[f32]| Ok(Elements::Numbers(list.to_vec()));
        for json in [
            "[1, -2, 0.5]",
            "[[1], [-2, 0.5]]",
            "[[[], [1, -2e0]], [[[0.5]]]]",
        ] {
            assert_eq!(parse(json), numbers(&[1.0, -2.0, 0.5]), "{json}");
        }
        assert_eq!(parse("[1e300]"), numbers(&[f32::INFINITY]));
        let strings = ["a", "A"].map(str::to_owned).to_vec();
        assert_eq!(
            parse("[[\"a\"], [\"\\u0041\"]]"),
            Ok(Elements::Strings(strings))
        );
        assert_eq!(parse("[[], []]"), Ok(Elements::None));
        for wrong in ["[1, \"a\"]", "[\"a\", 1]", "[null]", "[true]", "{}", "[{}]"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        let many = |count| format!("[{}\"\"]", "\"\",".repeat(count - 1));
        assert!(parse(&many(STRINGS_MAX)).is_ok());
        assert!(parse(&many(STRINGS_MAX + 1)).is_err());
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(parse(&deep).is_err(), "the stack would overflow");
    }
}
