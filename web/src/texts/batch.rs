//! Many pictures at once, and how far each call is.

use crate::texts::{Forms, Language};

texts! {
    queued: "waiting", "ждёт";
    preparing: "preparing", "готовится";
    sending(percent: &str): "sending, {percent}%", "отправка, {percent} %";
    awaiting: "looking", "смотрит";
    cancelled: "cancelled", "отменено";
    cancel: "Cancel", "Отменить";
    cancel_all: "Cancel all", "Отменить все";
    retry_failed: "Retry failed", "Повторить неудачные";
    save_csv: "Save CSV", "Сохранить CSV";
    save_json: "Save JSON", "Сохранить JSON";
    clear: "Close list", "Закрыть список";
    find: "Find", "Найти";
    show: "Show", "Показать";
    show_all: "all", "все";
    show_answered: "answered", "с ответом";
    show_unsure: "not sure", "без уверенности";
    show_failed: "failed", "неудачные";
    show_unfinished: "not done yet", "ещё не готовые";
    sort: "Sort", "Порядок";
    as_added: "as added", "как добавлены";
    by_name: "name", "имя";
    by_answer: "answer", "ответ";
    least_sure_first: "least sure first", "сначала сомнительные";
    most_sure_first: "most sure first", "сначала уверенные";
    slowest_first: "slowest first", "сначала долгие";
    pictures: "Pictures", "Картинки";
    no_such_row: "No picture matches.", "Ничего не подходит.";
}

const PICTURES: Forms = Forms {
    english: ["picture", "pictures"],
    russian: ["картинки", "картинок", "картинок"],
};

impl Language {
    pub(crate) fn columns(self) -> [&'static str; 6] {
        match self {
            Self::English => ["Preview", "Name", "Answer", "Sure", "Time", "Action"],
            Self::Russian => ["Вид", "Имя", "Ответ", "Уверенность", "Время", "Действие"],
        }
    }

    /// "3 of 40 pictures done, 1 failed".
    pub(crate) fn so_many_done(self, done: usize, all: usize, failed: usize) -> String {
        let all = self.count(all as u64, &PICTURES);
        let sentence = match self {
            Self::English => format!("{done} of {all} done"),
            Self::Russian => format!("Готово {done} из {all}"),
        };
        match (failed, self) {
            (0, _) => sentence,
            (_, Self::English) => format!("{sentence}, {failed} failed"),
            (_, Self::Russian) => format!("{sentence}, неудачно: {failed}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_told_in_numbers() {
        let cases = [
            (
                (3, 40, 0),
                "3 of 40 pictures done",
                "Готово 3 из 40 картинок",
            ),
            (
                (1, 1, 1),
                "1 of 1 picture done, 1 failed",
                "Готово 1 из 1 картинки, неудачно: 1",
            ),
        ];
        for ((done, all, failed), english, russian) in cases {
            assert_eq!(Language::English.so_many_done(done, all, failed), english);
            assert_eq!(Language::Russian.so_many_done(done, all, failed), russian);
        }
    }
}
