import Checkers
import Cluster
import CourseModel
import Foundation

/// A network and a process tree of their own for a program, by `unshare` of util-linux.
struct Isolation: Sendable {
    private let prefix: [String]
    /// Why there is none; empty when there is.
    let remark: String

    var isComplete: Bool { !prefix.isEmpty }

    /// The best that this machine allows, tried out.
    static var best: Isolation {
        let own = ["--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
        // Others than root need a user namespace, with the ids that pods run under.
        let options = geteuid() == 0 ? own : ["--user", "--map-root-user", "--map-auto"] + own
        guard let unshare = Machine.find("unshare") else {
            return Isolation(prefix: [], remark: "there is no program 'unshare'.")
        }
        let command = [unshare] + options + ["--"]
        guard BlockingProcess.run(command + ["true"]).exitCode == 0 else {
            return Isolation(prefix: [], remark: "'unshare \(options.joined(separator: " "))' is not allowed here.")
        }
        return Isolation(prefix: command, remark: "")
    }

    /// Runs a program to its end.
    func run(_ command: [String], environment: [String: String]) async -> SolutionRunner.ShellResult {
        await BlockingProcess.runAside(prefix + command, environment: environment)
    }

    /// Brings up the loopback of this process's network: it is down in a new one.
    static func raiseLoopback() {
        let (netlink, raw, route) = (Int32(16), Int32(SOCK_RAW.rawValue), Int32(0))
        let descriptor = socket(netlink, raw, route)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        // rtnetlink(7): a header (length, RTM_NEWLINK, REQUEST and ACK, sequence, port), then struct ifinfomsg with
        // the index 1, which `lo` has in every network, and the flag IFF_UP.
        let (newLink, requestAndAck, up) = (UInt32(16), UInt32(5), UInt32(1))
        let message: [UInt32] = [32, newLink | requestAndAck << 16, 1, 0, 0, 1, up, up]
        let length = message.count * 4
        guard send(descriptor, message, length, 0) == length else { return }
        var answer = [UInt8](repeating: 0, count: 256)
        _ = recv(descriptor, &answer, answer.count, 0)
    }
}

/// Programs that run to their end, with their output as text.
enum BlockingProcess {
    /// - Parameter folder: Where it runs; nil: where this process does.
    static func run(
        _ command: [String], environment: [String: String]? = nil, folder: String? = nil
    ) -> SolutionRunner.ShellResult {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
        if let environment { process.environment = environment }
        if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
        // A file, not a pipe: what the program leaves in the background may keep its output open.
        let path = NSTemporaryDirectory() + "/velocity-output-\(UUID().uuidString)"
        _ = FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
        defer { try? FileManager.default.removeItem(atPath: path) }
        let output = FileHandle(forWritingAtPath: path)
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        do { try process.run() } catch {
            return SolutionRunner.ShellResult(output: "\(error)", exitCode: 127)
        }
        process.waitUntilExit()
        try? output?.close()
        let text = FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return SolutionRunner.ShellResult(output: text, exitCode: process.terminationStatus)
    }

    /// As ``run(_:environment:folder:)``, on a thread of its own: it blocks while the program runs.
    static func runAside(
        _ command: [String], environment: [String: String]? = nil, folder: String? = nil
    ) async -> SolutionRunner.ShellResult {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(returning: run(command, environment: environment, folder: folder))
            }
        }
    }
}

/// Runs scripts with `bash` in a folder with a lab's starter files, with kubectl wired to a cluster.
struct LabBash: Sendable {
    private let folder: String
    private let environment: [String: String]

    /// - Parameters:
    ///   - cluster: For the embedded one `minikube`, `kind` and `docker` answer as well.
    ///   - folder: Made when it is not there, with the lab's starter files.
    init(lab: Lab, cluster: LabCluster, folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for file in lab.starters {
            let url = URL(fileURLWithPath: folder).appendingPathComponent(file.name)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(file.text.utf8).write(to: url)
        }
        var environment = Machine.environment
        environment["KUBECONFIG"] = try cluster.kubeconfigForShells()
        if cluster.isEmbedded {
            let tools = try FrontEnd.install(in: Machine.home())
            environment["PATH"] = tools + ":" + (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin")
        }
        environment["HOME"] = folder
        self.folder = folder
        self.environment = environment
    }

    /// Standard error comes with the output, in order; a script that hangs is ended after two minutes.
    func run(_ script: String) async -> SolutionRunner.ShellResult {
        // A file, not an argument: a script that ends others by their command line must not find itself.
        let path = "\(folder)/.script-\(UUID().uuidString.prefix(8)).sh"
        defer { try? FileManager.default.removeItem(atPath: path) }
        do { try Data(script.utf8).write(to: URL(fileURLWithPath: path)) } catch {
            return SolutionRunner.ShellResult(output: "\(error)", exitCode: 126)
        }
        return await BlockingProcess.runAside(
            ["/usr/bin/timeout", "-k", "5", "120", "/bin/bash", path], environment: environment, folder: folder)
    }
}
