//! Classifies files that are hard to read, and compares the answers with those of Pillow and Chromium.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, ensure};

use crate::{
    process::{command, run},
    root,
};

/// How far apart probabilities of the same image may be.
const PROBABILITY_TOLERANCE: f64 = 0.06;
const MILLISECONDS_MAX: u64 = 400;
const MEBIBYTES_MAX: u64 = 340;

/// An answer: class and probability.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Answer {
    index: u32,
    probability: f64,
}

/// A file's result, a reference's or ours.
#[derive(Debug, PartialEq)]
enum Outcome {
    Answered {
        answer: Answer,
        milliseconds: u64,
        mebibytes: u64,
    },
    Rejected(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// As both references, or as the only one that answers.
    Right,
    /// Unlike both references, which agree.
    Wrong,
    Rejected,
    /// Unlike the only reference that answers, or like neither of two that differ.
    Differs,
}

/// Classifies each file that `cases.csv` in `folder` names, with a program of the dev profile or a release build.
///
/// # Errors
/// If an answer is wrong, takes too long or too much memory, or if the files cannot be read.
pub(crate) fn compare(folder: &str, dev: bool) -> anyhow::Result<()> {
    let folder = root().join(folder);
    let table = fs::read_to_string(folder.join("cases.csv")).context("there is no cases.csv")?;
    let profile: &[&str] = if dev { &[] } else { &["--release"] };
    // Without `-p`, so that the dependencies are those of the tests.
    let example = ["--example", "classify_case"];
    run(command("cargo")
        .args(["build", "--quiet"])
        .args(example)
        .args(profile))?;
    let built = if profile.is_empty() {
        "debug"
    } else {
        "release"
    };
    let program = root()
        .join("target")
        .join(built)
        .join("examples/classify_case");

    println!(
        "{:34} {:>12} {:>12} {:>12} {:>6} {:>5}  verdict",
        "file", "ours", "Pillow", "Chromium", "ms", "MiB"
    );
    let mut wrong = 0;
    let mut counts = [0; 4];
    for line in table.lines().skip(1) {
        let case = Case::parse(line).with_context(|| format!("a strange line: {line}"))?;
        let outcome = classify(&program, &folder.join("files").join(case.file))?;
        let verdict = case.verdict(&outcome);
        counts[verdict as usize] += 1;
        let mut line = case.line(&outcome, verdict);
        let is_costly = matches!(outcome, Outcome::Answered { milliseconds, mebibytes, .. }
            if milliseconds > MILLISECONDS_MAX || mebibytes > MEBIBYTES_MAX);
        if is_costly {
            line += ", over the limit of time or memory";
        }
        wrong += u32::from(verdict == Verdict::Wrong || is_costly);
        println!("{line}");
    }
    let [right, wrong_answers, rejected, differs] = counts;
    println!("{right} right, {wrong_answers} wrong, {rejected} rejected, {differs} differ");
    ensure!(wrong == 0, "{wrong} files are wrong or too costly");
    Ok(())
}

fn classify(program: &Path, file: &Path) -> anyhow::Result<Outcome> {
    let output = Command::new(program).arg(file).output()?;
    ensure!(output.status.success(), "{} panicked", file.display());
    let line = String::from_utf8(output.stdout)?;
    parse_outcome(line.trim()).with_context(|| format!("a strange answer: {line}"))
}

fn parse_outcome(line: &str) -> Option<Outcome> {
    if let Some(reason) = line.strip_prefix("rejected ") {
        return Some(Outcome::Rejected(reason.to_owned()));
    }
    let mut words = line.split(' ');
    let index = words.next()?.parse().ok()?;
    let probability = words.next()?.parse().ok()?;
    let mut numbers = words.map(|word| word.parse::<u64>().ok());
    let (_width, _height) = (numbers.next()??, numbers.next()??);
    Some(Outcome::Answered {
        answer: Answer { index, probability },
        milliseconds: numbers.next()??,
        mebibytes: numbers.next()?? / 1024,
    })
}

/// A line of cases.csv.
struct Case<'a> {
    file: &'a str,
    pillow: Option<Answer>,
    chromium: Option<Answer>,
}

