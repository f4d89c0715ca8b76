import ContainerRuntime
public import KubeClient
public import KubeModel
import Synchronization

/// Turns what has been used into what is being used: the use of the processor is a difference between two looks.
///
/// Nobody looks unless somebody asks. The look before serves for the difference unless it is too old or too new; then there
/// is a short wait for a second one.
struct UsageMeter {
    /// One look at everything.
    struct Look {
        var time: Timestamp
        var node: ProcessSnapshot.Total
        /// By pod, then by container; a container that was started anew is another one (its id).
        var containers: [Name: ProcessSnapshot.Total]
    }

    struct Name: Hashable {
        let podUID: String
        let container: String
        let id: String
    }

    private var last: Look?

    static let windowMin = Duration.seconds(1)
    static let windowMax = Duration.seconds(60)

    init() {}

    /// Whether a look now would give a use; otherwise two are needed, `windowMin` apart.
    func isReady(now: Timestamp) -> Bool {
        guard let last else { return false }
        return now - last.time >= Self.windowMin && now - last.time <= Self.windowMax
    }

    /// Takes note of a look and tells the use since the one before; a container that is new is measured from its start on.
    mutating func take(_ look: Look) -> NodeUsage? {
        defer { last = look }
        guard let last, look.time > last.time else { return nil }
        let window = look.time - last.time
        let seconds = Double(window.components.seconds) + Double(window.components.attoseconds) / 1e18
        func usage(_ now: ProcessSnapshot.Total, _ before: ProcessSnapshot.Total?) -> ResourceUsage {
            let used = max(0, now.cpuNanoseconds - (before?.cpuNanoseconds ?? 0))
            return ResourceUsage(cpuNanocores: Int64(Double(used) / seconds), memoryBytes: now.memoryBytes)
        }
        var pods: [String: [String: ResourceUsage]] = [:]
        for (name, total) in look.containers {
            pods[name.podUID, default: [:]][name.container] = usage(total, last.containers[name])
        }
        return NodeUsage(
            node: usage(look.node, last.node),
            pods: pods.sorted { $0.key < $1.key }.map { NodeUsage.PodUsage(uid: $0.key, containers: $0.value) },
            time: look.time, window: window)
    }
}

/// The meter of a node; one measurement at a time.
actor UsageMeasurement {
    private var meter = UsageMeter()

    func usage(_ look: @Sendable () async -> UsageMeter.Look) async throws(Status) -> NodeUsage {
        for _ in 0..<3 {
            if !meter.isReady(now: .now) {
                _ = meter.take(await look())
                try? await ContinuousClock().sleep(for: UsageMeter.windowMin)
            }
            if let usage = meter.take(await look()) { return usage }
        }
        throw Status(code: 500, reason: "InternalError", message: "the use of this node could not be measured")
    }
}

extension Kubelet {
    public func usage() async throws(Status) -> NodeUsage {
        try await measurement.usage {
            var ids: [UsageMeter.Name: Int32] = [:]
            for (uid, worker) in self.workers.withLock({ $0 }) {
                for (container, id) in await worker.containerIDs {
                    let name = UsageMeter.Name(podUID: uid, container: container, id: id.rawValue)
                    ids[name] = self.node.runtime.process(of: id)
                }
            }
            var totals = ids.compactMapValues { ControlGroup(ofProcess: $0)?.total() }
            if totals.count < ids.count {
                let snapshot = ProcessSnapshot()
                totals.merge(ids.mapValues { snapshot.total(of: $0) }) { counted, _ in counted }
            }
            return UsageMeter.Look(time: .now, node: MachineUsage.total(), containers: totals)
        }
    }
}
