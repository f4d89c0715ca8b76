import Glibc
import KubeClient
import KubeModel
import LabTesting
import Testing

@testable import ContainerRuntime

@Suite("Container logs", .timeLimit(.minutes(5))) struct ContainerLogsTests {
    private let logs = ContainerLogs()
    private let start = Timestamp(seconds: 1_800_000_000)

    private func append(_ text: String, to log: LogWriter, stream: String = "stdout", after seconds: Int = 0) {
        log.append(Array(text.utf8), stream: stream, now: start + .seconds(seconds))
    }

    private func read(_ path: String, _ options: LogOptions = LogOptions()) async throws -> String {
        try await text(of: logs.read(path, options))
    }

    private func text(of stream: AsyncThrowingStream<[UInt8], any Error>) async throws -> String {
        var bytes: [UInt8] = []
        for try await piece in stream { bytes += piece }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The file itself.
    private func content(_ path: String) throws -> String {
        let file = try #require(fopen(path, "r"))
        defer { fclose(file) }
        var bytes: [UInt8] = []
        while case let byte = fgetc(file), byte != EOF { bytes.append(UInt8(byte)) }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("lines are kept in the CRI format, for their owner only")
    func format() async throws {
        try await withTemporaryFolder { (folder) async throws in
            let path = "\(folder)/pods/a/main.log"
            let log = logs.begin(path)
            append("one\n\ntwo\n", to: log)
            append("bad\n", to: log, stream: "stderr", after: 1)
            #expect(
                try content(path) == """
                    2027-01-15T08:00:00.000000000Z stdout F one
                    2027-01-15T08:00:00.000000000Z stdout F 
                    2027-01-15T08:00:00.000000000Z stdout F two
                    2027-01-15T08:00:01.000000000Z stderr F bad

                    """)
            var information = stat()
            #expect(stat(path, &information) == 0)
            #expect(information.st_mode & 0o777 == 0o600)
            #expect(try await read(path) == "one\n\ntwo\nbad\n")
        }
    }

    @Test("a line waits for its end, each stream for its own, and stays without one when the container ends")
    func unfinished() async throws {
        try await withTemporaryFolder { (folder) async throws in
            let path = "\(folder)/main.log"
            let log = logs.begin(path)
            append("he", to: log)
            append("oops", to: log, stream: "stderr")
            #expect(try await read(path) == "")
            append("llo\nrest", to: log, after: 1)
            #expect(try await read(path) == "hello\n")
            append("\n", to: log, stream: "stderr", after: 2)
            log.finish(now: start + .seconds(3))
            #expect(try await read(path) == "hello\noops\nrest")
        }
    }

    @Test("a line that is too long is written in parts, and read as one")
    func partial() async throws {
        try await withTemporaryFolder { (folder) async throws in
            let path = "\(folder)/main.log"
            let log = logs.begin(path)
            let long = String(repeating: "x", count: 40_000)
            append(long, to: log)
            append("end\nnext\n", to: log)
            let tags = try content(path).split(separator: "\n").map { $0.split(separator: " ")[2] }
            #expect(tags == ["P", "P", "F", "F"])
            #expect(try await read(path) == long + "end\nnext\n")
        }
    }

    @Test(
        "a reader gets the part that it asks for",
        arguments: [
            (LogOptions(tailLines: 2), "three\nfour\n"), (LogOptions(tailLines: 0), ""),
            (LogOptions(tailLines: 99), "one\ntwo\nthree\nfour\n"),
            (LogOptions(sinceTime: Timestamp(seconds: 1_800_000_002)), "three\nfour\n"),
            (LogOptions(tailLines: 1, sinceTime: Timestamp(seconds: 1_800_000_001)), "four\n"),
            (LogOptions(limitBytes: 6), "one\ntw"), (LogOptions(tailLines: 1, limitBytes: 2), "fo"),
            (LogOptions(sinceSeconds: 1), ""), (LogOptions(sinceSeconds: .max), "one\ntwo\nthree\nfour\n"),
            (
                LogOptions(tailLines: 1, hasTimestamps: true),
                "2027-01-15T08:00:03.000000000Z four\n"
            ),
        ])
    func selection(options: LogOptions, text: String) async throws {
        try await withTemporaryFolder { (folder) async throws in
            let path = "\(folder)/main.log"
            let log = logs.begin(path)
            // Long ago for `sinceSeconds`, whatever the clock of the machine says.
            let isFuture = options.sinceSeconds != nil
            for (index, line) in ["one", "two", "three", "four"].enumerated() {
                append(line + "\n", to: log, after: index - (isFuture ? 1_000_000_000 : 0))
            }
            #expect(try await read(path, options) == text)
        }
    }

    @Test("a follower gets what is there, each new line, and ends with the container")
    func follow() async throws {
        try await withTemporaryFolder { (folder) async throws in
            let path = "\(folder)/main.log"
            let log = logs.begin(path)
            append("one\ntwo\n", to: log)
            var stream = try logs.read(path, LogOptions(isFollowing: true, tailLines: 1)).makeAsyncIterator()
            #expect(try await stream.next() == Array("two\n".utf8))
            append("three\nfo", to: log)
            #expect(try await stream.next() == Array("three\n".utf8))
            append("ur\nfive", to: log)
            #expect(try await stream.next() == Array("four\n".utf8))
            log.finish(now: start)
            #expect(try await stream.next() == Array("five".utf8))
            #expect(try await stream.next() == nil)
        }
    }

    @Test("a follower of a container that has ended reads the log and ends")
    func followEnded() async throws {
        try await withTemporaryFolder { (folder) async throws in
            let path = "\(folder)/main.log"
            let log = logs.begin(path)
            append("one\n", to: log)
            log.finish(now: start)
            #expect(try await read(path, LogOptions(isFollowing: true)) == "one\n")
            #expect(try await read("\(folder)/nosuch.log", LogOptions(isFollowing: true)) == "")
        }
    }

    @Test("a follower ends when its bytes are used up")
    func followLimit() async throws {
        try await withTemporaryFolder { (folder) async throws in
            let path = "\(folder)/main.log"
            let log = logs.begin(path)
            var stream = try logs.read(path, LogOptions(isFollowing: true, limitBytes: 6)).makeAsyncIterator()
            append("abc\n", to: log)
            #expect(try await stream.next() == Array("abc\n".utf8))
            append("defg\n", to: log)
            #expect(try await stream.next() == Array("de".utf8))
            #expect(try await stream.next() == nil)
        }
    }

    @Test("a follower that leaves disturbs neither the writer nor the others")
    func leaving() async throws {
        try await withTemporaryFolder { (folder) async throws in
            let path = "\(folder)/main.log"
            let log = logs.begin(path)
            append("one\n", to: log)
            let other = try logs.read(path, LogOptions(isFollowing: true))
            for try await _ in try logs.read(path, LogOptions(isFollowing: true)) { break }
            append("two\n", to: log)
            log.finish(now: start)
            #expect(try await text(of: other) == "one\ntwo\n")
        }
    }

    @Test("a log that is begun again goes on after what it held")
    func reopened() async throws {
        try await withTemporaryFolder { (folder) async throws in
            let path = "\(folder)/main.log"
            let first = logs.begin(path)
            append("one\n", to: first)
            first.finish(now: start)
            let second = ContainerLogs().begin(path)
            append("two\n", to: second)
            #expect(try await read(path) == "one\ntwo\n")
        }
    }

    @Test("what another program left in the file is skipped")
    func foreignLines() async throws {
        try await withTemporaryFolder { (folder) async throws in
            let path = "\(folder)/main.log"
            let file = try #require(fopen(path, "w"))
            fputs("garbage\n\n2027-01-15T08:00:00Z stdout F good\n2027-01-15T08:00:00Z stdout F cut", file)
            fclose(file)
            #expect(try await read(path) == "good\n")
        }
    }
}
