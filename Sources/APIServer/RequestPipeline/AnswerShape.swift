import KubeModel
import NIOHTTP1

/// How the bytes of an answer go over the wire: as YAML, indented, compressed.
struct AnswerShape {
    var encoding = Negotiation.Encoding.json
    var isPretty = false
    var acceptsGzip = false

    /// Longer answers are compressed for clients that can take it.
    static let gzipBytesMin = 128 * 1024

    init() {}

    init(_ head: HTTPRequestHead, path: String, query: Query) {
        let headers = head.headers
        acceptsGzip = headers["accept-encoding"].contains { Self.names("gzip", in: $0) }
        // These are what they are, whatever is asked for.
        guard !path.hasPrefix("/openapi"), !path.hasPrefix("/version") else { return }
        let accepted = headers["accept"]
        if !accepted.isEmpty, let negotiation = Negotiation(accept: accepted.joined(separator: ",")) {
            encoding = negotiation.encoding
            isPretty = negotiation.isPretty
        }
        if let pretty = query["pretty"], !pretty.isEmpty {
            isPretty = ["1", "t", "T", "TRUE", "true", "True"].contains(pretty)
        } else if let agent = headers.first(name: "user-agent") {
            // Whoever reads with these reads with his own eyes.
            isPretty = isPretty || ["curl", "Wget", "Mozilla/5.0"].contains { agent.hasPrefix($0) }
        }
    }

    /// Whether one of the values of `Accept-Encoding` names a coding.
    static func names(_ coding: String, in header: String) -> Bool {
        header.split(separator: ",").contains { $0.drop { $0 == " " } == coding }
    }

    /// Brings an answer into shape; JSON only, but for compression.
    func apply(to response: inout APIResponse) {
        let isJSON = response.headers.contains { $0.name == "Content-Type" && $0.value == "application/json" }
        if isJSON, encoding == .yaml || isPretty, let bytes = response.wholeBody {
            if encoding == .yaml, let value = try? JSONValue(parsing: bytes) {
                response.body = .bytes(Array(value.yaml.utf8))
                response.headers.removeAll { $0.name == "Content-Type" }
                response.headers.append(("Content-Type", Negotiation.Encoding.yaml.rawValue))
            } else if isPretty {
                response.body = .bytes(PrettyJSON.indented(bytes))
            }
        }
        guard acceptsGzip, !response.headers.contains(where: { $0.name == "Content-Encoding" }) else { return }
        switch response.body {
        case .bytes(let bytes) where bytes.count > Self.gzipBytesMin:
            guard let gzip = Gzip() else { return }
            response.body = .bytes(gzip.compress(bytes, isLast: true))
        case .pieces(let pieces): response.body = .pieces(pieces.compressed())
        default: return
        }
        response.headers.append(("Content-Encoding", "gzip"))
        response.headers.append(("Vary", "Accept-Encoding"))
    }
}

extension APIResponse {
    /// The body of an answer that has an end; nil for one that has none yet.
    fileprivate var wholeBody: [UInt8]? {
        switch body {
        case .bytes(let bytes): return bytes
        case .pieces(let pieces):
            var place = AnswerPieces.Place()
            var all: [UInt8] = []
            while let piece = pieces.piece(&place) { all += piece }
            return all
        case .stream, .watch, .upgrade: return nil
        }
    }
}

/// JSON with line breaks and two spaces for each level, as Go writes it for people.
enum PrettyJSON {
    /// - Parameter compact: JSON without white space, but for a line break at its end.
    static func indented(_ compact: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(compact.count * 2)
        var depth = 0
        var isInString = false
        var isEscaped = false
        var hasOpened = false
        func breakLine() {
            text.append(0x0A)
            text.append(contentsOf: repeatElement(0x20, count: depth * 2))
        }
        for byte in compact {
            if isInString {
                text.append(byte)
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                continue
            }
            if byte == 0x0A { continue }
            let closes = byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]")
            if closes {
                depth -= 1
                if !hasOpened { breakLine() }
            } else if hasOpened {
                breakLine()
            }
            hasOpened = false
            text.append(byte)
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                hasOpened = true
            case UInt8(ascii: ","): breakLine()
            case UInt8(ascii: ":"): text.append(0x20)
            case UInt8(ascii: "\""): isInString = true
            default: break
            }
        }
        return text
    }
}
