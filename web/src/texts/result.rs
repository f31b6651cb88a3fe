//! The result of a classification.

use crate::texts::{Forms, Language};

texts! {
    result: "Result", "Результат";
    classifying: "Classifying …", "Распознаю…";
    classifying_image(name: &str): "Classifying {name}.", "Распознаю {name}.";
    unsure(percent: u32):
        "Low confidence: no class reaches {percent}%. Take these as guesses.",
        "Низкая уверенность: ни один класс не набрал {percent} %. Это лишь догадки.";
    unknown: "Unknown", "Неизвестно";
    unknown_note(closest: &str, percent: &str):
        "This resembles none of the model's classes. Closest: {closest}, {percent}.",
        "Это не похоже ни на один класс модели. Ближе всего: {closest}, {percent}.";
    took(duration: &str): "{duration} in total", "Всего {duration}";
    upload: "upload", "передача";
    queue: "queue", "очередь";
    decode: "decoding", "декодирование";
    inference: "inference", "вычисление";
    synonyms: "Synonyms", "Синонимы";
    top(count: usize): "Top {count}", "Первые {count}";
    classes_shown: "Classes shown", "Показывать классов";
    details: "Details", "Подробности";
    model: "Model", "Модель";
    revision: "Revision", "Версия";
    weights: "SHA-256 of the weights", "SHA-256 весов";
    preprocessing: "Preprocessing", "Предобработка";
    known_score: "Similarity to the closest class", "Сходство с ближайшим классом";
    request_id: "Request ID", "Номер запроса";
    not_reported: "not reported by the server", "сервер не сообщил";
    model_and_revision(model: &str, revision: &str): "{model}, revision {revision}", "{model}, версия {revision}";
    copy_link: "Copy link", "Скопировать ссылку";
    compare: "Compare", "Сравнить";
    comparison: "Comparison", "Сравнение";
    compare_hint:
        "Choose another image or another model. Its answer appears here.",
        "Выберите другое изображение или другую модель. Ответ появится здесь.";
    history: "History", "История";
    wrong: "Wrong?", "Неверно?";
    correct_class: "Correct class", "Правильный класс";
    send: "Send", "Отправить";
    correction_note:
        "The server keeps this image and the class, so that a model can learn from them.",
        "Сервер сохранит это изображение и класс, чтобы на них могла учиться модель.";
    sending_correction: "Sending …", "Отправляю…";
    correction_kept(label: &str):
        "The server keeps it as \u{201c}{label}\u{201d}. Thank you.",
        "Сервер сохранил его как «{label}». Спасибо.";
    copied: "Copied", "Скопировано";
    copy_by_hand: "Copy this by hand", "Скопируйте вручную";
    shared_result: "Shared result", "Результат по ссылке";
    was_shared:
        "This result was shared with you. The link does not contain the image.",
        "С вами поделились этим результатом. Изображения в ссылке нет.";
    try_your_own: "Try an image of your own", "Попробовать своё изображение";
}

const CLASSES: Forms = Forms {
    english: ["class", "classes"],
    russian: ["класс", "класса", "классов"],
};

impl Language {
    pub(crate) fn classes(self, count: u64) -> String {
        self.count(count, &CLASSES)
    }

    /// With one decimal below 10 ms.
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
