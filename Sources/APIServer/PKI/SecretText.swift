import FoundationEssentials

/// The entries of Secrets as they are stored: Base64 with padding.
enum SecretText {
    static func encode(_ text: String) -> String { Data(text.utf8).base64EncodedString() }

    static func decode(_ text: String) -> [UInt8]? { Data(base64Encoded: text).map { Array($0) } }
}