impl<'a> Case<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.split(',');
        let file = fields.next()?;
        let mut reference = || {
            let (index, probability, _size) = (fields.next()?, fields.next()?, fields.next()?);
            if index.is_empty() {
                return Some(None);
            }
            let (index, probability) = (index.parse().ok()?, probability.parse().ok()?);
            Some(Some(Answer { index, probability }))
        };
        Some(Self {
            file,
            pillow: reference()?,
            chromium: reference()?,
        })
    }

    fn verdict(&self, outcome: &Outcome) -> Verdict {
        let Outcome::Answered { answer, .. } = outcome else {
            return Verdict::Rejected;
        };
        let references = [self.pillow, self.chromium].map(Option::into_iter);
        let agrees = references
            .into_iter()
            .flatten()
            .any(|reference| reference.is_like(*answer));
        match (self.pillow, self.chromium) {
            _ if agrees => Verdict::Right,
            (Some(pillow), Some(chromium)) if pillow.is_like(chromium) => Verdict::Wrong,
            _ => Verdict::Differs,
        }
    }

    fn line(&self, outcome: &Outcome, verdict: Verdict) -> String {
        let shown = |answer: Option<Answer>| {
            answer.map_or_else(
                || "-".to_owned(),
                |a| format!("{}:{:.3}", a.index, a.probability),
            )
        };
        let (ours, milliseconds, mebibytes, reason) = match outcome {
            Outcome::Answered {
                answer,
                milliseconds,
                mebibytes,
            } => (
                Some(*answer),
                milliseconds.to_string(),
                mebibytes.to_string(),
                "",
            ),
            Outcome::Rejected(reason) => (None, String::new(), String::new(), reason.as_str()),
        };
        let verdict = format!("{verdict:?}").to_lowercase();
        format!(
            "{:34} {:>12} {:>12} {:>12} {milliseconds:>6} {mebibytes:>5}  {verdict} {reason}",
            self.file,
            shown(ours),
            shown(self.pillow),
            shown(self.chromium)
        )
    }
}

impl Answer {
    fn is_like(self, other: Self) -> bool {
        self.index == other.index
            && (self.probability - other.probability).abs() <= PROBABILITY_TOLERANCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(index: u32, probability: f64) -> Outcome {
        Outcome::Answered {
            answer: Answer { index, probability },
            milliseconds: 3,
            mebibytes: 90,
        }
    }

    #[test]
    fn a_result_is_compared_with_references_that_agree() {
        let both = "a.jpg,282,0.408,451x300,282,0.392,451x300,400 X,\"two, with a comma\"";
        let one = "a.jpg,,,,285,0.391,451x300,400 X,";
        let two = "a.gif,281,0.552,451x300,111,0.021,451x300,400 X,";
        let none = "a.jpg,,,,,,,282:0.395 451x300,marker";
        for (line, outcome, expected) in [
            (both, answered(282, 0.45), Verdict::Right),
            (both, answered(282, 0.50), Verdict::Wrong),
            (both, answered(285, 0.40), Verdict::Wrong),
            (both, Outcome::Rejected(String::new()), Verdict::Rejected),
            (one, answered(285, 0.40), Verdict::Right),
            (one, answered(282, 0.40), Verdict::Differs),
            (two, answered(111, 0.02), Verdict::Right),
            (two, answered(5, 0.5), Verdict::Differs),
            (none, answered(5, 0.5), Verdict::Differs),
        ] {
            let case = Case::parse(line).unwrap();
            assert_eq!(case.verdict(&outcome), expected, "{line} {outcome:?}");
        }
    }

    #[test]
    fn the_programs_line_is_a_result_or_a_reason() {
        let expected = Outcome::Answered {
            answer: Answer {
                index: 282,
                probability: 0.408,
            },
            milliseconds: 12,
            mebibytes: 100,
        };
        assert_eq!(parse_outcome("282 0.408 451 300 12 102500"), Some(expected));
        let rejected = Outcome::Rejected("this is a HEIC image".to_owned());
        assert_eq!(
            parse_outcome("rejected this is a HEIC image"),
            Some(rejected)
        );
        assert_eq!(parse_outcome("282 0.408 451"), None);
    }
}
