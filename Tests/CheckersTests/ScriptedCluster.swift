import APIServer
import Checkers
import KubeClient
import KubeModel
import ObjectStore
import Synchronization

@testable import Checkers

/// A real API server over memory, with a stand-in for controllers, nodes and the network that follows a few rules.
///
/// Pods of `velocitytech/payment-gateway:optimized` serve `/health` and `/ready` on port 3000; any other image but
/// that of the probes cannot be pulled. Nothing waits: what is going to happen happens as soon as its cause is seen.
final class ScriptedCluster: Sendable {
    let client: any ClusterClient
    private let server: APIServer
    private let answersHTTP: Bool

    /// With `answersHTTP` false every port is open and answers nonsense.
    init(answersHTTP: Bool = true) async throws {
        self.answersHTTP = answersHTTP
        server = APIServer(store: try ObjectStore(.memory))
        client = server.client(user: "test")
        server.setNodeAgent(LogAgent(), node: "node")
        for name in ["default"] { _ = try? await client.create(.namespaces, KubeObject(.namespaces, name: name)) }
    }

    /// Plays the cluster's part while `body` runs.
    static func run<T: Sendable>(
        answersHTTP: Bool = true, _ body: @Sendable (ScriptedCluster) async throws -> T
    ) async throws -> T {
        let cluster = try await ScriptedCluster(answersHTTP: answersHTTP)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await cluster.play() }
            let result = try await body(cluster)
            group.cancelAll()
            return result
        }
    }

    /// What a request from this machine gets: through a Service's node port to a ready pod.
    func fetch(port: Int) async throws -> CheckOptions.Answer {
        for service in try await client.list(.services).items {
            for entry in service.value[["spec", "ports"]]?.array ?? [] where entry["nodePort"]?.int == port {
                if let body = try await answer(of: service, port: entry) {
                    return CheckOptions.Answer(status: 200, body: body)
                }
            }
        }
        throw Refused()
    }

    struct Refused: Error, CustomStringConvertible { let description = "connection refused" }

    // MARK: The stand-in

    func play() async throws {
        let (changes, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let kinds: [ResourceType] = [.deployments, .replicaSets, .pods, .services]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for kind in kinds {
                let events = try await client.watch(kind, namespace: nil, options: WatchOptions())
                group.addTask { for try await _ in events { continuation.yield() } }
            }
            for await _ in changes {
                // Somebody else may write at the same time: then the next change brings us here again.
                do { try await reconcile() } catch let status as Status where status.code == 409 || status.code == 404 {
                    continuation.yield()
                }
            }
            group.cancelAll()
        }
    }

    private func reconcile() async throws {
        for deployment in try await client.list(.deployments).items { try await reconcileDeployment(deployment) }
        for pod in try await client.list(.pods).items { try await reconcilePod(pod) }
        for service in try await client.list(.services).items { try await reconcileService(service) }
    }

    private func reconcileDeployment(_ deployment: KubeObject) async throws {
        let template = deployment.value[["spec", "template"]] ?? .null
        let hash = String(
            UInt32(truncatingIfNeeded: template.text.utf8.reduce(5381) { $0 &* 33 &+ Int($1) }), radix: 16)
        let name = "\(deployment.name)-\(hash)"
        var sets = try await client.list(.replicaSets, in: deployment.namespace).items
            .filter { $0.controllerOwner?.uid == deployment.uid }
        if !sets.contains(where: { $0.name == name }) {
            var set = KubeObject(.replicaSets, namespace: deployment.namespace, name: name)
            set.ownerReferences = [OwnerReference(controller: deployment)]
            set.value["spec"] = [
                "replicas": deployment.value[["spec", "replicas"]] ?? 1,
                "selector": deployment.value[["spec", "selector"]] ?? .null, "template": template,
            ]
            sets.append(try await client.create(.replicaSets, set))
        }
        var active: [KubeObject] = []
        for set in sets {
            let wanted = set.name == name ? deployment.value[["spec", "replicas"]]?.int ?? 1 : 0
            active += try await scale(set, to: wanted, template: template)
        }
        let ready = active.filter(\.isReadyPod).count
        var status = deployment
        status.value["status"] = [
            "observedGeneration": JSONValue(deployment.generation), "replicas": JSONValue(active.count),
            "updatedReplicas": JSONValue(active.count), "readyReplicas": JSONValue(ready),
            "availableReplicas": JSONValue(ready),
        ]
        if status.value["status"] != deployment.value["status"] {
            _ = try await client.updateStatus(.deployments, status)
        }
    }

    /// The pods that remain.
    private func scale(_ set: KubeObject, to wanted: Int, template: JSONValue) async throws -> [KubeObject] {
        var active = try await client.list(.pods, in: set.namespace).items
            .filter { $0.controllerOwner?.uid == set.uid && $0.isActivePod }
        while active.count > wanted {
            let victim = active.removeLast()
            try await client.delete(.pods, namespace: set.namespace, name: victim.name, options: DeleteOptions())
        }
        while active.count < wanted {
            let name = "\(set.name)-\(String(UInt32.random(in: 0x10_0000...0xFF_FFFF), radix: 16))"
            var pod = KubeObject(.pods, namespace: set.namespace, name: name)
            pod.labels = (template[["metadata", "labels"]]?.object ?? [:]).reduce(into: [:]) {
                $0[$1.key] = $1.value.string
            }
            pod.ownerReferences = [OwnerReference(controller: set)]
            pod.value["spec"] = template["spec"]
            active.append(try await client.create(.pods, pod))
        }
        return active
    }

    private func reconcilePod(_ pod: KubeObject) async throws {
        if pod.isBeingDeleted {
            try await client.deleteIfPresent(
                .pods, pod.name, in: pod.namespace, options: DeleteOptions(gracePeriodSeconds: 0))
            return
        }
        if pod.value[["spec", "nodeName"]]?.string == nil {
            let binding: JSONValue = [
                "apiVersion": "v1", "kind": "Binding", "metadata": ["name": .string(pod.name)],
                "target": ["kind": "Node", "name": "node"],
            ]
            _ = try await client.call(
                "POST", .pods, namespace: pod.namespace, name: pod.name, subresource: "binding", body: binding)
            return
        }
        guard ["Pending", nil].contains(pod.value[["status", "phase"]]?.string), pod.value[["status", "podIP"]] == nil
        else {
            return
        }
        var copy = pod
        copy.value["status"] = pod.isProbe ? try await probeStatus(pod) : workloadStatus(pod)
        _ = try await client.updateStatus(.pods, copy)
        if !pod.isProbe, !copy.isReadyPod, copy.value[["status", "phase"]] == "Running" { try await report(copy) }
    }

    private func workloadStatus(_ pod: KubeObject) -> JSONValue {
        let container = pod.containers.first ?? .null
        let address = "10.244.0.\(pod.uid.utf8.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xFF })-\(pod.uid.prefix(8))"
        guard container["image"]?.string == "velocitytech/payment-gateway:optimized" else {
            return [
                "phase": "Pending", "podIP": .string(address),
                "containerStatuses": [
                    [
                        "name": container["name"] ?? "c", "image": container["image"] ?? "",
                        "ready": false, "restartCount": 0, "imageID": "",
                        "state": ["waiting": ["reason": "ImagePullBackOff", "message": "not found"]],
                    ]
                ],
            ]
        }
        let path = container[["readinessProbe", "httpGet", "path"]]?.string ?? "/ready"
        let isReady = path == "/ready" || path == "/health"
        return [
            "phase": "Running", "podIP": .string(address),
            "conditions": [["type": "Ready", "status": isReady ? "True" : "False"]],
        ]
    }

    private func report(_ pod: KubeObject) async throws {
        var event = KubeObject(.events, namespace: pod.namespace, name: "\(pod.name).unhealthy")
        event.value["involvedObject"] = [
            "apiVersion": "v1", "kind": "Pod", "namespace": .string(pod.namespace ?? ""), "name": .string(pod.name),
            "uid": .string(pod.uid),
        ]
        event.value["reason"] = "Unhealthy"
        event.value["type"] = "Warning"
        event.value["message"] = "Readiness probe failed: HTTP probe failed with statuscode: 404"
        _ = try await client.create(.events, event)
    }

    private func reconcileService(_ service: KubeObject) async throws {
        var slice = KubeObject(.endpointSlices, namespace: service.namespace, name: "\(service.name)-slice")
        slice.labels = ["kubernetes.io/service-name": service.name]
        slice.value["addressType"] = "IPv4"
        let pods = try await selected(by: service)
        slice.value["endpoints"] = .array(
            pods.enumerated().map { index, pod in
                [
                    "addresses": [.string("10.244.0.\(index + 1)")], "conditions": ["ready": .bool(pod.isReadyPod)],
                    "targetRef": ["kind": "Pod", "name": .string(pod.name)],
                ]
            })
        let slices = try await client.list(.endpointSlices, in: service.namespace).items
        if let present = slices.first(where: { $0.name == slice.name }) {
            if present.value["endpoints"] == slice.value["endpoints"] { return }
            slice.resourceVersion = present.resourceVersion
            _ = try await client.update(.endpointSlices, slice, subresource: nil, options: WriteOptions())
        } else {
            _ = try await client.create(.endpointSlices, slice)
        }
    }

    private func selected(by service: KubeObject) async throws -> [KubeObject] {
        let labels = (service.value[["spec", "selector"]]?.object ?? [:]).reduce(into: [:]) {
            $0[$1.key] = $1.value.string
        }
        let selector = LabelSelector(matching: labels)
        let pods = try await client.list(.pods, in: service.namespace).items
        return labels.isEmpty ? [] : pods.filter { $0.isActivePod && selector.matches($0.labels) }
    }

    /// The body that comes back through a port of a Service; nil when nobody listens.
    private func answer(of service: KubeObject, port entry: JSONValue) async throws -> String? {
        let target = entry["targetPort"]
        guard target?.int == 3000 || target?.string == "http" else { return nil }
        guard try await selected(by: service).contains(where: \.isReadyPod) else { return nil }
        return answersHTTP ? #"{"status":"healthy","timestamp":"2026-05-04T13:37:00Z"}"# : "nonsense"
    }

    /// The probe pod asks at once, and its exit code and log tell what came of it.
    ///
    /// The log travels in the message of its status.
    private func probeStatus(_ pod: KubeObject) async throws -> JSONValue {
        let url = pod.containers.first?["command"]?.array?.last?.string ?? ""
        let host = url.dropFirst("http://".count).prefix { $0 != "/" && $0 != ":" }
        let service = try? await client.get(.services, String(host), in: pod.namespace)
        var (code, log) = (6, "curl: (6) Could not resolve host: \(host)\n\n000")
        if let service {
            let entry = (service.value[["spec", "ports"]]?.array ?? []).first ?? .null
            let body = try await answer(of: service, port: entry)
            (code, log) = body.map { (0, "\($0)\n200") } ?? (7, "curl: (7) Failed to connect to \(host)\n\n000")
        }
        return [
            "phase": code == 0 ? "Succeeded" : "Failed", "podIP": "10.244.0.250", "message": .string(log),
            "containerStatuses": [
                [
                    "name": "probe", "image": "curlimages/curl", "imageID": "", "ready": false, "restartCount": 0,
                    "state": ["terminated": ["exitCode": JSONValue(code)]],
                ]
            ],
        ]
    }
}

