//! Several images at once, and how far each is.

use crate::texts::{Forms, Language};

texts! {
    queued: "queued", "в очереди";
    preparing: "preparing", "готовится";
    sending(percent: &str): "uploading, {percent}%", "отправка, {percent} %";
    awaiting: "classifying", "распознаётся";
    cancelled: "cancelled", "отменено";
    cancelled_image(name: &str): "The request for {name} was cancelled.", "{name}: запрос отменён.";
    cancel: "Cancel", "Отменить";
    cancel_all: "Cancel all", "Отменить все";
    retry_rest: "Retry failed and cancelled", "Повторить неудачные и отменённые";
    save_csv: "Save CSV", "Сохранить CSV";
    save_json: "Save JSON", "Сохранить JSON";
    clear: "Close list", "Закрыть список";
    find: "Find", "Найти";
    show: "Show", "Показать";
    show_only_failed: "Show failed", "Показать неудачные";
    show_all: "all", "все";
    show_classified: "classified", "распознанные";
    show_unsure: "low confidence", "с низкой уверенностью";
    show_unknown: "unknown", "неизвестные";
    unsure_label(label: &str): "{label} (low confidence)", "{label} (низкая уверенность)";
    unknown_closest(closest: &str): "unknown (closest: {closest})", "неизвестно (ближе всего: {closest})";
    show_failed: "failed", "неудачные";
    show_cancelled: "cancelled", "отменённые";
    show_unfinished: "in progress", "в работе";
    sort: "Sort", "Порядок";
    failed_first: "failed first", "сначала неудачные";
    as_added: "as added", "как добавлены";
    by_name: "name", "имя";
    by_label: "result", "результат";
    lowest_confidence_first: "lowest confidence first", "сначала низкая уверенность";
    highest_confidence_first: "highest confidence first", "сначала высокая уверенность";
    slowest_first: "slowest first", "сначала долгие";
    images: "Images", "Изображения";
    no_such_row: "No image matches.", "Ничего не подходит.";
}

const IMAGES: Forms = Forms {
    english: ["image", "images"],
    russian: ["изображения", "изображений", "изображений"],
};

impl Language {
    pub(crate) fn columns(self) -> [&'static str; 5] {
        match self {
            Self::English => ["Preview", "Name", "Result", "Confidence", "Time"],
            Self::Russian => ["Вид", "Имя", "Результат", "Уверенность", "Время"],
        }
    }

    /// "3 of 40 images done, 1 unknown, 1 failed, 2 cancelled".
    pub(crate) fn so_many_done(
        self,
        done: usize,
        all: usize,
        unknown: usize,
        failed: usize,
        cancelled: usize,
    ) -> String {
        let all = self.count(all as u64, &IMAGES);
        let mut sentence = match self {
            Self::English => format!("{done} of {all} done"),
            Self::Russian => format!("Готово {done} из {all}"),
        };
        for (count, english, russian) in [
            (unknown, "unknown", "неизвестно"),
            (failed, "failed", "неудачно"),
            (cancelled, "cancelled", "отменено"),
        ] {
            match (count, self) {
                (0, _) => {}
                (_, Self::English) => sentence += &format!(", {count} {english}"),
                (_, Self::Russian) => sentence += &format!(", {russian}: {count}"),
            }
        }
        sentence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_stated_in_numbers() {
        let cases = [
            (
                (3, 40, 0, 0, 0),
                "3 of 40 images done",
                "Готово 3 из 40 изображений",
            ),
            (
                (1, 1, 0, 1, 0),
                "1 of 1 image done, 1 failed",
                "Готово 1 из 1 изображения, неудачно: 1",
            ),
            (
                (5, 5, 1, 1, 2),
                "5 of 5 images done, 1 unknown, 1 failed, 2 cancelled",
                "Готово 5 из 5 изображений, неизвестно: 1, неудачно: 1, отменено: 2",
            ),
        ];
        for ((done, all, unknown, failed, cancelled), english, russian) in cases {
            let sentence =
                |language: Language| language.so_many_done(done, all, unknown, failed, cancelled);
            assert_eq!(sentence(Language::English), english);
            assert_eq!(sentence(Language::Russian), russian);
        }
    }
}
