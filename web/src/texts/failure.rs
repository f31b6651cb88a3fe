//! Why there is no result, and what one can do.

use crate::texts::{Forms, Language};

texts! {
    megabytes: "MB", "МБ";
    try_again: "Try again", "Повторить";
    not_an_image(name: &str):
        "{name} is not an image this page can read. Choose a JPEG, PNG, WebP or GIF.",
        "{name}: такое изображение страница прочитать не может. Выберите JPEG, PNG, WebP или GIF.";
    is_empty(name: &str): "{name} is empty. Choose another image.", "{name}: файл пуст. Выберите другое изображение.";
    unreadable(name: &str):
        "{name} could not be read. Try again, or choose another image.",
        "{name}: не удалось прочитать. Повторите или выберите другое изображение.";
    nothing_pasted:
        "What you pasted contains no image. Copy an image, then paste again.",
        "Во вставленном нет изображения. Скопируйте изображение и вставьте снова.";
    nothing_dropped:
        "What you dropped contains no image. Drop an image file, or an image from another page.",
        "В том, что вы перетащили, нет изображения. Перетащите файл или картинку с другой страницы.";
    drop_unreadable:
        "The browser could not read what you dropped. Save it as a file, then drop that.",
        "Браузер не смог прочитать то, что вы перетащили. Сохраните это в файл и перетащите его.";
    closed_address:
        "This page cannot open this address. Save the image as a file, then drop that.",
        "Эта страница не может открыть этот адрес. Сохраните изображение в файл и перетащите его.";
    too_large(name: &str, size: &str, limit: &str):
        "{name} is {size}; the limit is {limit}. Choose a smaller image.",
        "{name}: {size}, а можно не больше {limit}. Выберите изображение поменьше.";
    far_too_large(name: &str):
        "{name} is too large. Choose a smaller image.",
        "{name}: файл слишком велик. Выберите изображение поменьше.";
    unshrinkable(name: &str):
        "{name} is too large for the server, and this browser cannot shrink it. Choose a smaller image.",
        "{name}: файл слишком велик для сервера, и браузер не может его уменьшить. Выберите изображение поменьше.";
    shrink_and_retry: "Shrink and retry", "Уменьшить и повторить";
    nothing_found:
        "This folder has no images. Choose another one.",
        "В этой папке нет изображений. Выберите другую.";
    other_site(site: &str):
        "{site} does not let this page fetch its image. Save the image, then drop the file here.",
        "{site} не даёт этой странице загрузить изображение. Сохраните изображение и перетащите сюда файл.";
    corrupt(name: &str):
        "{name} is corrupt or unsupported. Save it again as JPEG or PNG, then choose that.",
        "{name}: файл повреждён или не поддерживается. Сохраните его снова как JPEG или PNG и выберите.";
    too_many_pixels(name: &str, width: &str, height: &str, megapixels: u64):
        "{name} has {width} × {height} pixels; the limit is {megapixels} megapixels. Make it smaller, then choose it again.",
        "{name}: {width} × {height} точек, а можно не больше {megapixels} мегапикселей. Уменьшите изображение и выберите снова.";
    unusual_dimensions(name: &str):
        "{name} has too many pixels, or none. Choose another image.",
        "{name}: точек слишком много или нет вовсе. Выберите другое изображение.";
    busy(later: &str): "The server is busy. {later}", "Сервер занят. {later}";
    too_many_requests(later: &str): "Too many requests. {later}", "Слишком много запросов. {later}";
    not_ready(later: &str):
        "The server is starting or stopping. {later}",
        "Сервер запускается или останавливается. {later}";
    in_a_moment: "Try again in a moment.", "Повторите немного позже.";
    too_late(name: &str):
        "The server took too long to classify {name}. Try again.",
        "{name}: сервер не успел ответить. Повторите.";
    no_answer:
        "The server does not answer. Check that it is running, then try again.",
        "Сервер не отвечает. Проверьте, что он запущен, и повторите.";
    rejected(name: &str):
        "The server rejected {name}. Choose another image.",
        "{name}: сервер отказал. Выберите другое изображение.";
    not_from_this_page:
        "The server accepts no requests from this page. Ask its administrator.",
        "Сервер не принимает запросов с этой страницы. Обратитесь к его администратору.";
    other_version:
        "This page and its server have different versions. Reload the page.",
        "У страницы и сервера разные версии. Перезагрузите страницу.";
    server_failed(name: &str):
        "The server failed to classify {name}. Try another image.",
        "{name}: ошибка на сервере. Попробуйте другое изображение.";
    server_failed_logged(name: &str, request_id: &str):
        "The server failed to classify {name}. Its log has details under {request_id}. Try another image.",
        "{name}: ошибка на сервере, подробности в его журнале под номером {request_id}. Попробуйте другое изображение.";
    model_missing:
        "The server no longer has this model. Try again with another one.",
        "На сервере больше нет этой модели. Повторите с другой.";
    feedback_full:
        "The server keeps no more images. Its administrator can make room.",
        "Сервер больше не хранит изображений. Место может освободить его администратор.";
    link_damaged:
        "This link to a result is damaged. Ask for it again, or choose an image of your own.",
        "Эта ссылка на результат повреждена. Попросите её снова или выберите своё изображение.";
    token_required:
        "This server requires an access token. Enter yours, or ask the administrator for one.",
        "Этому серверу нужен токен доступа. Введите свой или попросите его у администратора.";
    token_rejected:
        "The server rejected this access token. Check it and enter it again, or ask the administrator.",
        "Сервер не принял этот токен. Проверьте и введите снова или обратитесь к администратору.";
    token_unusable:
        "This cannot be an access token: it has a space or an invalid character. Copy it again.",
        "Это не токен доступа: в нём пробел или недопустимый знак. Скопируйте его снова.";
    access_token: "Access token", "Токен доступа";
    token_kept: "Kept until you close this tab.", "Хранится, пока открыта эта вкладка.";
    use_token: "Use token and try again", "Использовать и повторить";
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
            Self::English => format!("Wait {wait} and try again."),
            Self::Russian => format!("Подождите {wait} и повторите."),
        }
    }
}
