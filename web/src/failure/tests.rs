use std::{collections::HashMap, time::Duration};

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use super::*;

/// Code, reason and metadata sent; sentence and remedy shown.
type Case = (
    Code,
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
    Remedy,
);

fn call_error(
    code: Code,
    reason: &str,
    metadata: &[(&str, &str)],
    retry: Option<Duration>,
) -> CallError {
    let metadata: HashMap<_, _> = metadata
        .iter()
        .map(|&(key, value)| (key.into(), value.into()))
        .collect();
    let mut details = ErrorDetails::with_error_info(reason, "imageclassifier", metadata);
    if retry.is_some() {
        details.set_retry_info(retry);
    }
    Status::with_error_details(code, "for the log", details).into()
}

#[test]
fn each_reason_becomes_a_sentence_one_can_act_on() {
    use Code::{
        DeadlineExceeded, Internal, InvalidArgument, NotFound, ResourceExhausted, Unauthenticated,
        Unavailable,
    };
    use Remedy::{AccessToken, Another, Shrink, TryAgain};
    let cases: [Case; 13] = [
        (
            InvalidArgument,
            "IMAGE_EMPTY",
            &[],
            "a.jpg is empty. Choose another image.",
            Another,
        ),
        (
            InvalidArgument,
            "IMAGE_TOO_LARGE",
            &[("bytes", "13000000"), ("bytes_max", "10485760")],
            "a.jpg is 12.4 MB; the limit is 10 MB. Choose a smaller image.",
            Shrink,
        ),
        (
            InvalidArgument,
            "IMAGE_FORMAT_UNKNOWN",
            &[],
            "a.jpg is not an image this page can read. Choose a JPEG, PNG, WebP or GIF.",
            Another,
        ),
        (
            InvalidArgument,
            "IMAGE_UNDECODABLE",
            &[],
            "a.jpg is corrupt or unsupported. Save it again as JPEG or PNG, then choose that.",
            Another,
        ),
        (
            InvalidArgument,
            "IMAGE_DIMENSIONS",
            &[
                ("width", "8000"),
                ("height", "6000"),
                ("pixels_max", "25000000"),
            ],
            "a.jpg has 8000 × 6000 pixels; the limit is 25 megapixels. Make it smaller, then choose it again.",
            Shrink,
        ),
        (
            NotFound,
            "MODEL_UNKNOWN",
            &[],
            "The server no longer has this model. Try again with another one.",
            TryAgain,
        ),
        (
            ResourceExhausted,
            "OVERLOADED",
            &[],
            "The server is busy. Wait 3 seconds and try again.",
            TryAgain,
        ),
        (
            Unavailable,
            "NOT_READY",
            &[],
            "The server is starting or stopping. Wait 3 seconds and try again.",
            TryAgain,
        ),
        (
            ResourceExhausted,
            "RATE_LIMITED",
            &[],
            "Too many requests. Wait 3 seconds and try again.",
            TryAgain,
        ),
        (
            DeadlineExceeded,
            "DEADLINE_EXCEEDED",
            &[],
            "The server took too long to classify a.jpg. Try again.",
            TryAgain,
        ),
        (
            InvalidArgument,
            "TIMEOUT_MALFORMED",
            &[],
            "This page and its server have different versions. Reload the page.",
            Another,
        ),
        (
            Unauthenticated,
            "UNAUTHENTICATED",
            &[],
            "This server requires an access token. Enter yours, or ask the administrator for one.",
            AccessToken,
        ),
        (
            Internal,
            "INTERNAL_ERROR",
            &[("request_id", "r-1")],
            "The server failed to classify a.jpg. Its log has details under r-1. Try another image.",
            Another,
        ),
    ];
    for (code, reason, metadata, sentence, remedy) in cases {
        let error = call_error(code, reason, metadata, Some(Duration::from_millis(2_500)));
        let failure = Failure::call("a.jpg", &error);
        assert_eq!(failure.sentence(Language::English), sentence);
        assert_eq!(failure.remedy(), remedy, "{reason}");
    }
}

#[test]
fn an_error_without_a_reason_is_explained_by_its_kind() {
    let cases = [
        (
            Code::Unavailable,
            "The server does not answer. Check that it is running, then try again.",
            Remedy::TryAgain,
        ),
        (
            Code::DeadlineExceeded,
            "The server took too long to classify a.jpg. Try again.",
            Remedy::TryAgain,
        ),
        (
            Code::Unknown,
            "The server failed to classify a.jpg. Try another image.",
            Remedy::Another,
        ),
        (
            Code::PermissionDenied, // what a 403 becomes: a token would not help
            "The server accepts no requests from this page. Ask its administrator.",
            Remedy::Another,
        ),
        (
            Code::Unimplemented,
            "This page and its server have different versions. Reload the page.",
            Remedy::Another,
        ),
    ];
    for (code, sentence, remedy) in cases {
        let failure = Failure::call("a.jpg", &Status::new(code, "").into());
        assert_eq!(failure.sentence(Language::English), sentence);
        assert_eq!(failure.remedy(), remedy, "{code:?}");
    }
}

#[test]
fn every_retryable_failure_offers_a_retry() {
    for code in 1..=16 {
        let error = CallError::from(Status::new(Code::from(code), ""));
        if error.kind().is_retryable() {
            assert_eq!(
                Failure::call("a.jpg", &error).remedy(),
                Remedy::TryAgain,
                "{:?}",
                error.kind()
            );
        }
    }
}

#[test]
fn a_wait_is_said_in_whole_seconds_never_too_few() {
    let cases = [
        (None, "The server is busy. Try again in a moment."),
        (Some(0), "The server is busy. Try again in a moment."),
        (Some(1), "The server is busy. Wait 1 second and try again."),
        (
            Some(1_000),
            "The server is busy. Wait 1 second and try again.",
        ),
        (
            Some(1_001),
            "The server is busy. Wait 2 seconds and try again.",
        ),
    ];
    for (wait_ms, sentence) in cases {
        let wait = wait_ms.map(Duration::from_millis);
        let error = call_error(Code::ResourceExhausted, "OVERLOADED", &[], wait);
        assert_eq!(
            Failure::call("a.jpg", &error).sentence(Language::English),
            sentence
        );
    }
}

#[test]
fn russian_sentences_agree_with_their_numbers() {
    let too_large = Failure::TooLarge {
        name: "a.jpg".to_owned(),
        bytes: Some(13_000_000),
        bytes_max: Some(10 << 20),
    };
    assert_eq!(
        too_large.sentence(Language::Russian),
        "a.jpg: 12,4 МБ, а можно не больше 10 МБ. Выберите изображение поменьше."
    );
    let busy = Failure::Busy {
        wait_seconds: Some(3),
    };
    assert_eq!(
        busy.sentence(Language::Russian),
        "Сервер занят. Подождите 3 секунды и повторите."
    );
}

#[test]
fn missing_details_still_make_a_sentence() {
    for reason in ["IMAGE_TOO_LARGE", "IMAGE_DIMENSIONS", "INTERNAL_ERROR"] {
        let failure = Failure::call(
            "a.jpg",
            &call_error(Code::InvalidArgument, reason, &[], None),
        );
        assert!(
            failure.sentence(Language::English).contains("a.jpg"),
            "{reason}"
        );
    }
}
