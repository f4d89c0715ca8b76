/// One file of a tar archive.
struct TarEntry: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case file, folder, link, hardLink, pipe
        case device
    }

    var path: String
    var kind: Kind
    /// Where a link leads.
    var target = ""
    var mode: UInt32 = 0o644
    var user = 0
    var group = 0
    /// Seconds since 1970.
    var modified = 0
    var size: Int64 = 0
}

/// Reads a tar archive from its beginning to its end: POSIX ustar and pax, and what GNU tar adds for long names.
final class TarReader {
    private let source: any ByteSource
    private let name: String
    private var buffer: [UInt8] = []
    private var used = 0
    private var contentLeft: Int64 = 0
    private var padding: Int64 = 0
    /// Where the content of the present entry begins, counted from the start of the archive.
    private(set) var offset: Int64 = 0

    init(_ source: any ByteSource, name: String) {
        self.source = source
        self.name = name
    }

    /// The next entry; nil at the end.
    ///
    /// What was not read of the one before is passed over.
    func next() throws(ImageError) -> TarEntry? {
        var extended: [String: String] = [:]
        var longName: String?
        var longTarget: String?
        while true {
            try skip(contentLeft + padding)
            contentLeft = 0
            padding = 0
            guard let header = try take(512), header.contains(where: { $0 != 0 }) else { return nil }
            try check(header)
            let kind = header[156]
            let size = try value("size", extended, header[124..<136])
            guard size >= 0 else { throw damaged("an entry has a negative size") }
            contentLeft = size
            padding = (512 - size % 512) % 512
            switch kind {
            case UInt8(ascii: "x"): extended = try records()
            case UInt8(ascii: "g"): _ = try records()
            case UInt8(ascii: "L"): longName = text(try content()[...])
            case UInt8(ascii: "K"): longTarget = text(try content()[...])
            default:
                return try entry(header, kind, size, extended, name: longName, target: longTarget)
            }
        }
    }

    /// Content of the present entry, at most `count` bytes; none at its end.
    func read(_ count: Int = 128 * 1024) throws(ImageError) -> [UInt8] {
        let wanted = Int(min(Int64(count), contentLeft))
        guard wanted > 0 else { return [] }
        if used == buffer.count { try fill() }
        guard used < buffer.count else { throw damaged("it is cut off") }
        let piece = Array(buffer[used..<min(buffer.count, used + wanted)])
        advance(piece.count)
        contentLeft -= Int64(piece.count)
        return piece
    }

    /// The whole content of the present entry, which is to be small.
    func content() throws(ImageError) -> [UInt8] {
        guard contentLeft <= 16 << 20 else { throw damaged("an entry that should be small has \(contentLeft) bytes") }
        var bytes: [UInt8] = []
        while contentLeft > 0 { bytes += try read() }
        return bytes
    }

    // MARK: Entries

    private func entry(
        _ header: [UInt8], _ letter: UInt8, _ size: Int64, _ extended: [String: String], name longName: String?,
        target longTarget: String?
    ) throws(ImageError) -> TarEntry {
        var path = text(header[0..<100])
        let isUstar = header[257..<262].elementsEqual("ustar".utf8)
        // Only POSIX keeps a prefix there; GNU ("ustar " and a space) keeps times.
        if isUstar, header[262] == 0, header[345] != 0 { path = text(header[345..<500]) + "/" + path }
        path = extended["path"] ?? longName ?? path
        var entry = TarEntry(path: path, kind: .file)
        entry.target = extended["linkpath"] ?? longTarget ?? text(header[157..<257])
        entry.mode = UInt32(truncatingIfNeeded: try number(header[100..<108])) & 0o7777
        entry.user = Int(try value("uid", extended, header[108..<116]))
        entry.group = Int(try value("gid", extended, header[116..<124]))
        entry.modified = Int(try value("mtime", extended, header[136..<148]))
        entry.size = size
        if let key = extended.keys.first(where: { $0.hasPrefix("GNU.sparse") }) {
            throw ImageError("'\(name)' holds the sparse file '\(path)' (\(key)), which is not read here.")
        }
        switch letter {
        case 0, UInt8(ascii: "0"), UInt8(ascii: "7"): entry.kind = path.hasSuffix("/") ? .folder : .file
        case UInt8(ascii: "1"): entry.kind = .hardLink
        case UInt8(ascii: "2"): entry.kind = .link
        case UInt8(ascii: "3"), UInt8(ascii: "4"): entry.kind = .device
        case UInt8(ascii: "5"): entry.kind = .folder
        case UInt8(ascii: "6"): entry.kind = .pipe
        default:
            let shown = String(UnicodeScalar(letter))
            throw ImageError("'\(name)' holds '\(path)' of the kind '\(shown)', which is not read here.")
        }
        if entry.kind != .file {
            // Some programs write the size of the file that a hard link leads to; there is no content.
            if entry.kind == .hardLink, extended["size"] == nil { (contentLeft, padding) = (0, 0) }
            entry.size = 0
        }
        return entry
    }

