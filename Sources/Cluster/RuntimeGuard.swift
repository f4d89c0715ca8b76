import ContainerRuntime
import ServiceLifecycle

/// Ends the cluster when its runtime has: a cluster whose pods are all gone is of no use, and starts again within a moment.
struct RuntimeGuard: Service {
    let runtime: any ContainerRuntime
    let name: String

    func run() async throws {
        for await _ in runtime.breakdown.cancelOnGracefulShutdown() {
            throw ClusterError(
                "The process that keeps the pods of the cluster '\(name)' was killed, and the pods with it.",
                hint: "Start the cluster again, with all that it holds: velocity cluster up \(name)")
        }
    }
}
