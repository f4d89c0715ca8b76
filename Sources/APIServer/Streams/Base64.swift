/// Base64 with the common alphabet and padding (RFC 4648, section 4).
enum Base64 {
    static func encode(_ bytes: [UInt8]) -> String {
        let text = Base64URL.encode(bytes).replacing("-", with: "+").replacing("_", with: "/")
        return text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
    }

    static func decode(_ text: String) -> [UInt8]? {
        guard !text.contains("-"), !text.contains("_") else { return nil }
        var text = text.replacing("+", with: "-").replacing("/", with: "_")
        while text.last == "=" { text.removeLast() }
        return Base64URL.decode(text)
    }
}
