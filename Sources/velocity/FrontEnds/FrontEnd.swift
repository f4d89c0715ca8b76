import ArgumentParser
import Cluster
import Foundation

/// A command of another tool that answers here in that tool's place.
///
/// The lab shell has `minikube`, `kind` and `docker` first on its PATH; each calls `velocity minikube …` and so on. What scripts read
/// goes to standard output in the shape of the real tool; that VelocityLab answers is the first line on standard error. Where the
/// learner chose a real cluster, the real tool is run instead.
enum FrontEnd: String, CaseIterable {
    case minikube, kind, docker

    /// Set in a lab shell on a real cluster.
    static let realClusterVariable = "VELOCITY_REAL_CLUSTER"
    static let version = "v0.1.0-velocitylab"
    static let kubernetesVersion = "v1.32.4"

    static var platform: String {
        #if arch(arm64)
        "linux/arm64"
        #else
        "linux/amd64"
        #endif
    }

    /// Runs the real tool if it is that one's turn, and does not return then; otherwise says who answers.
    func begin(_ words: [String]) throws {
        if !(Machine.environment[Self.realClusterVariable] ?? "").isEmpty { try handOver(words) }
        Output.remark("VelocityLab answers in place of \(rawValue): the cluster is its own, on this machine.")
    }

    private func handOver(_ words: [String]) throws {
        let own = (try? Machine.home().frontEnds) ?? ""
        guard let tool = Machine.find(rawValue, except: own) else {
            throw FrontEndFailure(
                "This lab shell works on a real cluster, and \(rawValue) is not installed.",
                hint: "Install it, or open the shell without --context: VelocityLab then answers in its place.",
                code: 127
            )
        }
        try Self.become(tool, words)
    }

    /// Replaces this process by another program.
    static func become(_ program: String, _ words: [String]) throws {
        var arguments = ([program] + words).map { strdup($0) } + [nil]
        execv(program, &arguments)
        let reason = String(cString: strerror(errno))
        for argument in arguments { free(argument) }
        throw FrontEndFailure("'\(program)' cannot be run: \(reason).", code: 126)
    }
}

/// Why a front end refuses, in its tool's own words where it has some.
struct FrontEndFailure: Error {
    var lines: [String]
    var code: Int32

    init(_ message: String, hint: String? = nil, code: Int32 = 1) {
        lines = ["Error: \(message)"] + (hint.map { ["hint: \($0)"] } ?? [])
        self.code = code
    }

    init(lines: [String], code: Int32 = 1) {
        self.lines = lines
        self.code = code
    }
}

extension VelocityHome {
    /// The folder that the lab shell puts first on PATH.
    var frontEnds: String { path + "/bin" }
}

extension FrontEnd {
    /// Makes the programs that the lab shell finds; returns their folder.
    static func install(in home: VelocityHome) throws -> String {
        let folder = home.frontEnds
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            for tool in allCases {
                let path = "\(folder)/\(tool.rawValue)"
                let script = "#!/bin/sh\nexec '\(Machine.executable)' \(tool.rawValue) \"$@\"\n"
                try Data(script.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
            }
        } catch {
            throw ClusterError("The folder '\(folder)' cannot be written: \(error.localizedDescription)")
        }
        return folder
    }

    /// Runs what a front end is asked, and turns its refusals into lines and an exit code.
    func run(_ words: [String], _ body: ([String]) async throws -> Void) async throws {
        do {
            try begin(words)
            try await body(words)
        } catch let failure as FrontEndFailure {
            for line in failure.lines { Output.remark(line) }
            throw ExitCode(failure.code)
        }
    }
}
