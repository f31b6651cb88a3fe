//! Why there is no answer, and what one can do.

use crate::texts::{Forms, Language};

texts! {
    megabytes: "MB", "МБ";
    try_again: "Try again", "Повторить";
    not_a_picture(name: &str):
        "{name} is not an image this page can read. Choose a JPEG, PNG, WebP, GIF or BMP.",
        "{name}: такое изображение страница прочитать не может. Выберите JPEG, PNG, WebP, GIF или BMP.";
    is_empty(name: &str): "{name} is empty. Choose another picture.", "{name}: файл пуст. Выберите другую картинку.";
    unreadable(name: &str):
        "{name} could not be read. Try again, or choose another picture.",
        "{name}: не удалось прочитать. Повторите или выберите другую картинку.";
    nothing_pasted:
        "What you pasted holds no image. Copy an image, then paste again.",
        "Во вставленном нет изображения. Скопируйте изображение и вставьте снова.";
    nothing_dropped:
        "What you dropped holds no image. Drop an image file, or an image from another page.",
        "В том, что вы перетащили, нет изображения. Перетащите файл или картинку с другой страницы.";
    drop_unreadable:
        "The browser could not read what you dropped. Save it as a file, then drop that.",
        "Браузер не смог прочитать то, что вы перетащили. Сохраните это в файл и перетащите его.";
    closed_address:
        "This page cannot open this address. Save the image as a file, then drop that.",
        "Эта страница не может открыть этот адрес. Сохраните изображение в файл и перетащите его.";
    too_large(name: &str, size: &str, limit: &str):
        "{name} is {size}; the limit is {limit}. Choose a smaller picture.",
        "{name}: {size}, а можно не больше {limit}. Выберите картинку поменьше.";
    far_too_large(name: &str):
        "{name} is too large. Choose a smaller picture.",
        "{name}: файл слишком велик. Выберите картинку поменьше.";
    unshrinkable(name: &str):
        "{name} is too large for the server, and this browser cannot make it smaller. Choose a smaller picture.",
        "{name}: слишком велик для сервера, и уменьшить его браузер не может. Выберите картинку поменьше.";
    shrink_and_retry: "Shrink and retry", "Уменьшить и повторить";
    nothing_found:
        "There is no picture in this folder. Choose another one.",
        "В этой папке нет картинок. Выберите другую.";
    other_site(site: &str):
        "{site} does not let this page fetch its image. Save the image, then drop the file here.",
        "{site} не даёт этой странице загрузить изображение. Сохраните изображение и перетащите сюда файл.";
    damaged(name: &str):
        "{name} is corrupt or unsupported. Save it again as JPEG or PNG, then choose that.",
        "{name}: файл повреждён или не поддерживается. Сохраните его снова как JPEG или PNG и выберите.";
    too_many_pixels(name: &str, width: &str, height: &str, megapixels: u64):
        "{name} has {width} × {height} pixels; the limit is {megapixels} megapixels. Make it smaller, then choose it again.",
        "{name}: {width} × {height} точек, а можно не больше {megapixels} мегапикселей. Уменьшите картинку и выберите снова.";
    unusual_dimensions(name: &str):
        "{name} has too many pixels, or none. Choose another picture.",
        "{name}: точек слишком много или нет вовсе. Выберите другую картинку.";
    busy(later: &str): "The server is busy. {later}", "Сервер занят. {later}";
    too_often(later: &str):
        "You ask more often than this server allows. {later}",
        "Вы спрашиваете чаще, чем разрешает сервер. {later}";
    not_ready(later: &str):
        "The server is starting or stopping. {later}",
        "Сервер запускается или останавливается. {later}";
    in_a_moment: "Try again in a moment.", "Повторите немного позже.";
    too_late(name: &str):
        "The server took too long over {name}. Try again.",
        "{name}: сервер не успел ответить. Повторите.";
    no_answer:
        "The server does not answer. Check that it runs, then try again.",
        "Сервер не отвечает. Проверьте, что он запущен, и повторите.";
    refused(name: &str): "The server refused {name}. Choose another picture.", "{name}: сервер отказал. Выберите другую картинку.";
    not_from_this_page:
        "The server does not take calls from this page. Ask whoever runs it.",
        "Сервер не принимает запросов с этой страницы. Спросите того, кто им управляет.";
    given_up(name: &str): "The call about {name} was given up. Try again.", "{name}: запрос прерван. Повторите.";
    other_version:
        "This page is of another version than its server. Reload the page.",
        "Страница не той версии, что сервер. Перезагрузите её.";
    server_failed(name: &str):
        "The server failed over {name}. Try another picture.",
        "{name}: ошибка на сервере. Попробуйте другую картинку.";
    server_failed_logged(name: &str, request_id: &str):
        "The server failed over {name}. Its log says more under {request_id}. Try another picture.",
        "{name}: ошибка на сервере, в его журнале она под номером {request_id}. Попробуйте другую картинку.";
    link_damaged:
        "This link to an answer is damaged. Ask for it again, or choose a picture of your own.",
        "Эта ссылка на ответ повреждена. Попросите её снова или выберите свою картинку.";
    token_wanted:
        "This server answers only with an access token. Enter yours, or ask whoever runs the server for one.",
        "Этот сервер отвечает только по токену доступа. Введите свой или попросите его у того, кто управляет сервером.";
    token_refused:
        "The server did not accept this access token. Check it and enter it again, or ask whoever runs the server.",
        "Сервер не принял этот токен. Проверьте и введите снова или спросите того, кто управляет сервером.";
    token_unusable:
        "This cannot be an access token: it has a space or an unusual character. Copy it again.",
        "Это не токен доступа: в нём пробел или необычный знак. Скопируйте его снова.";
    access_token: "Access token", "Токен доступа";
    token_kept: "Kept until you close this tab.", "Хранится, пока открыта эта вкладка.";
    use_token: "Use it and try again", "Использовать и повторить";
}

impl Language {
    /// When to try again.
    pub(crate) fn try_again_in(self, seconds: u64) -> String {
        let wait = self.count(
            seconds,
            &Forms {
                english: ["second", "seconds"],
                russian: ["секунду", "секунды", "секунд"],
            },
        );
        match self {
            Self::English => format!("Try again in {wait}."),
            Self::Russian => format!("Повторите через {wait}."),
        }
    }
}
