import CZlib

/// Compresses bytes piece by piece in the gzip format (RFC 1952), fast rather than small.
final class Gzip {
    /// At a place of its own, because zlib remembers where it is.
    private let stream: UnsafeMutablePointer<z_stream>
    private static let level: Int32 = 1
    /// 15 bits of window; 16 more ask for gzip's head and tail.
    private static let windowBits: Int32 = 15 + 16

    /// Nil when there is no memory for it.
    init?() {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard cz_deflate_init(stream, Self.level, Self.windowBits) == Z_OK else {
            stream.deallocate()
            return nil
        }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    /// What comes out for a piece; after the last piece nothing may follow.
    func compress(_ piece: [UInt8], isLast: Bool) -> [UInt8] {
        var output: [UInt8] = []
        var input = piece
        input.withUnsafeMutableBufferPointer { input in
            stream.pointee.next_in = input.baseAddress
            stream.pointee.avail_in = UInt32(input.count)
            repeat {
                let chunk = [UInt8](unsafeUninitializedCapacity: max(4096, input.count / 4)) { buffer, count in
                    stream.pointee.next_out = buffer.baseAddress
                    stream.pointee.avail_out = UInt32(buffer.count)
                    deflate(stream, isLast ? Z_FINISH : Z_NO_FLUSH)
                    count = buffer.count - Int(stream.pointee.avail_out)
                }
                output += chunk
            } while stream.pointee.avail_out == 0
            stream.pointee.next_in = nil
        }
        return output
    }
}

extension Gzip {
    /// Bytes in one go; nil when there is no memory for it.
    static func compress(_ bytes: [UInt8]) -> [UInt8]? { Gzip()?.compress(bytes, isLast: true) }

    /// What was compressed with `compress`; nil for anything else.
    static func expand(_ bytes: [UInt8]) -> [UInt8]? {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        defer { stream.deallocate() }
        stream.initialize(to: z_stream())
        guard cz_inflate_init(stream, windowBits) == Z_OK else { return nil }
        defer { inflateEnd(stream) }
        var input = bytes
        var output: [UInt8] = []
        var isComplete = false
        input.withUnsafeMutableBufferPointer { input in
            stream.pointee.next_in = input.baseAddress
            stream.pointee.avail_in = UInt32(input.count)
            var code = Z_OK
            while code == Z_OK {
                output += [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
                    stream.pointee.next_out = buffer.baseAddress
                    stream.pointee.avail_out = UInt32(buffer.count)
                    code = inflate(stream, Z_NO_FLUSH)
                    count = buffer.count - Int(stream.pointee.avail_out)
                }
            }
            stream.pointee.next_in = nil
            isComplete = code == Z_STREAM_END
        }
        return isComplete ? output : nil
    }
}
