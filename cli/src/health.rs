use std::time::Duration;

use imageclassifier_client::{CallError, Classifier, Health};
use tokio::time::{sleep, timeout};

use crate::{
    args,
    connection::{classifier, refusal},
    outcome::Outcome,
};

/// Short against the time that a server takes to start.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(200);

pub(crate) async fn run(args: &args::Health) -> Outcome {
    let connection = &args.connection;
    let classifier = match classifier(connection) {
        Ok(classifier) => classifier,
        Err(error) => return Outcome::could_not_ask(error),
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
        Err(error) => Outcome::could_not_ask(refusal(&error, &connection.server)),
    }
}

/// Asks again and again until the server serves or time is up; then what it said last.
async fn wait(classifier: &Classifier, time: Duration) -> Result<Health, CallError> {
    let mut last = None;
    let until_serving = async {
        loop {
            let health = classifier.health().await;
            if matches!(health, Ok(Health::Serving)) {
                return health;
            }
            last = Some(health);
            sleep(ASK_AGAIN_AFTER).await;
        }
    };
    match timeout(time, until_serving).await {
        Ok(serving) => serving,
        Err(_) => last.unwrap_or(Ok(Health::NotServing)),
    }
}
