/// The parts of an `https` URL that a connection needs.
struct OutgoingURL: Equatable {
    let host: String
    let port: Int
    /// Path and parameters.
    let target: String

    init?(_ text: String) {
        guard text.hasPrefix("https://") else { return nil }
        let rest = text.dropFirst("https://".count)
        let authority = rest.prefix { !"/?".contains($0) }
        let tail = rest.dropFirst(authority.count)
        target = tail.hasPrefix("/") ? String(tail) : "/\(tail)"
        var name = authority
        var number: Int? = 443
        if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
            name = authority[..<colon]
            number = Int(authority[authority.index(after: colon)...])
        }
        guard !name.isEmpty, let number, (1...65535).contains(number) else { return nil }
        host = name.hasPrefix("[") && name.hasSuffix("]") ? String(name.dropFirst().dropLast()) : String(name)
        port = number
    }

    /// The address of this machine that the host stands for; nil for another machine.
    var loopbackAddress: String? {
        if host == "localhost" { return "127.0.0.1" }
        if host == "::1" { return host }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        return parts.count == 4 && parts[0] == 127 && !parts.contains(nil) ? host : nil
    }
}
