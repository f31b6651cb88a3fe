//! How programs use the same server.

texts! {
    use_via_api: "Use via API", "Через API";
    api_lead(server: &str):
        "Each of these programs classifies photo.jpg on {server}.",
        "Каждая из этих программ распознаёт photo.jpg на {server}.";
    program: "Program", "Программа";
    copy: "Copy", "Скопировать";
    close: "Close", "Закрыть";
    token_in_api:
        "This server requires an access token: send it as the metadata \u{201c}authorization: Bearer TOKEN\u{201d}.",
        "Этому серверу нужен токен доступа: передайте его в метаданных «authorization: Bearer TOKEN».";
}
