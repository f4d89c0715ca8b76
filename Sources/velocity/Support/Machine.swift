import Cluster
import Foundation

/// What this process is and where it stands.
enum Machine {
    static var environment: [String: String] { ProcessInfo.processInfo.environment }

    /// The path of this program, for starting it again.
    static var executable: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    }

    static func home() throws -> VelocityHome {
        let home = try VelocityHome(environment: environment)
        try home.prepare()
        return home
    }

    /// The learner's home: `$HOME`, else what the system says.
    static var userHome: String { environment["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? NSHomeDirectory() }

    /// Whether full screens can be shown: a terminal on both ends that is not `dumb`.
    static var canShowScreens: Bool {
        isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0
            && environment["TERM"].map { !$0.isEmpty && $0 != "dumb" } ?? false
            && environment["VELOCITYLAB_PLAIN"] == nil
    }

    /// The first program of that name on PATH.
    ///
    /// - Parameter folder: Not looked into.
    static func find(_ program: String, except folder: String? = nil) -> String? {
        (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":").filter { $0 != folder ?? "" }
            .map { "\($0)/\(program)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}

/// Text for people and for programs.
enum Output {
    /// One line of the command's result.
    static func line(_ text: String = "") { self.text(text + "\n") }

    /// The command's result as it is.
    ///
    /// Written at once, also into a pipe: whoever waits for a long command sees how far it is.
    static func text(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }

    /// For the person at the terminal; never mixed into output that a program reads.
    static func remark(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }

    /// A value as JSON; the member `version` of every report says which form it has.
    static func json(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        line(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    /// A table with a header; columns as wide as their longest cell.
    static func table(_ header: [String], _ rows: [[String]]) {
        let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
        for row in [header] + rows {
            let cells = zip(row, widths).map { cell, width in cell + String(repeating: " ", count: width - cell.count) }
            var line = cells.joined(separator: "   ")
            while line.last == " " { line.removeLast() }
            self.line(line)
        }
    }
}
