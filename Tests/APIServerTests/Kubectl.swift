import Foundation

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
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program ?? Self.path ?? "kubectl")
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: home)
        process.environment = [
            "HOME": home, "KUBECONFIG": "\(home)/kubeconfig", "EDITOR": "true", "TMPDIR": home,
            "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin",
        ].merging(environment) { $1 }
        // Files, because a pipe that nobody empties would stop the program.
        let names = ["out", "err"].map { "\(home)/\($0)-\(UInt64.random(in: 0 ... .max))" }
        let files = try names.map { name in
            try Data().write(to: URL(fileURLWithPath: name))
            return try FileHandle(forWritingTo: URL(fileURLWithPath: name))
        }
        process.standardOutput = files[0]
        process.standardError = files[1]
        process.standardInput = FileHandle.nullDevice
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            process.terminationHandler = { _ in continuation.resume() }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        for file in files { try file.close() }
        let texts = try names.map { try String(contentsOfFile: $0, encoding: .utf8) }
        return Output(code: process.terminationStatus, stdout: texts[0], stderr: texts[1])
    }
}
