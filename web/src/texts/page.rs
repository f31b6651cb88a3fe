//! The page's frame: title, header, language.

texts! {
    title: "What does your image show?", "Что на вашем изображении?";
    lead:
        "Choose an image. A neural network names what it sees, and how confident it is.",
        "Выберите изображение. Нейросеть назовёт, что на нём видит и насколько она уверена.";
}
