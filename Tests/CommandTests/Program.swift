import CSandbox
import Dispatch
import Foundation
import LabTesting

/// The built `velocity`, run with a home of its own.
final class Program: Sendable {
    struct Result: Sendable {
        var code: Int32
        var output: String
        var errors: String
    }

    let home: String
    var state: String { home + "/state" }
    var kubeconfig: String { state + "/clusters/velocitylab/kubeconfig" }

    private init() throws {
        home = NSTemporaryDirectory() + "velocity-test-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
    }

    /// Runs `body` with a new home; afterwards its cluster is deleted and its home removed.
    static func inNewHome(_ body: (Program) async throws -> Void) async throws {
        let program = try Program()
        defer { try? FileManager.default.removeItem(atPath: program.home) }
        do {
            try await body(program)
        } catch {
            _ = try? await program.run("cluster", "delete")
            throw error
        }
        try await program.run("cluster", "delete")
    }

    /// The folder of the test program, where the build puts all products.
    static let products: String = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: own).deletingLastPathComponent().path
    }()

    static var velocity: String { products + "/velocity" }

    @discardableResult
    func run(_ arguments: String..., input: String = "") async throws -> Result {
        try await start(Self.velocity, arguments, input: input)
    }

    /// The real kubectl, if this machine has one.
    static let kubectl: String? = {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return folders.map { "\($0)/kubectl" }.first(where: FileManager.default.isExecutableFile(atPath:))
    }()

    /// Runs kubectl against the cluster, in the folder of the home.
    func kubectl(_ arguments: [String]) async throws -> Result {
        // Over WebSocket, kubectl before 1.34 now and then loses the output of a command that is faster than it
        // (kubernetes/kubernetes#131189).
        let variables = [
            "KUBECONFIG": kubeconfig, "EDITOR": "true", "KUBECTL_REMOTE_COMMAND_WEBSOCKETS": "false",
        ]
        return try await start(Self.kubectl ?? "kubectl", arguments, variables: variables)
    }

    /// Writes a file into the home.
    func write(_ name: String, _ text: String) throws {
        let url = URL(fileURLWithPath: home).appending(path: name)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    /// Runs a program to its end.
    func start(
        _ program: String, _ arguments: [String], input: String = "", variables: [String: String] = [:]
    ) async throws -> Result {
        var environment = ProcessInfo.processInfo.environment
        environment["HOME"] = home
        environment["VELOCITY_HOME"] = state
        environment["USER"] = "ana"
        environment["KUBECONFIG"] = nil
        environment.merge(variables) { $1 }
        let (end, output, errors) = try await ChildProcess.run(
            program, arguments, environment: environment, folder: home, input: input)
        return Result(code: end.code, output: output, errors: errors)
    }

    /// The process of the running cluster.
    func clusterProcess() throws -> Int32 {
        let data = try Data(contentsOf: URL(fileURLWithPath: state + "/clusters/velocitylab/run/state.json"))
        let value = try JSONSerialization.jsonObject(with: data) as? [String: Any]
        return Int32(value?["pid"] as? Int ?? 0)
    }

    /// A process and everything that descends from it.
    static func family(of process: Int32) -> [Int32] {
        var children: [Int32: [Int32]] = [:]
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let number = Int32(name),
                let stat = try? String(contentsOfFile: "/proc/\(name)/stat", encoding: .utf8),
                let fields = stat.split(separator: ")").last?.split(separator: " "), fields.count > 1,
                let parent = Int32(fields[1])
            else { continue }
            children[parent, default: []].append(number)
        }
        var family = [process]
        var index = 0
        while index < family.count {
            family += children[family[index]] ?? []
            index += 1
        }
        return family
    }

    /// Waits until processes have ended; false when some have not after 10 seconds.
    static func waitForEnd(of processes: [Int32]) async -> Bool {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(returning: processes.allSatisfy { vs_wait_process($0, 10_000) == 0 })
            }
        }
    }
}
