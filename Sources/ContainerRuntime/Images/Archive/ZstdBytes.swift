import Glibc

/// What is inside of Zstandard (RFC 8878), frame after frame: unpacked by the host's libzstd, which nearly every Linux has.
final class ZstdBytes: ByteSource {
    private let source: any ByteSource
    private let name: String
    private let library: Library
    private let stream: OpaquePointer
    private var input: [UInt8] = []
    private var used = 0
    /// What libzstd still wants: 0 between frames.
    private var wanted = 0
    /// Its room may hold more than could be handed out.
    private var isFull = false

    init(_ source: any ByteSource, name: String, library: Library? = .host) throws(ImageError) {
        guard let library else {
            throw ImageError(
                "'\(name)' is packed with zstd, and this machine has no libzstd to unpack it.",
                hint: "sudo apt-get install libzstd1")
        }
        guard let stream = library.make() else { throw ImageError("There is no memory to unpack '\(name)'.") }
        self.source = source
        self.name = name
        self.library = library
        self.stream = stream
    }

    deinit { _ = library.free(stream) }

    func read(_ count: Int) throws(ImageError) -> [UInt8] {
        while true {
            if used == input.count, !isFull || wanted == 0 {
                input = try source.read(128 * 1024)
                used = 0
                if input.isEmpty {
                    guard wanted == 0 else {
                        throw ImageError("'\(name)' is cut off: its zstd data has no end.", hint: "Fetch it anew.")
                    }
                    return []
                }
            }
            let bytes = try unpackSome(count)
            if !bytes.isEmpty { return bytes }
        }
    }

    private func unpackSome(_ count: Int) throws(ImageError) -> [UInt8] {
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { output, filled in
            input.withUnsafeBytes { input in
                var from = Library.Buffer(pointer: input.baseAddress, size: input.count, position: used)
                var to = Library.Buffer(
                    pointer: output.baseAddress.map { UnsafeRawPointer($0) }, size: count, position: 0)
                wanted = library.unpack(stream, &to, &from)
                used = from.position
                filled = to.position
            }
        }
        guard library.isError(wanted) == 0 else {
            throw ImageError("'\(name)' is damaged: its zstd data cannot be unpacked.", hint: "Fetch it anew.")
        }
        isFull = bytes.count == count
        return bytes
    }

    /// The functions of libzstd that are needed, found when they are: most images do without.
    struct Library: Sendable {
        /// `ZSTD_inBuffer` and `ZSTD_outBuffer`.
        struct Buffer {
            var pointer: UnsafeRawPointer?
            var size: Int
            var position: Int
        }

        let make: @Sendable @convention(c) () -> OpaquePointer?
        let free: @Sendable @convention(c) (OpaquePointer?) -> Int
        let unpack: @Sendable @convention(c) (OpaquePointer?, UnsafeMutableRawPointer, UnsafeMutableRawPointer) -> Int
        let isError: @Sendable @convention(c) (Int) -> UInt32

        static let host = Library("libzstd.so.1")

        init?(_ file: String) {
            guard let library = dlopen(file, RTLD_NOW | RTLD_LOCAL), let make = dlsym(library, "ZSTD_createDStream"),
                let free = dlsym(library, "ZSTD_freeDStream"), let unpack = dlsym(library, "ZSTD_decompressStream"),
                let isError = dlsym(library, "ZSTD_isError")
            else { return nil }
            self.make = unsafeBitCast(make, to: (@Sendable @convention(c) () -> OpaquePointer?).self)
            self.free = unsafeBitCast(free, to: (@Sendable @convention(c) (OpaquePointer?) -> Int).self)
            self.unpack = unsafeBitCast(
                unpack,
                to: (@Sendable @convention(c) (OpaquePointer?, UnsafeMutableRawPointer, UnsafeMutableRawPointer) -> Int)
                    .self)
            self.isError = unsafeBitCast(isError, to: (@Sendable @convention(c) (Int) -> UInt32).self)
        }
    }
}
