use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};

use crate::request::{forwarded, peer::Peer, trusted_proxies::TrustedProxies};

/// Replaces the address of a trusted proxy by that of the client for whom it sends the request.
pub(crate) async fn resolve(
    State(trusted): State<TrustedProxies>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(&Peer(peer)) = request.extensions().get() {
        let client = forwarded::client(peer, request.headers(), &trusted);
        request.extensions_mut().insert(Peer(client));
    }
    next.run(request).await
}
