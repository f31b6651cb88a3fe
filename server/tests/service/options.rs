//! Every numeric option has a range, and a value outside of it is an error that names both.

use std::{
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use clap::{CommandFactory, Parser};
use imageclassifier_server::Config;

use crate::{
    app::App,
    protocol::{Protocol, classify},
    script::{Script, order},
};

/// An option, the least and the greatest value that it accepts, and a value below and above these.
struct Numeric {
    option: &'static str,
    range: [&'static str; 2],
    outside: [&'static str; 2],
}

const fn numeric(
    option: &'static str,
    range: [&'static str; 2],
    outside: [&'static str; 2],
) -> Numeric {
    Numeric {
        option,
        range,
        outside,
    }
}

const YEAR: &str = "31536000";
const LONGER: &str = "31536001";
const TIME: [&str; 2] = ["0.001", YEAR];
const NO_TIME: [&str; 2] = ["0", LONGER];

const NUMERIC: [Numeric; 22] = [
    numeric("rate-limit", ["1", "1000000"], ["0", "1000001"]),
    numeric("drain-grace", ["0", YEAR], ["-1", LONGER]),
    numeric("drain-timeout", ["0", YEAR], ["-0.5", LONGER]),
    numeric("image-bytes-max", ["1", "1073741824"], ["0", "1073741825"]),
    numeric("pixels-max", ["65536", "50000000"], ["65535", "50000001"]),
    numeric("batch-images-max", ["1", "65535"], ["0", "65536"]),
    numeric("calls-max", ["1", "65535"], ["0", "65536"]),
    numeric("open-streams-max", ["1", "65535"], ["0", "65536"]),
    numeric("queue-wait-max", ["0", YEAR], ["-1", LONGER]),
    numeric("upload-bytes-max", ["1", "4294967295"], ["0", "4294967296"]),
    numeric("deadline", TIME, NO_TIME),
    numeric("upload-timeout", TIME, NO_TIME),
    numeric("connections-max", ["1", "65535"], ["0", "65536"]),
    numeric("streams-max", ["1", "65535"], ["0", "65536"]),
    numeric("first-request-timeout", TIME, NO_TIME),
    numeric("idle-timeout", TIME, NO_TIME),
    numeric("watches-per-client-max", ["1", "65535"], ["0", "65536"]),
    numeric("watch-age-max", TIME, NO_TIME),
    numeric("models-poll-interval", TIME, NO_TIME),
    numeric("write-timeout", TIME, NO_TIME),
    numeric("connection-age-max", TIME, NO_TIME),
    numeric("connection-age-grace", ["0", YEAR], ["-1", LONGER]),
];

/// What no option takes as a number.
const NEVER: [&str; 7] = ["", " ", "ten", "nan", "inf", "1e19", "0x10"];
const UNITS: [&str; 7] = [
    "SECONDS",
    "BYTES",
    "PIXELS",
    "IMAGES",
    "REQUESTS",
    "STREAMS",
    "CONNECTIONS",
];

fn parse(option: &str, value: &str) -> Result<Config, clap::Error> {
    Config::try_parse_from(["imageclassifier-server", &format!("--{option}={value}")])
}

#[test]
fn the_table_has_every_numeric_option() {
    let command = Config::command();
    let found = command.get_arguments().filter(|argument| {
        let names = argument.get_value_names().unwrap_or_default();
        names.iter().any(|name| UNITS.contains(&name.as_str()))
    });
    let mut found: Vec<_> = found.map(|argument| argument.get_long().unwrap()).collect();
    let mut listed = NUMERIC.map(|numeric| numeric.option);
    found.sort_unstable();
    listed.sort_unstable();
    assert_eq!(found, listed);
}

#[test]
fn accepts_values_within_the_range_and_rejects_others() {
    for Numeric {
        option,
        range,
        outside,
    } in NUMERIC
    {
        for value in range {
            let parsed = parse(option, value);
            assert!(parsed.is_ok(), "--{option}={value}: {parsed:?}");
        }
        for value in outside.iter().chain(&NEVER) {
            let Err(error) = parse(option, value) else {
                panic!("--{option}={value} was taken");
            };
            let error = error.to_string();
            assert!(error.contains(&format!("--{option}")), "{error}");
        }
        for value in outside {
            let error = parse(option, value).unwrap_err().to_string();
            let bounds = format!("{}..={}", range[0], range[1]);
            assert!(error.contains(&bounds), "{bounds} not in: {error}");
        }
    }
}

/// Runs the program itself. It would keep running if it accepted the value.
#[test]
fn environment_variables_have_the_same_ranges() {
    for Numeric {
        option, outside, ..
    } in NUMERIC
    {
        let name = option.replace('-', "_").to_uppercase();
        let variable = format!("IMAGECLASSIFIER_{name}");
        for value in outside {
            let program = Command::new(env!("CARGO_BIN_EXE_imageclassifier-server"))
                .env_clear()
                .env("IMAGECLASSIFIER_LISTEN", "127.0.0.1:0")
                .env(&variable, value)
                .stderr(Stdio::piped())
                .spawn();
            let mut program = program.unwrap();
            let begun_at = Instant::now();
            while program.try_wait().unwrap().is_none()
                && begun_at.elapsed() < Duration::from_secs(10)
            {
                thread::sleep(Duration::from_millis(5));
            }
            let _ = program.kill();
            let output = program.wait_with_output().unwrap();
            assert_eq!(output.status.code(), Some(2), "{variable}={value}");
            let error = String::from_utf8(output.stderr).unwrap();
            assert!(error.contains(&format!("--{option}")), "{error}");
        }
    }
}

/// What a message has beside its image does not count.
#[tokio::test]
async fn the_largest_image_is_taken_where_no_more_may_be_held() {
    let options = ["--image-bytes-max", "2000", "--upload-bytes-max", "2000"];
    let app = App::with_stages(&options, Script::default().stages()).await;
    let mut request = order("");
    let padding = vec![b' '; 2000 - request.image_data.len()];
    request.image_data = [&request.image_data[..], &padding].concat().into();
    for protocol in Protocol::ALL {
        let answer = classify(app.address, protocol, request.clone()).await;
        answer.unwrap_or_else(|error| panic!("{protocol:?}: {error:?}"));
    }
}