    /// The records of a pax header: `LENGTH KEY=VALUE` and a new line, each.
    private func records() throws(ImageError) -> [String: String] {
        let bytes = try content()
        var found: [String: String] = [:]
        var rest = bytes[...]
        while let space = rest.firstIndex(of: UInt8(ascii: " ")) {
            guard let length = Int(String(decoding: rest[rest.startIndex..<space], as: UTF8.self)),
                length > space - rest.startIndex, length <= rest.count
            else { throw damaged("a pax header cannot be read") }
            let record = rest[space + 1..<rest.startIndex + length - 1]
            guard let equals = record.firstIndex(of: UInt8(ascii: "=")) else {
                throw damaged("a pax header has no '='")
            }
            let key = String(decoding: record[record.startIndex..<equals], as: UTF8.self)
            found[key] = String(decoding: record[record.index(after: equals)...], as: UTF8.self)
            rest = rest[(rest.startIndex + length)...]
        }
        return found
    }

    private func check(_ header: [UInt8]) throws(ImageError) {
        var sum: Int64 = 0
        for (index, byte) in header.enumerated() { sum += (148..<156).contains(index) ? 32 : Int64(byte) }
        guard (try? number(header[148..<156])) == sum else { throw damaged("it is no tar archive, or cut off") }
    }

    /// A number in octal digits, or GNU's way for large ones: the first bit set, then bytes.
    private func number(_ field: ArraySlice<UInt8>) throws(ImageError) -> Int64 {
        guard let first = field.first else { return 0 }
        if first & 0x80 != 0 {
            var value: Int64 = first & 0x40 != 0 ? -1 : 0
            for (index, byte) in field.enumerated() {
                value = value << 8 | Int64(index == 0 ? (first & 0x40 != 0 ? byte : byte & 0x3F) : byte)
            }
            return value
        }
        let digits = field.drop { $0 == UInt8(ascii: " ") }.prefix { $0 != 0 && $0 != UInt8(ascii: " ") }
        if digits.isEmpty { return 0 }
        guard let value = Int64(String(decoding: digits, as: UTF8.self), radix: 8) else {
            throw damaged("a number in it cannot be read")
        }
        return value
    }

    /// A number of the pax header (times have fractions), otherwise that of the field.
    private func value(
        _ key: String, _ extended: [String: String], _ field: ArraySlice<UInt8>
    ) throws(ImageError) -> Int64 {
        guard let text = extended[key] else { return try number(field) }
        guard let value = Int64(text.prefix { $0 != "." }) else { throw damaged("a pax header has a bad '\(key)'") }
        return value
    }

    private func text(_ field: ArraySlice<UInt8>) -> String {
        String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
    }

    private func damaged(_ why: String) -> ImageError {
        ImageError("'\(name)' cannot be read: \(why).", hint: "Make or fetch it anew.")
    }

    // MARK: Bytes

    private func fill() throws(ImageError) {
        buffer = try source.read(256 * 1024)
        used = 0
    }

    private func advance(_ count: Int) {
        used += count
        offset += Int64(count)
    }

    /// Exactly so many bytes; nil when there are none at all.
    private func take(_ count: Int) throws(ImageError) -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count < count {
            if used == buffer.count { try fill() }
            if used == buffer.count {
                guard bytes.isEmpty else { throw damaged("it is cut off") }
                return nil
            }
            let piece = buffer[used..<min(buffer.count, used + count - bytes.count)]
            bytes += piece
            advance(piece.count)
        }
        return bytes
    }

    private func skip(_ count: Int64) throws(ImageError) {
        var left = count
        while left > 0 {
            if used == buffer.count { try fill() }
            guard used < buffer.count else { throw damaged("it is cut off") }
            let step = Int(min(left, Int64(buffer.count - used)))
            advance(step)
            left -= Int64(step)
        }
    }
}
