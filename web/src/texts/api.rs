//! How programs ask the same.

texts! {
    use_via_api: "Use via API", "Через API";
    api_lead(server: &str):
        "Each of these asks {server} about photo.jpg. The contract speaks gRPC, and gRPC-Web for browsers.",
        "Каждая программа спрашивает {server} о файле photo.jpg. Контракт говорит на gRPC, а для браузеров на gRPC-Web.";
    copy: "Copy", "Скопировать";
    close: "Close", "Закрыть";
    token_in_api:
        "This server asks for an access token: send it as the metadata \u{201c}authorization: Bearer TOKEN\u{201d}.",
        "Этому серверу нужен токен доступа: передайте его в метаданных «authorization: Bearer TOKEN».";
}
