//! Application segments that affect the pixels: JFIF and Adobe set the colours, Exif the orientation.

/// How the components become red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    /// Also grey, which is Y' alone.
    YCbCr,
    Rgb,
    /// Inverted, as Adobe writes it and as browsers and Pillow read every file.
    Cmyk,
    /// Y'CbCr of inverted CMY, and inverted black.
    Ycck,
}

/// What the application segments read so far say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Application<'a> {
    jfif: bool,
    adobe_transform: Option<u8>,
    /// Of the first Exif segment that is not empty, whether it can be parsed or not: Pillow and Chromium look at no other.
    pub(crate) exif: Option<&'a [u8]>,
}

impl<'a> Application<'a> {
    pub(crate) fn read_jfif(&mut self, content: &[u8]) {
        self.jfif |= content.len() >= 14 && content.starts_with(b"JFIF\0");
    }

    pub(crate) fn read_exif(&mut self, content: &'a [u8]) {
        if self.exif.is_none() {
            let exif = content.strip_prefix(b"Exif\0\0");
            self.exif = exif.filter(|exif| !exif.is_empty());
        }
    }

    pub(crate) fn read_adobe(&mut self, content: &[u8]) {
        if content.starts_with(b"Adobe")
            && let Some(&transform) = content.get(11)
        {
            self.adobe_transform = Some(transform);
        }
    }

    /// Follows libjpeg's rules: JFIF is always Y'CbCr, Adobe states it, and otherwise the component ids decide.
    pub(crate) fn colour(&self, ids: &[u8]) -> Colour {
        match (ids, self.jfif, self.adobe_transform) {
            ([_, _, _], false, Some(0)) | (b"RGB", false, None) => Colour::Rgb,
            ([_, _, _, _], _, None | Some(0)) => Colour::Cmyk,
            ([_, _, _, _], ..) => Colour::Ycck,
            _ => Colour::YCbCr,
        }
    }
}
