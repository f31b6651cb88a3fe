//! The chunks of a WebP file, and WebP files that are cut.

use std::fs;

use imageclassifier_model::Input;

use super::{SIZE, decode, folder};

/// WebP is cut in the middle of data where nothing says which row that is.
#[test]
fn a_cut_webp_shows_the_rows_that_are_there() {
    for name in [
        "long-lossy.webp",
        "long-lossless.webp",
        "long-photo-lossless.webp",
        "long-alpha-lossless.webp",
        "long-alpha-lossy.webp",
        "long-frame-lossy.webp",
        "long-frame-lossless.webp",
        "long-frame-alpha-lossy.webp",
    ] {
        let whole = fs::read(folder().join(name)).unwrap();
        let complete = Input::prepare(&decode(&whole).unwrap());
        let cut = Input::prepare(&decode(&whole[..whole.len() * 2 / 3]).unwrap());
        let row = (SIZE * 3) as usize;
        let rows = cut.values().chunks_exact(row);
        let same = rows.zip(complete.values().chunks_exact(row));
        let same = same.take_while(|(cut, complete)| cut == complete).count();
        let white = cut.values().rchunks_exact(row);
        let white = white
            .take_while(|row| row.iter().all(|&value| value == 1.0))
            .count();
        assert!(same > SIZE as usize / 4, "{name}: {same} rows");
        // Between them lies what one more row and the resize's filter touch.
        assert!(
            white > 0 && same + white >= SIZE as usize - 25,
            "{name}: {same} and {white} rows"
        );
    }
}

fn position(file: &[u8], name: &[u8; 4]) -> usize {
    file.windows(4).position(|window| window == name).unwrap()
}

#[test]
fn a_webp_without_the_alpha_flag_is_opaque() {
    let veiled = fs::read(folder().join("bits-alpha.webp")).unwrap();
    let mut without_flag = veiled.clone();
    without_flag[20] &= !0x10;
    let (alpha, image) = (position(&veiled, b"ALPH"), position(&veiled, b"VP8 "));
    let without_alpha = [&without_flag[..alpha], &without_flag[image..]].concat();
    let [veiled, without_flag, without_alpha] =
        [veiled, without_flag, without_alpha].map(|bytes| Input::prepare(&decode(&bytes).unwrap()));
    assert!(without_flag == without_alpha);
    assert!(without_flag != veiled);
}

#[test]
fn the_first_frame_with_an_image_is_shown() {
    let animation = fs::read(folder().join("long-frame-lossy.webp")).unwrap();
    let (head, frames) = animation.split_at(position(&animation, b"ANMF"));
    let empty = [b"ANMF\x10\0\0\0", &frames[8..24]].concat();
    let later = [head, &empty, frames].concat();
    let [first, later] = [animation, later].map(|bytes| Input::prepare(&decode(&bytes).unwrap()));
    assert!(first == later);
}

/// Arbitrary bytes in place of the missing ones often encode fewer rows than these.
#[test]
fn a_lossy_webp_cut_anywhere_behind_an_eighth_of_its_rows_is_decoded() {
    let whole = fs::read(folder().join("long-lossy.webp")).unwrap();
    let mut wrong = Vec::new();
    for percent in 30..100 {
        if let Err(error) = decode(&whole[..whole.len() * percent / 100]) {
            wrong.push(format!("{percent} %: {error}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
