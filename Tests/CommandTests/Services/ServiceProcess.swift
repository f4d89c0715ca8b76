import Foundation
import LabTesting

/// One of the course's services, run as a process of this machine, without a cluster.
struct ServiceProcess {
    let process: ChildProcess
    let port: Int
    let program: Program
    private let log: FileHandle

    static var executable: String { Program.products + "/Workloads" }

    /// Starts a service on a port of its own; returns when it listens.
    init(_ name: String, _ variables: [String: String] = [:], in program: Program) async throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw CocoaError(.fileReadUnknown) }
        let environment = ["PORT": "0", "HOSTNAME": "pod-1", "PATH": "/usr/bin:/bin"].merging(variables) { $1 }
        process = try ChildProcess(
            Self.executable, [name], environment: environment, streams: [STDIN_FILENO, ends[1], STDERR_FILENO])
        close(ends[1])
        log = FileHandle(fileDescriptor: ends[0], closeOnDealloc: true)
        self.program = program
        port = await Self.port(log)
    }

    /// The port that the log names; 0 when the log ends before.
    ///
    /// Reading blocks, so it has a thread of its own, which goes on until the end: a full pipe would hold the service up.
    private static func port(_ log: FileHandle) async -> Int {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var text = Data()
                while text.range(of: event) == nil, case let chunk = log.availableData, !chunk.isEmpty { text += chunk }
                let line = text.split(separator: 10).last { $0.range(of: event) != nil } ?? Data()
                let value = try? JSONSerialization.jsonObject(with: line) as? [String: Any]
                continuation.resume(returning: value?["port"] as? Int ?? 0)
                while !log.availableData.isEmpty {}
            }
        }
    }

    private static let event = Data(#""event":"listening""#.utf8)

    /// Runs `body` with a service that is stopped afterwards.
    static func run(
        _ name: String, _ variables: [String: String] = [:], _ body: (ServiceProcess) async throws -> Void
    ) async throws {
        try await Program.inNewHome { program async throws in
            let service = try await ServiceProcess(name, variables, in: program)
            defer { kill(service.process.identifier, SIGKILL) }
            try await body(service)
        }
    }

    var url: String { "http://127.0.0.1:\(port)" }

    /// Asks with curl; the status, and the body as it is.
    func ask(_ path: String, post body: String? = nil) async throws -> (status: Int, body: String) {
        var words = ["-s", "--max-time", "20", "-w", "\n%{http_code}", url + path]
        if body != nil { words += ["-X", "POST", "--data-binary", "@-", "-H", "Content-Type: application/json"] }
        let result = try await program.start("/usr/bin/curl", words, input: body ?? "")
        let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false)
        let body = lines.dropLast().joined(separator: "\n").trimmingCharacters(in: .newlines)
        return (Int(lines.last ?? "") ?? 0, body)
    }

    /// Asks `rate` times a second; what the generator counted.
    func load(_ path: String, rate: Int, seconds: Int, _ more: String...) async throws -> LoadReport {
        try await LoadReport.run(url + path, rate: rate, seconds: seconds, more, in: program)
    }
}

/// What `Workloads load` counted.
struct LoadReport: Decodable {
    var requests: Int
    var failed: Int
    var failures: [String]
    var versions: [String: Int]

    static func run(_ url: String, rate: Int, seconds: Int, _ more: [String] = [], in program: Program) async throws
        -> LoadReport
    {
        let result = try await program.start(
            ServiceProcess.executable, ["load", url, "--rate", "\(rate)", "--seconds", "\(seconds)"] + more)
        return try JSONDecoder().decode(LoadReport.self, from: Data(result.output.utf8))
    }
}
