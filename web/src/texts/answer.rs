//! What came of asking.

use crate::texts::Language;

texts! {
    answer: "Answer", "Ответ";
    guesses_appear_here:
        "The best guesses appear here, and how sure the network is of each.",
        "Здесь появятся лучшие догадки и то, насколько сеть уверена в каждой.";
    looking: "Looking …", "Смотрю…";
    looking_at(name: &str): "Looking at {name}.", "Смотрю на {name}.";
    looks_like: "Looks like", "Похоже на";
    perhaps: "Perhaps", "Возможно";
    unsure(percent: u32):
        "Not sure: no class reaches {percent}%. Take these as guesses.",
        "Нет уверенности: ни один класс не набрал {percent} %. Это лишь догадки.";
    took(ms: &str): "{ms} ms in all", "всего {ms} мс";
    took_with_stages(ms: &str, decode: &str, wait: &str, inference: &str):
        "{ms} ms in all: decoding {decode}, waiting {wait}, inference {inference}",
        "всего {ms} мс: декодирование {decode}, ожидание {wait}, вычисление {inference}";
    model_and_revision(model: &str, revision: &str): "{model}, revision {revision}", "{model}, версия {revision}";
}

impl Language {
    /// A probability as a percentage with one decimal.
    pub(crate) fn percent(self, confidence: f32) -> String {
        let number = self.decimal(f64::from(confidence) * 100.0, 1);
        match self {
            Self::English => format!("{number}%"),
            Self::Russian => format!("{number}\u{a0}%"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_have_one_decimal_on_an_absolute_scale() {
        let cases = [
            (0.0, "0.0%", "0,0\u{a0}%"),
            (0.000_4, "0.0%", "0,0\u{a0}%"),
            (0.951_23, "95.1%", "95,1\u{a0}%"),
            (1.0, "100.0%", "100,0\u{a0}%"),
        ];
        for (confidence, english, russian) in cases {
            assert_eq!(Language::English.percent(confidence), english);
            assert_eq!(Language::Russian.percent(confidence), russian);
        }
    }
}
