import KubeModel

/// Takes whole requests off the bytes that a client has sent.
struct HTTPInput {
    enum Taken { case incomplete, bad(HTTPResponse), request(HTTPRequest) }

    private static let headBytesMax = 16 * 1024
    private static let bodyBytesMax = 1024 * 1024

    var bytes: [UInt8] = []
    /// Whether the client was told to go on with the body that it announced.
    private var hasContinued = false

    private static func refuse(_ status: Int, _ sentence: String) -> Taken {
        .bad(HTTPResponse(status, ["error": .string(sentence)]))
    }

    /// Takes one whole request, with its body, off the front.
    ///
    /// - Parameter goOn: Called once when the client waits for a word before it sends the body (curl does so for large ones).
    mutating func take(from remoteAddress: String, goOn: () -> Void) -> Taken {
        guard let end = headEnd else {
            return bytes.count > Self.headBytesMax ? Self.refuse(400, "the head is too long") : .incomplete
        }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count == 3, words[2].hasPrefix("HTTP/1.") else {
            return Self.refuse(400, "this is not an HTTP request")
        }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { return Self.refuse(400, "a header has no colon") }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            headers[line[..<colon].lowercased()] = String(value)
        }
        if headers["transfer-encoding"] != nil { return Self.refuse(400, "send the body with a Content-Length") }
        var bodyCount = 0
        if let text = headers["content-length"] {
            guard let count = Int(text), count >= 0 else { return Self.refuse(400, "Content-Length is not a number") }
            guard count <= Self.bodyBytesMax else { return Self.refuse(413, "the body is larger than 1 MiB") }
            bodyCount = count
        }
        guard bytes.count >= end + 4 + bodyCount else {
            if !hasContinued, headers["expect"]?.lowercased() == "100-continue" {
                hasContinued = true
                goOn()
            }
            return .incomplete
        }
        hasContinued = false
        let body = Array(bytes[(end + 4)..<(end + 4 + bodyCount)])
        bytes.removeFirst(end + 4 + bodyCount)
        let connection = headers["connection"]?.lowercased()
        let target = words[1].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        return .request(
            HTTPRequest(
                method: String(words[0]), path: String(target[0]),
                query: target.count > 1 ? Self.query(target[1]) : [:], headers: headers, body: body,
                remoteAddress: remoteAddress,
                keepsAlive: words[2] == "HTTP/1.0" ? connection == "keep-alive" : connection != "close"))
    }

    private static func query(_ text: Substring) -> [String: String] {
        var values: [String: String] = [:]
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            values[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
        }
        return values
    }

    private var headEnd: Int? {
        guard bytes.count >= 4 else { return nil }
        return (0...bytes.count - 4).first { index in
            bytes[index] == 13 && bytes[index + 1] == 10 && bytes[index + 2] == 13 && bytes[index + 3] == 10
        }
    }
}
