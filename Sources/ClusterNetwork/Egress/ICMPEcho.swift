/// A ping, or the answer to one (RFC 792, "Echo or Echo Reply Message").
struct ICMPEcho: Equatable, Sendable {
    enum Kind: UInt8, Sendable {
        case reply = 0
        case request = 8
    }

    var kind: Kind
    /// Whose it is, among all that ping.
    var identifier: UInt16
    var sequence: UInt16
    var data: [UInt8]

    /// Nil for a message that is neither.
    init?(_ message: ArraySlice<UInt8>) {
        let bytes = Array(message)
        guard bytes.count >= 8, let kind = Kind(rawValue: bytes[0]), bytes[1] == 0 else { return nil }
        self.kind = kind
        identifier = UInt16(bytes[4]) << 8 | UInt16(bytes[5])
        sequence = UInt16(bytes[6]) << 8 | UInt16(bytes[7])
        data = Array(bytes[8...])
    }

    /// The message, with its checksum.
    var bytes: [UInt8] {
        let numbers = [identifier, sequence].flatMap { IPv4Frame.bigEndian(Int($0)) }
        let sum = IPv4Frame.checksum([kind.rawValue, 0, 0, 0] + numbers + data)
        return [kind.rawValue, 0] + IPv4Frame.bigEndian(sum) + numbers + data
    }

    /// The same, told from others by another number.
    func with(identifier: UInt16) -> ICMPEcho {
        var echo = self
        echo.identifier = identifier
        return echo
    }
}
