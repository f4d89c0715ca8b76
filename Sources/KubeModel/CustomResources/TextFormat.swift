/// The formats of text that Kubernetes checks in custom resources; all others are remarks for people.
enum TextFormat {
    /// Whether the text has the format; nil for formats that are not checked.
    static func check(_ format: String, _ text: String) -> Bool? {
        switch format {
        case "ipv4": NameSyntax.isIPv4(text)
        case "ipv6": NameSyntax.isIPv6(text)
        case "cidr": isBlock(text)
        case "date": isDate(text[...])
        case "date-time", "datetime": text.contains("T") || text.contains("t") ? Timestamp(parsing: text) != nil : false
        case "byte": Base64.firstError(text) == nil
        case "uuid", "uuid3", "uuid4", "uuid5": isUUID(text)
        case "email": isAddress(text)
        case "hostname": !text.isEmpty && text.utf8.count <= 255 && hostname.occurs(in: text)
        case "uri": uri.occurs(in: text)
        case "mac": mac.occurs(in: text)
        case "hexcolor": hexColor.occurs(in: text)
        case "duration": duration.occurs(in: text)
        default: nil
        }
    }

    /// Formats that the server knows, checked or not; others are worth a warning.
    static let known: Set<String> = [
        "int32", "int64", "float", "double", "byte", "date", "date-time", "datetime", "password", "bsonobjectid",
        "uri", "email", "hostname", "ipv4", "ipv6", "cidr", "mac", "uuid", "uuid3", "uuid4", "uuid5", "isbn", "isbn10",
        "isbn13", "creditcard", "ssn", "hexcolor", "rgbcolor", "duration", "int-or-string", "quantity",
    ]

    private static let hostname = Pattern(
        "^([a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?)(\\.[a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?)*$")
    private static let uri = Pattern("^[a-zA-Z][a-zA-Z0-9+.-]*:[^\\s]+$|^/[^\\s]*$")
    private static let mac = Pattern("^([0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}$")
    private static let hexColor = Pattern("^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$")
    private static let duration = Pattern("^[-+]?([0-9]+(\\.[0-9]*)?\\s*(ns|us|µs|ms|s|m|h|d|w|[a-z]+)\\s*)+$|^0$")

    private static func isAddress(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        return parts.count == 2 && !parts[0].isEmpty && !parts[1].isEmpty && !text.contains(" ")
    }

    private static func isUUID(_ text: String) -> Bool {
        let digits = text.utf8.filter { $0 != UInt8(ascii: "-") }
        return digits.count == 32 && digits.allSatisfy { Character(UnicodeScalar($0)).isHexDigit }
            && (text.utf8.count == 32 || text.utf8.count == 36)
    }

    private static func isBlock(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let bits = Int(parts[1]), bits >= 0 else { return false }
        let address = String(parts[0])
        return NameSyntax.isIPv4(address) && bits <= 32 || NameSyntax.isIPv6(address) && bits <= 128
    }

    private static func isDate(_ text: Substring) -> Bool { Timestamp(parsing: "\(text)T00:00:00Z") != nil }
}
