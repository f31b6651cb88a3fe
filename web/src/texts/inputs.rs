//! How an image comes to the page.

texts! {
    choose_an_image: "Choose an image", "Выбрать изображение";
    another_image: "Another image", "Другое изображение";
    choose_a_folder: "Choose a folder", "Выбрать папку";
    take_a_photo: "Take a photo", "Сфотографировать";
    paste: "Paste", "Вставить";
    web_address: "Web address", "Адрес в интернете";
    address_of_image: "Address of an image", "Адрес изображения";
    fetch_it: "Fetch", "Загрузить";
    fetching_from(site: &str): "Fetching the image from {site}.", "Загружаю изображение с {site}.";
    reading: "Reading the image.", "Читаю изображение.";
    shrink_large: "Shrink large images before sending", "Уменьшать большие изображения перед отправкой";
    or_paste: "or paste with ", "или вставьте: ";
    drop_an_image_here: "Drop images anywhere on this page", "Перетащите изображения на эту страницу";
    formats: "JPEG, PNG, WebP, GIF, AVIF and others", "JPEG, PNG, WebP, GIF, AVIF и другие";
    drop_it: "Drop it to see what it shows", "Отпустите, чтобы узнать, что на нём";
    your_image(name: &str): "Your image, {name}", "Ваше изображение, {name}";
    cannot_display(name: &str): "This browser cannot display {name}.", "Браузер не может показать {name}.";
    no_image_at_hand: "No image at hand? Try one of these.", "Нет изображения под рукой? Возьмите одно из этих.";
    sample_coffee: "Coffee", "Кофе";
    sample_cat: "Cat", "Кошка";
    sample_rocket: "Rocket", "Ракета";
    sample_pasture: "Pasture", "Пастбище";
}
