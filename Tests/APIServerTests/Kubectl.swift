import Foundation
import LabTesting

/// The real kubectl against a server, with a home and a cache of its own.
struct Kubectl: Sendable {
    static let path: String? = {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return folders.map { "\($0)/kubectl" }.first(where: FileManager.default.isExecutableFile(atPath:))
    }()

    struct Output: Sendable {
        let code: Int32
        let stdout: String
        let stderr: String
    }

    let home: String

    init(kubeconfig: String) throws {
        home = "/tmp/velocity-kubectl-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        try kubeconfig.write(toFile: "\(home)/kubeconfig", atomically: true, encoding: .utf8)
    }

    func remove() { removeFolder(home) }

    func write(_ name: String, _ text: String) throws -> String {
        try text.write(toFile: "\(home)/\(name)", atomically: true, encoding: .utf8)
        return "\(home)/\(name)"
    }

    /// Runs kubectl, or another program by its path, to its end.
    func callAsFunction(
        _ arguments: String..., program: String? = nil, environment: [String: String] = [:]
    ) async throws -> Output {
        let variables = [
            "HOME": home, "KUBECONFIG": "\(home)/kubeconfig", "EDITOR": "true", "TMPDIR": home,
            "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin",
        ].merging(environment) { $1 }
        let (end, output, errors) = try await ChildProcess.run(
            program ?? Self.path ?? "kubectl", arguments, environment: variables, folder: home)
        return Output(code: end.code, stdout: output, stderr: errors)
    }
}
