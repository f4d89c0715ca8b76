import CZlib

/// The names and values at the opening of a stream; names are in lower case.
typealias SPDYHeaders = [(name: String, value: String)]

/// Unpacks the header blocks of one direction of a connection, which are one zlib stream (SPDY draft 3.1, 2.6.10).
final class SPDYHeaderReader {
    /// At a fixed address, because zlib keeps a pointer back to it.
    private let stream: UnsafeMutablePointer<z_stream>
    private let isOpen: Bool

    /// What one block may unpack to: enough for every client, too little for a bomb.
    static let blockBytesMax = 16 * 1024
    private static let headersMax = 64

    init() {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        isOpen = cz_inflate_init(stream, 15) == Z_OK
    }

    deinit {
        if isOpen { inflateEnd(stream) }
        stream.deallocate()
    }

    func read(_ block: [UInt8]) throws(StreamProtocolError) -> SPDYHeaders {
        try Self.parse(inflated(block))
    }

    private func inflated(_ block: [UInt8]) throws(StreamProtocolError) -> [UInt8] {
        guard isOpen else { throw StreamProtocolError("no memory for headers") }
        var input = block
        var output = [UInt8](repeating: 0, count: Self.blockBytesMax + 1)
        var count = 0
        let isGood = input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                stream.pointee.next_in = input.baseAddress
                stream.pointee.avail_in = UInt32(input.count)
                stream.pointee.next_out = output.baseAddress
                stream.pointee.avail_out = UInt32(output.count)
                defer {
                    stream.pointee.next_in = nil
                    stream.pointee.next_out = nil
                }
                var code = inflate(stream, Z_SYNC_FLUSH)
                if code == Z_NEED_DICT {
                    let dictionary = SPDYDictionary.bytes
                    guard inflateSetDictionary(stream, dictionary, UInt32(dictionary.count)) == Z_OK else {
                        return false
                    }
                    code = inflate(stream, Z_SYNC_FLUSH)
                }
                count = output.count - Int(stream.pointee.avail_out)
                return (code == Z_OK || code == Z_BUF_ERROR) && stream.pointee.avail_in == 0
                    && stream.pointee.avail_out > 0
            }
        }
        guard isGood else { throw StreamProtocolError("headers that cannot be unpacked") }
        return Array(output[..<count])
    }

    private static func parse(_ bytes: [UInt8]) throws(StreamProtocolError) -> SPDYHeaders {
        var rest = bytes[...]
        func number() throws(StreamProtocolError) -> Int {
            guard rest.count >= 4 else { throw StreamProtocolError("headers that end too early") }
            defer { rest = rest.dropFirst(4) }
            return rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        }
        func text() throws(StreamProtocolError) -> String {
            let count = try number()
            guard count <= rest.count else { throw StreamProtocolError("headers that end too early") }
            defer { rest = rest.dropFirst(count) }
            return String(decoding: rest.prefix(count), as: UTF8.self)
        }
        let count = try number()
        guard count <= headersMax else { throw StreamProtocolError("too many headers") }
        var headers: SPDYHeaders = []
        for _ in 0..<count { headers.append((try text().lowercased(), try text())) }
        return headers
    }
}

/// Packs header blocks.
///
/// The blocks are stored, not compressed: they are a few bytes each.
struct SPDYHeaderWriter {
    private var isFirst = true

    mutating func write(_ headers: SPDYHeaders) -> [UInt8] {
        var block: [UInt8] = []
        func put(_ number: Int) {
            for shift in [24, 16, 8, 0] { block.append(UInt8(truncatingIfNeeded: number >> shift)) }
        }
        put(headers.count)
        for (name, value) in headers {
            for text in [name, value] {
                put(text.utf8.count)
                block.append(contentsOf: text.utf8)
            }
        }
        // The zlib header with the checksum of the dictionary, once.
        var bytes: [UInt8] = isFirst ? [0x78, 0xBB, 0xE3, 0xC6, 0xA7, 0xC2] : []
        isFirst = false
        let length = UInt16(block.count)
        bytes += [0, UInt8(length & 0xFF), UInt8(length >> 8), UInt8(~length & 0xFF), UInt8(~length >> 8)]
        bytes += block
        // An empty stored block makes readers hand out what they have.
        return bytes + [0, 0, 0, 0xFF, 0xFF]
    }
}
