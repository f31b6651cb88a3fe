use imageclassifier_proto::ClassifyImageRequest;

use crate::request::error::RequestError;

/// The query of a request, as the contract's message without its image.
///
/// # Errors
/// [`RequestError::ParameterMalformed`], [`RequestError::ParameterUnknown`].
pub(super) fn parse_query(query: &str) -> Result<ClassifyImageRequest, RequestError> {
    let mut request = ClassifyImageRequest::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "top_k" => {
                request.top_k = value.parse().map_err(|_| {
                    malformed(
                        "top_k",
                        &value,
                        "write a whole number, or 0 for the default",
                    )
                })?;
            }
            "model" => request.model = value.into_owned(),
            "explain" => request.explain = parse_bool("explain", &value)?,
            "embed" => request.embed = parse_bool("embed", &value)?,
            _ => {
                let name = name.into_owned();
                return Err(RequestError::ParameterUnknown { name });
            }
        }
    }
    Ok(request)
}

fn parse_bool(name: &'static str, value: &str) -> Result<bool, RequestError> {
    let parsed = value.to_ascii_lowercase().parse();
    parsed.map_err(|_| malformed(name, value, "write true or false"))
}

fn malformed(name: &'static str, value: &str, help: &'static str) -> RequestError {
    RequestError::ParameterMalformed {
        name,
        value: value.to_owned(),
        help,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_the_query_into_the_message_without_its_image() {
        let parse = |query| parse_query(query).map_err(|error| error.to_string());
        assert_eq!(parse(""), Ok(ClassifyImageRequest::default()));
        let expected = ClassifyImageRequest {
            top_k: 3,
            model: "a b".to_owned(),
            explain: true,
            embed: true,
            ..Default::default()
        };
        assert_eq!(
            parse("top_k=3&model=a%20b&explain=true&embed=TRUE"),
            Ok(expected)
        );
        for explain in ["explain=True", "explain=TRUE"] {
            assert!(parse(explain).unwrap().explain, "{explain}");
        }
        for wrong in [
            "top_k=three",
            "top_k=-1",
            "top_k=",
            "explain=yes",
            "embed=1",
            "topk=3",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
