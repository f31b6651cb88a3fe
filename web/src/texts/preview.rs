//! What the network saw of the picture, and where.

use crate::texts::Language;

texts! {
    what_it_saw: "What the network saw", "Что видела сеть";
    seen_note(pixels: u32):
        "Of the whole picture the network got this square, at {pixels} × {pixels} pixels.",
        "Из всей картинки сеть получила этот квадрат, {pixels} × {pixels} точек.";
    speaks_for: "speaks for it", "говорит за";
    speaks_against: "speaks against it", "говорит против";
    cover: "Strength of the colours", "Сила цвета";
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
                    "What speaks for {class} is strongest {}.",
                    self.place(place)
                )
            }
            (Self::English, None) => format!("Nothing in the picture speaks for {class}."),
            (Self::Russian, Some(place)) => {
                format!(
                    "За «{class}» сильнее всего говорит область {}.",
                    self.place(place)
                )
            }
            (Self::Russian, None) => format!("Ничто на картинке не говорит за «{class}»."),
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
