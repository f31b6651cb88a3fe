use std::time::Duration;

use imageclassifier_client::{CallError, Classifier, Health};
use tokio::time::{sleep, timeout};

use crate::{
    args,
    connection::{classifier, first_error_message},
    outcome::Outcome,
};

/// Short compared with the time that a server takes to start.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

pub(crate) async fn run(args: &args::Health) -> Outcome {
    let connection = &args.connection;
    let classifier = match classifier(connection) {
        Ok(classifier) => classifier,
        Err(error) => return Outcome::failure(error),
    };
    let health = if args.wait {
        wait(&classifier, connection.timeout).await
    } else {
        classifier.health().await
    };
    match health {
        Ok(Health::Serving) => {
            println!("serving");
            Outcome::Success
        }
        Ok(Health::NotServing) => {
            println!("not serving");
            Outcome::Partial
        }
        Err(error) => Outcome::failure(first_error_message(&error, &connection.servers())),
    }
}

/// Polls until the server is ready or `limit` has passed, and returns the last result.
async fn wait(classifier: &Classifier, limit: Duration) -> Result<Health, CallError> {
    let mut last = None;
    let until_serving = async {
        loop {
            let health = classifier.health().await;
            if matches!(health, Ok(Health::Serving)) {
                return health;
            }
            last = Some(health);
            sleep(POLL_INTERVAL).await;
        }
    };
    match timeout(limit, until_serving).await {
        Ok(serving) => serving,
        Err(_) => last.unwrap_or(Ok(Health::NotServing)),
    }
}
