/// The parameters of a URL.
struct Query: Sendable, Equatable {
    private var pairs: [(name: String, value: String)] = []

    static func == (left: Query, right: Query) -> Bool { left.pairs.elementsEqual(right.pairs, by: ==) }

    /// - Parameter text: What follows the question mark.
    init(_ text: Substring = "") {
        for part in text.split(separator: "&", omittingEmptySubsequences: true) {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = sides.count > 1 ? PercentCoding.decode(String(sides[1]), plusIsSpace: true) : ""
            pairs.append((PercentCoding.decode(String(sides[0]), plusIsSpace: true), value))
        }
    }

    /// The first value of a parameter; nil when it is absent.
    subscript(name: String) -> String? { pairs.first { $0.name == name }?.value }

    /// All values of a parameter, in order.
    func all(_ name: String) -> [String] { pairs.filter { $0.name == name }.map(\.value) }

    /// A truth value as Kubernetes reads it: a parameter that is there is true, unless it says `0` or `false`.
    func flag(_ name: String) -> Bool {
        guard let value = self[name] else { return false }
        return !["0", "false"].contains(value.lowercased())
    }

    func optionalFlag(_ name: String) -> Bool? { self[name] == nil ? nil : flag(name) }

    func int(_ name: String) -> Int? { self[name].flatMap { Int($0) } }
}

/// Percent-encoding of URLs (RFC 3986).
enum PercentCoding {
    static func decode(_ text: String, plusIsSpace: Bool = false) -> String {
        guard text.contains("%") || plusIsSpace && text.contains("+") else { return text }
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "+"), plusIsSpace {
                bytes.append(UInt8(ascii: " "))
            } else if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest.removeFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
