import Testing

@Suite("House style") struct StyleTests {
    struct Ban: Sendable, CustomTestStringConvertible {
        let text: String
        let instead: String
        /// Paths (prefixes) where it may stand, each for a reason.
        var allowed: [String] = []
        var testDescription: String { text }
    }

    @Test(
        "banned calls do not occur in the sources",
        arguments: [
            Ban(text: "Task.detached", instead: "a task group inside a Service"),
            Ban(text: "DispatchQueue", instead: "an actor or a Mutex"),
            Ban(text: "DispatchSemaphore", instead: "an async wait for the fact"),
            Ban(text: "try!", instead: "try, with an error that is handled"),
            Ban(text: "fatalError(", instead: "precondition with the values in its message"),
        ])
    func bannedCalls(ban: Ban) throws {
        for file in try SourceTree().swiftFiles(in: "Sources") {
            guard !ban.allowed.contains(where: file.path.hasPrefix) else { continue }
            for (index, line) in file.lines.enumerated() where line.contains(ban.text) {
                let isComment = line.drop(while: { $0 == " " }).hasPrefix("//")
                #expect(isComment, "\(file.path):\(index + 1) uses \(ban.text); use \(ban.instead)")
            }
        }
    }

    @Test("nothing printed outside the command line and the workloads")
    func printing() throws {
        for file in try SourceTree().swiftFiles(in: "Sources") where !["velocity", "Workloads"].contains(file.target) {
            for (index, line) in file.lines.enumerated() {
                let code = line.drop { $0 == " " }
                #expect(!code.hasPrefix("print("), "\(file.path):\(index + 1) prints")
            }
        }
    }

    @Test("no leftover marks: what is open is an issue, not a comment")
    func leftovers() throws {
        // Put together here, so that this file does not contain what it looks for.
        let marks = ["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]
        for file in try SourceTree().swiftFiles(in: "Sources") + SourceTree().swiftFiles(in: "Tests") {
            for (index, line) in file.lines.enumerated() {
                let words = line.split { !$0.isLetter }.map(String.init)
                #expect(!marks.contains(where: words.contains), "\(file.path):\(index + 1) holds a leftover mark")
            }
        }
    }

    @Test("a test waits for facts, not for time")
    func sleepingTests() throws {
        let call = "Task" + ".sleep"
        for file in try SourceTree().swiftFiles(in: "Tests") {
            for (index, line) in file.lines.enumerated() {
                #expect(!line.contains(call), "\(file.path):\(index + 1) sleeps")
            }
        }
    }
}
