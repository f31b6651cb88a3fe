//! The page's frame: title, header, language.

texts! {
    title: "What does your picture show?", "Что на вашей картинке?";
    lead:
        "Pick a photograph. A neural network names what it sees, and says how sure it is.",
        "Выберите фотографию. Нейросеть назовёт, что на ней видит, и скажет, насколько уверена.";
}
