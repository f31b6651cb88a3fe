//! Who may call, and how often.

use std::{fs, time::Duration};

use tonic::Code;
use tonic_types::StatusExt;

use crate::{
    app::{App, within_seconds},
    protocol::{Protocol, call},
    script::{Script, order},
};

/// `printf %s secret | sha256sum`, and the same of "changed".
const SECRET: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
const CHANGED: &str = "d67e2e944994496c8d8ec76eed0cf9f09679448d584b532bebf941852a37f5ed";

async fn outcome(app: &App, protocol: Protocol, token: &str) -> Result<(), Code> {
    let authorization = format!("Bearer {token}");
    let headers = [("authorization", authorization.as_str())];
    let answer = call(app.address, protocol, &order(""), &headers).await;
    answer.outcome.map(drop).map_err(|status| status.code())
}

#[tokio::test]
async fn rejects_requests_without_a_valid_token() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens");
    fs::write(&file, format!("someone {CHANGED}\npage {SECRET}\n")).unwrap();
    let options = ["--token-file", file.to_str().unwrap()];
    let app = App::with_stages(&options, Script::default().stages()).await;
    for protocol in Protocol::ALL {
        outcome(&app, protocol, "secret").await.unwrap();
        let unknown = outcome(&app, protocol, "guess").await;
        assert_eq!(unknown, Err(Code::Unauthenticated), "{protocol:?}");
        let without = call(app.address, protocol, &order(""), &[])
            .await
            .outcome
            .unwrap_err();
        assert_eq!(without.code(), Code::Unauthenticated, "{protocol:?}");
        let info = without.get_details_error_info().unwrap();
        assert_eq!(info.reason, "UNAUTHENTICATED");
    }
    // Taken away, without a restart.
    fs::write(&file, format!("someone {CHANGED}\n")).unwrap();
    within_seconds(10, async {
        while outcome(&app, Protocol::Grpc, "secret").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn each_client_has_its_own_rate_limit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens");
    let same = SECRET.to_owned();
    fs::write(&file, format!("page {same}\n")).unwrap();
    let options = ["--rate-limit", "4", "--token-file", file.to_str().unwrap()];
    let app = App::with_stages(&options, Script::default().stages()).await;
    let headers = [("authorization", "Bearer secret")];
    let mut rejected = 0;
    for _ in 0..12 {
        let answer = call(app.address, Protocol::Grpc, &order(""), &headers).await;
        if let Err(status) = answer.outcome {
            rejected += 1;
            assert_eq!(status.code(), Code::ResourceExhausted);
            let info = status.get_details_error_info().unwrap();
            assert_eq!(info.reason, "RATE_LIMITED");
            assert!(
                status
                    .get_details_retry_info()
                    .unwrap()
                    .retry_delay
                    .is_some()
            );
        }
    }
    assert!(
        (1..=8).contains(&rejected),
        "{rejected} of 12 rejected at 4 per second"
    );
    tokio::time::sleep(Duration::from_millis(600)).await;
    outcome(&app, Protocol::Grpc, "secret").await.unwrap();
}
