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
    took(duration: &str): "{duration} in all", "Всего {duration}";
    upload: "upload", "передача";
    queue: "waiting", "ожидание";
    decode: "decoding", "декодирование";
    inference: "inference", "вычисление";
    why: "Why?", "Почему?";
    other_names: "Other names", "Другие названия";
    show_best: "Show the best", "Показать лучших:";
    receipt: "Receipt", "Подробности";
    model: "Model", "Модель";
    revision: "Revision", "Версия";
    weights: "SHA-256 of its weights", "SHA-256 её весов";
    preprocessing: "Preprocessing", "Подготовка картинки";
    request: "Request", "Запрос";
    not_told: "not told by the server", "сервер не сообщил";
    model_and_revision(model: &str, revision: &str): "{model}, revision {revision}", "{model}, версия {revision}";
    copy_link: "Copy link to this answer", "Скопировать ссылку на ответ";
    copied: "Copied", "Скопировано";
    copy_by_hand: "To be copied by hand", "Скопируйте вручную";
    shared_answer: "Shared answer", "Ответ по ссылке";
    was_shared:
        "Somebody shared this answer with you. The link holds no picture.",
        "С вами поделились этим ответом. Картинки в ссылке нет.";
    picture_not_shared: "The picture was not shared", "Картинкой не делились";
    try_your_own: "Try a picture of your own", "Попробовать свою картинку";
}

impl Language {
    /// As exact as people compare them.
    pub(crate) fn milliseconds(self, duration_ms: f64) -> String {
        let decimals = usize::from(duration_ms < 10.0);
        let number = self.decimal(duration_ms, decimals);
        match self {
            Self::English => format!("{number} ms"),
            Self::Russian => format!("{number}\u{a0}мс"),
        }
    }

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
