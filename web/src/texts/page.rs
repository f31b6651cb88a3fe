//! The page's frame: title, header, footer.

texts! {
    title: "What does your image show?", "Что на вашем изображении?";
    lead:
        "A neural network names what it sees, how confident it is, and why.",
        "Нейросеть назовёт, что на нём видит, насколько она уверена и почему.";
    privacy:
        "Images go to this server to be classified. It does not keep them.",
        "Изображения отправляются на этот сервер для распознавания. Он их не хранит.";
    privacy_with_feedback:
        "Images go to this server to be classified. It keeps only those that you correct with \u{201c}Wrong?\u{201d}.",
        "Изображения отправляются на этот сервер для распознавания. Он хранит только те, что вы исправили по кнопке «Неверно?».";
    documentation: "Documentation", "Документация";
    source: "Source", "Исходный код";
    licence: "Licence", "Лицензия";
    theme: "Theme", "Тема";
    theme_system: "System", "Как в системе";
    theme_light: "Light", "Светлая";
    theme_dark: "Dark", "Тёмная";
    language: "Language", "Язык";
}
