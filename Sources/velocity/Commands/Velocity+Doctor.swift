import ArgumentParser
import Cluster
import ContainerRuntime
import Foundation
import Progress

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "What works on this machine, what is reduced, and the command that would mend it.")

    func run() async throws {
        var troubles = 0
        func say(_ isGood: Bool, _ text: String, fix: String? = nil) {
            Output.line("\(isGood ? "✓" : "✗") \(text)")
            if let fix { Output.line("    mend it: \(fix)") }
            if !isGood { troubles += 1 }
        }
        let probe = RuntimeProbe.run()
        if let obstacle = probe.obstacle {
            say(false, "runtime level 'plain': \(obstacle)", fix: probe.fix)
            for line in RuntimeLevel.plain.reductions { Output.line("    \(line)") }
            say(true, LimitKeeping.watching.sentence)
        } else {
            say(true, "runtime level 'sandbox': pods get their own network, files, processes and host name")
            for line in RuntimeLevel.sandbox.reductions { Output.line("    \(line)") }
            let limits = LimitKeeping.probe()
            say(true, limits.sentence)
            if let fix = limits.fix { Output.line("    the kernel would keep them after: \(fix)") }
        }
        if let kubectl = Machine.find("kubectl") {
            say(true, "kubectl: \(kubectl)")
        } else {
            say(false, "kubectl is not installed", fix: "https://kubernetes.io/docs/tasks/tools/install-kubectl-linux/")
        }
        let images = ImageCatalog.ofThisProgram()
        if access(images.sandboxd, X_OK) != 0 {
            say(false, "the program '\(images.sandboxd)', which pods live in, is missing", fix: "make build")
        }
        for entry in images.entries {
            if let missing = entry.missing { say(false, "image \(entry.repository): \(missing)") }
        }
        do {
            let home = try Machine.home()
            say(true, "folder: \(home.path)")
            let store = try CourseAccess.progress()
            say(true, "progress: \(store.path)")
            let running = home.clusterNames.filter { ClusterProcess(home.cluster($0)).isRunning }
            say(true, running.isEmpty ? "cluster: none runs" : "cluster: \(running.joined(separator: ", ")) runs")
            for name in running {
                for remark in ClusterProcess(home.cluster(name)).state?.remarks ?? [] {
                    Output.line("    \(name): \(remark)")
                }
            }
            if running.isEmpty {
                let isFree = LoopbackPort.isFree(30080)
                say(
                    isFree, isFree ? "port 30080: free" : "port 30080 is taken by another program",
                    fix: isFree ? nil : "ss -ltnp 'sport = :30080'")
            }
        } catch {
            say(false, "\(error)")
        }
        say(
            Machine.canShowScreens,
            Machine.canShowScreens ? "terminal: shows screens" : "no terminal for screens here; plain text works")
        if troubles > 0 { throw ExitCode(1) }
    }
}
