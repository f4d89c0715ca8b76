/// A domain name: labels in lower case, the leftmost first.
///
/// The root has none. Names compare without regard to case (RFC 1035, 2.3.3); bytes that are not ASCII letters stay as they are.
struct DNSName: Hashable, Sendable, CustomStringConvertible {
    private(set) var labels: [[UInt8]]

    init(labels: [[UInt8]] = []) { self.labels = labels.map { $0.map(Self.lowercased) } }

    /// Reads `web.default.svc.cluster.local`, with or without the dot at its end; nil if a label is empty or too long.
    init?(_ text: String) {
        var bytes = Array(text.utf8)
        if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        guard !bytes.isEmpty else {
            self.init()
            return
        }
        let labels = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map(Array.init)
        guard labels.allSatisfy({ (1...63).contains($0.count) }), labels.reduce(1, { $0 + $1.count + 1 }) <= 255 else {
            return nil
        }
        self.init(labels: labels)
    }

    var description: String {
        labels.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".") + "."
    }

    /// The name one level up; nil for the root.
    var parent: DNSName? { labels.isEmpty ? nil : suffix(labels.count - 1) }

    /// The last `count` labels.
    func suffix(_ count: Int) -> DNSName {
        var name = self
        name.labels.removeFirst(max(0, labels.count - count))
        return name
    }

    func isWithin(_ zone: DNSName) -> Bool { labels.suffix(zone.labels.count) == zone.labels[...] }

    /// This name below a longer left part: `name.prefixed("web", "default")` is `web.default.name`.
    func prefixed(_ left: String...) -> DNSName {
        DNSName(labels: left.map { Array($0.utf8) } + labels)
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