/// The node's part of `logs`: the stand-in leaves a probe's output in its status.
private struct LogAgent: NodeAgent {
    func exec(in pod: KubeObject, _ request: ExecRequest) async throws(Status) -> any ContainerSession {
        SayingSession(request.command)
    }

    func logs(of pod: KubeObject, options: LogOptions) async throws(Status) -> AsyncThrowingStream<[UInt8], any Error> {
        let text = pod.value[["status", "message"]]?.string ?? ""
        return AsyncThrowingStream { continuation in
            continuation.yield(Array(text.utf8))
            continuation.finish()
        }
    }
}

/// A command that says its arguments, and ends with 3 when the program is called `false`.
private final class SayingSession: ContainerSession {
    private let command: [String]
    private let isSaid = Mutex(false)

    init(_ command: [String]) { self.command = command }

    func nextOutput() async -> SessionOutput? {
        let isFirst = isSaid.withLock { said in
            defer { said = true }
            return !said
        }
        let text = command.dropFirst().joined(separator: " ") + "\n"
        return isFirst ? SessionOutput(bytes: Array(text.utf8), isErrorOutput: false) : nil
    }

    func exit() async -> SessionExit { .code(command.first == "false" ? 3 : 0) }
    func write(_ bytes: [UInt8]) async {}
    func closeInput() async {}
    func resize(columns: Int, rows: Int) async {}
    func close() async {}
}
