import Glibc

/// What is inside of xz and bzip2, stream after stream: unpacked by the host's liblzma and libbz2, which dpkg itself needs.
final class LibraryBytes: ByteSource {
    enum Method: String {
        case xz, bzip2

        var library: (file: String, package: String) {
            switch self {
            case .xz: ("liblzma.so.5", "liblzma5")
            case .bzip2: ("libbz2.so.1.0", "libbz2-1.0")
            }
        }
    }

    private let source: any ByteSource
    private let name: String
    private let method: Method
    private let functions: Functions
    /// `lzma_stream` or `bz_stream`, at a place of its own.
    private let stream: UnsafeMutableRawPointer
    private var input: [UInt8] = []
    private var used = 0
    private var isAtEnd = false
    private var isBetweenStreams = true

    /// Both structures begin alike, and are no larger than this.
    private enum Layout {
        static let size = 160
        static let (input, inputCount, output, outputCount) = (0, 8, 24, 32)
    }

    init(_ source: any ByteSource, name: String, method: Method) throws(ImageError) {
        let (file, package) = method.library
        guard let functions = Functions(method, file) else {
            throw ImageError(
                "'\(name)' is packed with \(method), and this machine has no \(file) to unpack it.",
                hint: "sudo apt-get install \(package)")
        }
        self.source = source
        self.name = name
        self.method = method
        self.functions = functions
        stream = .allocate(byteCount: Layout.size, alignment: 16)
        stream.initializeMemory(as: UInt8.self, repeating: 0, count: Layout.size)
        guard functions.begin(stream) == 0 else { throw ImageError("There is no memory to unpack '\(name)'.") }
    }

    deinit {
        functions.end(stream)
        stream.deallocate()
    }

    func read(_ count: Int) throws(ImageError) -> [UInt8] {
        while !isAtEnd {
            if used == input.count {
                let more = try source.read(128 * 1024)
                guard !more.isEmpty || isBetweenStreams else {
                    // Some may still be in the library's own memory.
                    let rest = try unpackSome(count)
                    guard rest.isEmpty else { return rest }
                    if isBetweenStreams { break }
                    throw ImageError("'\(name)' is cut off: its \(method) data has no end.", hint: "Fetch it anew.")
                }
                isAtEnd = more.isEmpty
                input = more
                used = 0
                if isAtEnd { break }
            }
            let bytes = try unpackSome(count)
            if !bytes.isEmpty { return bytes }
        }
        return []
    }

    private func unpackSome(_ count: Int) throws(ImageError) -> [UInt8] {
        var outcome: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { output, filled in
            input.withUnsafeBytes { input in
                stream.storeBytes(of: input.baseAddress.map { $0 + used }, toByteOffset: Layout.input, as: Pointer.self)
                stream.storeBytes(of: UInt32(input.count - used), toByteOffset: Layout.inputCount, as: UInt32.self)
                let start = output.baseAddress.map { UnsafeRawPointer($0) }
                stream.storeBytes(of: start, toByteOffset: Layout.output, as: Pointer.self)
                stream.storeBytes(of: UInt32(count), toByteOffset: Layout.outputCount, as: UInt32.self)
                outcome = functions.step(stream)
                used = input.count - Int(stream.load(fromByteOffset: Layout.inputCount, as: UInt32.self))
                filled = count - Int(stream.load(fromByteOffset: Layout.outputCount, as: UInt32.self))
            }
        }
        if outcome == functions.isDone {
            isBetweenStreams = true
            functions.end(stream)
            stream.initializeMemory(as: UInt8.self, repeating: 0, count: Layout.size)
            guard functions.begin(stream) == 0 else { throw ImageError("There is no memory to unpack '\(name)'.") }
        } else if outcome == 0 || outcome == functions.isIdle {
            isBetweenStreams = false
        } else {
            throw ImageError("'\(name)' is damaged: its \(method) data cannot be unpacked.", hint: "Fetch it anew.")
        }
        return bytes
    }

    private typealias Pointer = UnsafeRawPointer?

    /// The functions of a library that are needed, found when they are: most images do without.
    private struct Functions {
        let begin: (UnsafeMutableRawPointer) -> Int32
        let step: (UnsafeMutableRawPointer) -> Int32
        let end: (UnsafeMutableRawPointer) -> Void
        /// What a step says at the end of a stream, and when it could do nothing.
        let isDone: Int32
        let isIdle: Int32

        init?(_ method: Method, _ file: String) {
            typealias Plain = @convention(c) (UnsafeMutableRawPointer) -> Int32
            guard let library = dlopen(file, RTLD_NOW | RTLD_LOCAL) else { return nil }
            switch method {
            case .xz:
                typealias Begin = @convention(c) (UnsafeMutableRawPointer, UInt64, UInt32) -> Int32
                typealias Step = @convention(c) (UnsafeMutableRawPointer, Int32) -> Int32
                guard let begin = dlsym(library, "lzma_stream_decoder"), let step = dlsym(library, "lzma_code"),
                    let end = dlsym(library, "lzma_end")
                else { return nil }
                let (start, code) = (unsafeBitCast(begin, to: Begin.self), unsafeBitCast(step, to: Step.self))
                // The strongest packing that xz has takes 65 MiB.
                self.begin = { start($0, 256 << 20, 0) }
                self.step = { code($0, 0) }
                let finish = unsafeBitCast(end, to: Plain.self)
                self.end = { _ = finish($0) }
                (isDone, isIdle) = (1, 10)
            case .bzip2:
                typealias Begin = @convention(c) (UnsafeMutableRawPointer, Int32, Int32) -> Int32
                guard let begin = dlsym(library, "BZ2_bzDecompressInit"),
                    let step = dlsym(library, "BZ2_bzDecompress"),
                    let end = dlsym(library, "BZ2_bzDecompressEnd")
                else { return nil }
                let (start, finish) = (unsafeBitCast(begin, to: Begin.self), unsafeBitCast(end, to: Plain.self))
                self.begin = { start($0, 0, 0) }
                self.step = unsafeBitCast(step, to: Plain.self)
                self.end = { _ = finish($0) }
                (isDone, isIdle) = (4, 0)
            }
        }
    }
}
