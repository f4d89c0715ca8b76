import Foundation
import LabTesting
import Synchronization

/// One of the course's services, run as a process of this machine, without a cluster.
struct ServiceProcess {
    let process: ChildProcess
    let port: Int
    let program: Program
    private let log: ServiceLog

    static var executable: String { Program.products + "/Workloads" }

    /// Starts a service on a port of its own; returns when it listens.
    init(_ name: String, _ variables: [String: String] = [:], in program: Program) async throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw CocoaError(.fileReadUnknown) }
        let environment = ["PORT": "0", "HOSTNAME": "pod-1", "PATH": "/usr/bin:/bin"].merging(variables) { $1 }
        process = try ChildProcess(
            Self.executable, [name], environment: environment, streams: [STDIN_FILENO, ends[1], STDERR_FILENO])
        close(ends[1])
        log = ServiceLog(ends[0])
        self.program = program
        let line = await log.line(containing: #""event":"listening""#)
        let value = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        port = value?["port"] as? Int ?? 0
    }

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

    /// Waits until the service has answered a request.
    func firstAnswer() async { _ = await log.line(containing: #""status":"#) }

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

/// The lines of a service's log as they come.
///
/// Reading blocks, so it has a thread of its own, which goes on until the end: a full pipe would hold the service up.
final class ServiceLog: Sendable {
    private struct State {
        var lines: [String] = []
        var hasEnded = false
        var waiters: [(text: String, continuation: CheckedContinuation<String, Never>)] = []

        /// The first line that holds a text; empty when none came before the end.
        func find(_ text: String) -> String? { lines.first { $0.contains(text) } ?? (hasEnded ? "" : nil) }
    }
    private let state = Mutex(State())

    init(_ descriptor: Int32) {
        Thread.detachNewThread { [self] in
            let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
            var rest = Data()
            while case let chunk = handle.availableData, !chunk.isEmpty {
                rest += chunk
                while let end = rest.firstIndex(of: 10) {
                    add(String(decoding: rest[..<end], as: UTF8.self))
                    rest = rest[rest.index(after: end)...]
                }
            }
            add(nil)
        }
    }

    private func add(_ line: String?) {
        let ready = state.withLock { state in
            if let line { state.lines.append(line) } else { state.hasEnded = true }
            let ready = state.waiters.compactMap { waiter in state.find(waiter.text).map { (waiter.continuation, $0) } }
            state.waiters = state.waiters.filter { state.find($0.text) == nil }
            return ready
        }
        for (continuation, line) in ready { continuation.resume(returning: line) }
    }

    func line(containing text: String) async -> String {
        await withCheckedContinuation { continuation in
            let known = state.withLock { state in
                let known = state.find(text)
                if known == nil { state.waiters.append((text, continuation)) }
                return known
            }
            if let known { continuation.resume(returning: known) }
        }
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
