//! TLS for HTTP/2 and HTTP/1.1 callers, with and without certificates of their own.

use std::{fs, path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName},
    },
};

use crate::{
    app::{App, within_seconds},
    script::Script,
};

/// An authority, and what it has signed.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
}

struct Signed {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        Self {
            issuer: Issuer::new(params, key),
            certificate,
        }
    }

    fn sign(&self, name: &str) -> Signed {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        Signed {
            certificate: params.signed_by(&key, &self.issuer).unwrap(),
            key,
        }
    }
}

impl Signed {
    fn write(&self, folder: &Path) {
        fs::write(folder.join("cert.pem"), self.certificate.pem()).unwrap();
        fs::write(folder.join("key.pem"), self.key.serialize_pem()).unwrap();
    }
}

/// What the server answers on `/`, asked with ALPN `protocol`, and the certificate that it showed.
async fn get(
    app: &App,
    authority: &Authority,
    client: Option<&Signed>,
    protocol: &str,
) -> Result<(u16, CertificateDer<'static>), Box<dyn std::error::Error>> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate.der().clone())?;
    let builder = ClientConfig::builder().with_root_certificates(roots);
    let mut config = match client {
        None => builder.with_no_client_auth(),
        Some(client) => {
            let key = PrivatePkcs8KeyDer::from(client.key.serialize_der());
            let chain = vec![client.certificate.der().clone()];
            builder.with_client_auth_cert(chain, PrivateKeyDer::Pkcs8(key))?
        }
    };
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let stream = TcpStream::connect(app.address).await?;
    let name = ServerName::try_from("localhost")?;
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await?;
    let shown = stream.get_ref().1.peer_certificates().unwrap()[0]
        .clone()
        .into_owned();
    assert_eq!(
        stream.get_ref().1.alpn_protocol(),
        Some(protocol.as_bytes())
    );
    let stream = TokioIo::new(stream);
    let request = Request::get("https://localhost/");
    let response = if protocol == "h2" {
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream).await?;
        tokio::spawn(connection);
        sender
            .send_request(request.body(Full::<Bytes>::default())?)
            .await?
    } else {
        let (mut sender, connection) = http1::handshake(stream).await?;
        tokio::spawn(connection);
        let request = request.header("host", "localhost");
        sender
            .send_request(request.body(Full::<Bytes>::default())?)
            .await?
    };
    let status = response.status().as_u16();
    response.into_body().collect().await?;
    Ok((status, shown))
}

#[tokio::test]
async fn both_versions_of_http_are_served_and_a_new_certificate_is_taken_up() {
    let folder = tempfile::tempdir().unwrap();
    let [cert, key] = ["cert.pem", "key.pem"].map(|name| folder.path().join(name));
    let authority = Authority::new();
    let first = authority.sign("localhost");
    first.write(folder.path());
    let options = [
        "--tls-cert",
        cert.to_str().unwrap(),
        "--tls-key",
        key.to_str().unwrap(),
    ];
    let app = App::with_stages(&options, Script::default().stages()).await;
    for protocol in ["h2", "http/1.1"] {
        let (status, shown) = get(&app, &authority, None, protocol).await.unwrap();
        assert_eq!(status, 200, "{protocol}");
        assert_eq!(&shown, first.certificate.der());
    }
    // A damaged file changes nothing, a new certificate does.
    fs::write(&cert, "damaged").unwrap();
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(
        &get(&app, &authority, None, "h2").await.unwrap().1,
        first.certificate.der()
    );
    let second = authority.sign("localhost");
    second.write(folder.path());
    within_seconds(10, async {
        while &get(&app, &authority, None, "h2").await.unwrap().1 != second.certificate.der() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_client_authority_keeps_strangers_out() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    authority.sign("localhost").write(folder.path());
    fs::write(folder.path().join("ca.pem"), authority.certificate.pem()).unwrap();
    let [cert, key, ca] = ["cert.pem", "key.pem", "ca.pem"].map(|name| {
        let path = folder.path().join(name);
        path.to_str().unwrap().to_owned()
    });
    let options = ["--tls-cert", &cert, "--tls-key", &key, "--client-ca", &ca];
    let app = App::with_stages(&options, Script::default().stages()).await;
    let client = authority.sign("client");
    let stranger = Authority::new().sign("client");
    for protocol in ["h2", "http/1.1"] {
        assert_eq!(
            get(&app, &authority, Some(&client), protocol)
                .await
                .unwrap()
                .0,
            200
        );
        assert!(
            get(&app, &authority, Some(&stranger), protocol)
                .await
                .is_err()
        );
        assert!(get(&app, &authority, None, protocol).await.is_err());
    }
}
