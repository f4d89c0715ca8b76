// The load of `make bench`: what a server of the Kubernetes API does in a second, and how long it takes for the rest.
// usage: LoadBench network, LoadBench ports PORT NODE-PORT NOTE, or LoadBench [process of the server [phase ...]], phases:
// configmaps watch pods starts crowd idle; the kubeconfig is found as kubectl finds it.
import FoundationEssentials
import Glibc
import KubeClient
import NIOCore
import NIOPosix

// As many connections as the system allows, instead of the usual 1,024.
var limit = rlimit()
getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
limit.rlim_cur = limit.rlim_max
setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)

do {
    if CommandLine.arguments.dropFirst() == ["network"] {
        try await NetworkLoad.run()
        try await ServiceLoad.run()
        exit(0)
    }
    if CommandLine.arguments.count == 5, CommandLine.arguments[1] == "ports",
        let direct = Int(CommandLine.arguments[2]), let through = Int(CommandLine.arguments[3])
    {
        try await PortLoad(direct: direct, through: through, note: CommandLine.arguments[4]).run()
        exit(0)
    }
    let kubeconfig = try Kubeconfig.load(path: nil, environment: ProcessInfo.processInfo.environment)
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    let load = Load(
        target: try LoadTarget(kubeconfig, group: group),
        process: CommandLine.arguments.dropFirst().first.flatMap { Int($0) })
    try await load.makeNamespace()
    let phases = Set(CommandLine.arguments.dropFirst(2))
    func wants(_ phase: String) -> Bool { phases.isEmpty || phases.contains(phase) }
    if wants("configmaps") { try await load.configMaps(8000) }
    if wants("watch") { try await load.fewWatchers(50, writes: 400) }
    if wants("pods") { try await load.pods(5000) }
    if wants("starts") { try await load.podStarts(100) }
    if wants("crowd") { try await load.manyWatchers(1000, rate: 500, seconds: 10) }
    if wants("idle") { try await load.idleWatchers(10_000) }
    try await load.deleteNamespace()
    try await group.shutdownGracefully()
} catch {
    let line = Array("\(error)\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
    exit(1)
}
