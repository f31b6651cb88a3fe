//! What the network saw of the image, and where.

use crate::texts::Language;

texts! {
    image_view: "Image view", "Вид изображения";
    original: "Original", "Оригинал";
    model_input: "Model input", "Вход модели";
    heatmap: "Heatmap", "Теплокарта";
    seen_note(pixels: u32):
        "The network saw this square of the image, at {pixels} × {pixels} pixels.",
        "Сеть видела этот квадрат изображения, {pixels} × {pixels} точек.";
    weak_evidence: "weaker evidence", "признаки слабее";
    strong_evidence: "stronger", "сильнее";
    overlay_opacity: "Overlay opacity", "Непрозрачность наложения";
}

/// A part of the square that the network saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    UpperLeft,
    Top,
    UpperRight,
    Left,
    Centre,
    Right,
    LowerLeft,
    Bottom,
    LowerRight,
}

impl Language {
    /// A heatmap in words.
    pub(crate) fn heat(self, class: &str, strongest: Option<Place>) -> String {
        match (self, strongest) {
            (Self::English, Some(place)) => {
                format!(
                    "The strongest evidence for {class} is {}.",
                    self.place(place)
                )
            }
            (Self::English, None) => format!("The image has no evidence for {class}."),
            (Self::Russian, Some(place)) => {
                format!("Больше всего признаков «{class}» {}.", self.place(place))
            }
            (Self::Russian, None) => format!("На изображении нет признаков «{class}»."),
        }
    }

    fn place(self, place: Place) -> &'static str {
        let (english, russian) = match place {
            Place::UpperLeft => ("in the upper left", "слева вверху"),
            Place::Top => ("at the top", "вверху"),
            Place::UpperRight => ("in the upper right", "справа вверху"),
            Place::Left => ("on the left", "слева"),
            Place::Centre => ("in the centre", "в центре"),
            Place::Right => ("on the right", "справа"),
            Place::LowerLeft => ("in the lower left", "слева внизу"),
            Place::Bottom => ("at the bottom", "внизу"),
            Place::LowerRight => ("in the lower right", "справа внизу"),
        };
        match self {
            Self::English => english,
            Self::Russian => russian,
        }
    }
}
