//! How a picture comes to the page.

texts! {
    choose_a_picture: "Choose a picture", "Выбрать картинку";
    choose_a_folder: "Choose a folder", "Выбрать папку";
    take_a_photo: "Take a photo", "Сфотографировать";
    fetching_from(site: &str): "Fetching the picture from {site}.", "Загружаю картинку с {site}.";
    reading: "Reading the image.", "Читаю изображение.";
    shrink_large: "Shrink large pictures before sending", "Уменьшать большие картинки перед отправкой";
    or_drop_or_paste: "or drop it anywhere, or paste it with ", "или перетащите её сюда, или вставьте: ";
    drop_a_picture_here: "Drop a picture here", "Перетащите картинку сюда";
    formats: "JPEG, PNG, WebP, GIF or BMP", "JPEG, PNG, WebP, GIF или BMP";
    drop_it: "Drop it to see what it shows", "Отпустите, чтобы узнать, что на ней";
    your_picture(name: &str): "Your picture, {name}", "Ваша картинка, {name}";
    cannot_display(name: &str): "This browser cannot display {name}.", "Браузер не может показать {name}.";
    no_picture_at_hand: "No picture at hand? Try one of these.", "Нет картинки под рукой? Возьмите одну из этих.";
    sample_coffee: "Coffee", "Кофе";
    sample_cat: "Cat", "Кошка";
    sample_rocket: "Rocket", "Ракета";
    sample_pasture: "Pasture", "Пастбище";
}
