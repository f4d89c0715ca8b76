public import ContainerRuntime
import ControllerKit
public import KubeClient
public import KubeModel
public import ServiceLifecycle
import Synchronization

/// The agent of one node: registers it, and runs the pods that are bound to it.
///
/// The lease of the node is renewed every 5 minutes only: nobody but the owner of this machine can take the node away, and
/// an idle cluster is to use no processor time.
public final class Kubelet: Service, NodeAgent {
    let node: NodeContext
    private let informer: Informer
    private let logs: ContainerLogs
    let workers = Mutex<[String: PodWorker]>([:])
    private let registration: NodeRegistration
    let measurement = UsageMeasurement()

    public init(
        client: any ClusterClient, runtime: any ContainerRuntime, addresses: any PodAddressing, logs: ContainerLogs,
        configuration: KubeletConfiguration
    ) {
        node = NodeContext(client: client, runtime: runtime, addresses: addresses, configuration: configuration)
        self.logs = logs
        informer = Informer(
            client: client, resource: .pods, fieldSelector: "spec.nodeName=\(configuration.nodeName)")
        registration = NodeRegistration(client: client, configuration: configuration, level: runtime.level)
    }

    public func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { try? await self.informer.run() }
                group.addTask { try? await self.node.services.run() }
                group.addTask { await self.registration.run(self.node.events) }
                group.addTask { await self.node.podEvents.run() }
                let changes = self.informer.changes()
                await withDiscardingTaskGroup { pods in
                    var admission = PodAdmission()
                    for await change in changes { await self.take(change, &admission, in: &pods) }
                    // No more changes: the kubelet stops. Pods lose their processes and keep their objects.
                    for worker in self.workers.withLock({ Array($0.values) }) { await worker.abandon() }
                }
                group.cancelAll()
            }
        }
    }

    private func take(
        _ change: Informer.Change, _ admission: inout PodAdmission, in group: inout DiscardingTaskGroup
    ) async {
        // A pod that was deleted and made anew under the same name between two lists is two pods.
        if let old = change.old, old.uid != change.new?.uid {
            admission.release(old.uid)
            await workers.withLock { $0[old.uid] }?.update(nil)
        }
        guard let new = change.new else { return }
        if Pod(new).isTerminal { admission.release(new.uid) }
        if let worker = workers.withLock({ $0[new.uid] }) { return await worker.update(new) }
        let refusal = admission.admit(Pod(new), node.configuration)
        let worker = PodWorker(Pod(new), refusal: refusal, node: node)
        workers.withLock { $0[new.uid] = worker }
        if new.isBeingDeleted { await worker.update(new) }
        group.addTask {
            await worker.run()
            self.workers.withLock { $0[new.uid] = nil }
        }
    }

    public func logs(
        of pod: KubeObject, options: LogOptions
    ) async throws(Status) -> AsyncThrowingStream<[UInt8], any Error> {
        let pod = Pod(pod)
        let name = options.container ?? pod.containers.first?.name ?? ""
        let others = ["initContainerStatuses", "ephemeralContainerStatuses"].flatMap {
            pod.object.value[["status", $0]]?.array ?? []
        }
        guard let status = (pod.containerStatuses + others).first(where: { $0["name"]?.string == name }) else {
            throw notRunning(pod, name, "ContainerCreating")
        }
        let restarts = status["restartCount"]?.int ?? 0
        let waiting = status[["state", "waiting", "reason"]]?.string
        if options.isPrevious {
            guard restarts > 0 || (waiting != nil && status[["lastState", "terminated"]] != nil) else {
                throw Status(
                    code: 400, reason: "BadRequest",
                    message: "previous terminated container \"\(name)\" in pod \"\(pod.name)\" not found")
            }
            let attempt = waiting == nil ? restarts - 1 : restarts
            return try logs.read(node.logPath(pod, name, attempt: max(0, attempt)), options)
        }
        // Between two starts there is the log of the run before.
        if let waiting, status[["lastState", "terminated"]] == nil { throw notRunning(pod, name, waiting) }
        return try logs.read(node.logPath(pod, name, attempt: restarts), options)
    }

    private func notRunning(_ pod: Pod, _ container: String, _ reason: String) -> Status {
        let why: String =
            switch reason {
            case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull":
                "trying and failing to pull image"
            default: reason
            }
        return Status(
            code: 400, reason: "BadRequest",
            message: "container \"\(container)\" in pod \"\(pod.name)\" is waiting to start: \(why)")
    }
}
