import Glibc
import KubeClient
import KubeModel

/// A place in a log file, and which lines are wanted from there on.
struct LogCursor: Sendable {
    private let path: String
    private let options: LogOptions
    private var offset = 0
    private var rest: [UInt8] = []
    private var bytesLeft: Int

    init(path: String, options: LogOptions) {
        self.path = path
        self.options = options
        bytesLeft = options.limitBytes ?? Int.max
    }

    /// The byte limit is used up.
    var isOver: Bool { bytesLeft <= 0 }

    /// The lines that are there now, after `tailLines` and the since-options.
    mutating func readSelected() -> [UInt8] {
        var lines = Self.lines(of: Self.bytes(of: path + ".old", from: 0)).lines
        lines += newLines()
        let since = options.sinceTime ?? options.sinceSeconds.map { .now + .seconds(-$0) }
        if let since {
            lines = lines.filter { line in line.time.map { $0 >= since } ?? true }
        }
        if let tail = options.tailLines { lines = Array(lines.suffix(max(0, tail))) }
        return render(lines)
    }

    /// What has been added since the last read.
    mutating func readOn() -> [UInt8] { render(newLines()) }

    private mutating func newLines() -> [Line] {
        var information = stat()
        // A shorter file is a new one: the log was rotated.
        if stat(path, &information) == 0, Int(information.st_size) < offset { offset = 0 }
        let bytes = Self.bytes(of: path, from: offset)
        offset += bytes.count
        let (lines, left) = Self.lines(of: rest + bytes)
        rest = left
        return lines
    }

    private mutating func render(_ lines: [Line]) -> [UInt8] {
        var output: [UInt8] = []
        for line in lines {
            if options.hasTimestamps { output += line.stamp + [UInt8(ascii: " ")] }
            output += line.content
            if line.isWhole { output.append(UInt8(ascii: "\n")) }
        }
        if output.count > bytesLeft { output.removeLast(output.count - bytesLeft) }
        bytesLeft -= output.count
        return output
    }

    private struct Line {
        var stamp: ArraySlice<UInt8>
        var content: ArraySlice<UInt8>
        var isWhole: Bool

        var time: Timestamp? { Timestamp(parsing: String(decoding: stamp, as: UTF8.self)) }
    }

    /// Splits `TIME STREAM TAG CONTENT` lines; what has no line feed yet is left over.
    private static func lines(of bytes: [UInt8]) -> (lines: [Line], rest: [UInt8]) {
        guard let end = bytes.lastIndex(of: UInt8(ascii: "\n")) else { return ([], bytes) }
        let lines = bytes[..<end].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).compactMap {
            line in
            let parts = line.split(separator: UInt8(ascii: " "), maxSplits: 3, omittingEmptySubsequences: false)
            return parts.count == 4
                ? Line(stamp: parts[0], content: parts[3], isWhole: parts[2].first == UInt8(ascii: "F")) : nil
        }
        return (lines, Array(bytes[(end + 1)...]))
    }

    private static func bytes(of path: String, from offset: Int) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        lseek(file, offset, SEEK_SET)
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = read(file, &chunk, chunk.count)
            guard count > 0 else { return bytes }
            bytes += chunk[..<count]
        }
    }
}
