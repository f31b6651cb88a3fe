use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::server::{classify, command, file, photograph, server_for, text};

#[test]
fn reads_the_access_token_from_a_file() {
    /// `printf %s secret | sha256sum`
    const SECRET: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
    let accepted = file("accepted-tokens", format!("tests {SECRET}\n"));
    let token = file("token", "secret\r\nanother line\n");
    let url = server_for(&["--token-file", &accepted], &["--token-file", &token]);
    let coffee = photograph("coffee.png");

    let by_environment = command(&["classify", "--server", &url, &coffee])
        .env("IMAGECLASSIFIER_TOKEN_FILE", &token)
        .output()
        .unwrap();
    assert_eq!(by_environment.status.code(), Some(0));

    let stderr = |arguments: &[&str]| {
        let output = classify(&url, &[arguments, &[&coffee]].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty());
        text(&output.stderr)
    };
    assert!(stderr(&[]).contains("with --token-file"));
    for (name, content, complaint) in [
        ("wrong-token", "guess", "denied access"),
        ("empty-token", "\nsecret", "contains no access token"),
        ("odd-token", "two words", "without spaces"),
    ] {
        let told = stderr(&["--token-file", &file(name, content)]);
        assert!(told.contains(complaint), "{told}");
        assert!(!told.contains(content.trim()), "{told}");
    }
    let missing = stderr(&["--token-file", "missing-token"]);
    assert!(missing.contains("cannot read an access token from missing-token"));
}

#[test]
fn trusts_a_server_by_the_given_ca_certificate_alone() {
    let authority_key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(params, authority_key);
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();

    let authority = file("authority.pem", authority.pem());
    let certificate = file("certificate.pem", certificate.pem());
    let key = file("key.pem", key.serialize_pem());
    let url = server_for(
        &["--tls-cert", &certificate, "--tls-key", &key],
        &["--tls-ca", &authority],
    );
    let coffee = photograph("coffee.png");
    let trusted = classify(&url, &["--tls-ca", &authority, &coffee]);
    assert_eq!(trusted.status.code(), Some(0), "{}", text(&trusted.stderr));

    // Not an image, but read over TLS.
    let document = format!("{url}/v1/openapi.json");
    let stored = command(&[
        "classify", "--server", &url, "--tls-ca", &authority, "--csv", &document,
    ])
    .env("SSL_CERT_FILE", &authority)
    .output()
    .unwrap();
    let rows = text(&stored.stdout);
    assert!(
        rows.contains("IMAGE_FORMAT_UNKNOWN"),
        "{rows}{}",
        text(&stored.stderr)
    );

    let words = file("no.pem", "no certificate");
    for (arguments, complaint) in [
        (vec![], "cannot reach"),
        (
            vec!["--tls-ca", &words],
            "no.pem: cannot use these CA certificates",
        ),
        (
            vec!["--tls-ca", "missing.pem"],
            "cannot read CA certificates",
        ),
    ] {
        let output = classify(&url, &[&arguments[..], &[&coffee]].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let told = text(&output.stderr);
        assert!(told.contains(complaint), "{told}");
    }
}
