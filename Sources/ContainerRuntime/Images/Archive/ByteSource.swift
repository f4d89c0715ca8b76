import CZlib
import Glibc

/// Bytes from somewhere, in order.
protocol ByteSource: AnyObject {
    /// The next bytes, at most `count`; none at the end.
    func read(_ count: Int) throws(ImageError) -> [UInt8]
}

/// A part of an open file.
final class FileBytes: ByteSource {
    private let file: Int32
    private let name: String
    private var offset: Int64
    private var left: Int64

    /// - Parameters:
    ///   - file: An open descriptor, which stays the caller's.
    ///   - name: For messages.
    init(_ file: Int32, name: String, offset: Int64 = 0, length: Int64 = .max) {
        self.file = file
        self.name = name
        self.offset = offset
        left = length
    }

    func read(_ count: Int) throws(ImageError) -> [UInt8] {
        let wanted = Int(min(Int64(count), left))
        guard wanted > 0 else { return [] }
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, filled in
            let got = pread(file, buffer.baseAddress, wanted, Int(offset))
            if got < 0 { failure = errno }
            filled = max(0, got)
        }
        guard failure == 0 else { throw .system("'\(name)' cannot be read", failure) }
        offset += Int64(bytes.count)
        left -= Int64(bytes.count)
        return bytes
    }
}

/// Bytes that can be read once.
final class PipeBytes: ByteSource {
    private let descriptor: Int32
    private let name: String

    init(_ descriptor: Int32, name: String) {
        self.descriptor = descriptor
        self.name = name
    }

    func read(_ count: Int) throws(ImageError) -> [UInt8] {
        while true {
            var failure: Int32 = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
                let got = Glibc.read(descriptor, buffer.baseAddress, count)
                if got < 0 { failure = errno }
                filled = max(0, got)
            }
            if failure == 0 { return bytes }
            guard failure == EINTR else { throw .system("'\(name)' cannot be read", failure) }
        }
    }
}

/// What is inside of gzip (RFC 1952), member after member.
final class GunzipBytes: ByteSource {
    private let source: any ByteSource
    private let name: String
    /// At a place of its own, because zlib remembers where it is.
    private let stream: UnsafeMutablePointer<z_stream>
    private var input: [UInt8] = []
    private var used = 0
    private var isBetweenMembers = true
    private var isAtEnd = false
    private static let windowBits: Int32 = 15 + 16

    init(_ source: any ByteSource, name: String) throws(ImageError) {
        self.source = source
        self.name = name
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard cz_inflate_init(stream, Self.windowBits) == Z_OK else {
            throw ImageError("There is no memory to unpack '\(name)'.")
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    func read(_ count: Int) throws(ImageError) -> [UInt8] {
        while !isAtEnd {
            if used == input.count {
                input = try source.read(128 * 1024)
                used = 0
                if input.isEmpty {
                    guard isBetweenMembers else {
                        throw ImageError("'\(name)' is cut off: its gzip data has no end.", hint: "Fetch it anew.")
                    }
                    isAtEnd = true
                    break
                }
            }
            let bytes = try inflateSome(count)
            if !bytes.isEmpty { return bytes }
        }
        return []
    }

    private func inflateSome(_ count: Int) throws(ImageError) -> [UInt8] {
        var outcome: Int32 = Z_OK
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { output, filled in
            input.withUnsafeMutableBufferPointer { input in
                stream.pointee.next_in = input.baseAddress.map { $0 + used }
                stream.pointee.avail_in = UInt32(input.count - used)
                stream.pointee.next_out = output.baseAddress
                stream.pointee.avail_out = UInt32(count)
                outcome = inflate(stream, Z_NO_FLUSH)
                used = input.count - Int(stream.pointee.avail_in)
                filled = count - Int(stream.pointee.avail_out)
            }
        }
        switch outcome {
        case Z_OK, Z_BUF_ERROR: isBetweenMembers = false
        case Z_STREAM_END:
            isBetweenMembers = true
            inflateReset(stream)
        default: throw ImageError("'\(name)' is damaged: its gzip data cannot be unpacked.", hint: "Fetch it anew.")
        }
        return bytes
    }
}

/// Passes bytes on, and knows the digest of what has passed.
final class HashedBytes: ByteSource {
    private let source: any ByteSource
    private var hash = ContentHash()
    private(set) var count: Int64 = 0

    init(_ source: any ByteSource) { self.source = source }

    func read(_ count: Int) throws(ImageError) -> [UInt8] {
        let bytes = try source.read(count)
        hash.update(bytes)
        self.count += Int64(bytes.count)
        return bytes
    }

    /// Reads what is left, and returns the digest of all.
    func finish() throws(ImageError) -> Digest {
        while !(try read(128 * 1024)).isEmpty {}
        return hash.digest
    }
}

/// How bytes are packed, seen by their first ones.
enum Packing {
    case plain, gzip, zstd, xz, bzip2

    init(firstBytes bytes: [UInt8]) {
        func begins(_ magic: [UInt8]) -> Bool { bytes.starts(with: magic) }
        if begins([0x1F, 0x8B]) {
            self = .gzip
        } else if begins([0x28, 0xB5, 0x2F, 0xFD]) {
            self = .zstd
        } else if begins([0xFD, 0x37, 0x7A, 0x58, 0x5A]) {
            self = .xz
        } else if begins([0x42, 0x5A, 0x68]) {
            self = .bzip2
        } else {
            self = .plain
        }
    }

    /// What is inside of a part of a file.
    static func open(
        _ file: Int32, name: String, offset: Int64 = 0, length: Int64 = .max
    ) throws(ImageError) -> any ByteSource {
        let first = try FileBytes(file, name: name, offset: offset, length: min(length, 8)).read(8)
        let bytes = FileBytes(file, name: name, offset: offset, length: length)
        switch Packing(firstBytes: first) {
        case .plain: return bytes
        case .gzip: return try GunzipBytes(bytes, name: name)
        case .zstd: return try ZstdBytes(bytes, name: name)
        case .xz: return try LibraryBytes(bytes, name: name, method: .xz)
        case .bzip2: return try LibraryBytes(bytes, name: name, method: .bzip2)
        }
    }
}
