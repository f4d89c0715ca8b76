import ContainerRuntime
import ControllerKit
import Glibc
import KubeClient
import KubeModel

/// Makes the Node object, and keeps its lease.
struct NodeRegistration: Sendable {
    let client: any ClusterClient
    let configuration: KubeletConfiguration
    let level: RuntimeLevel

    static let version = "v1.32.4"
    static let leaseSeconds = 300

    func run(_ events: EventRecorder) async {
        var backoff = Backoff()
        while !Task.isCancelled {
            do throws(Status) {
                let isNew = try await register()
                if isNew {
                    let node = try await client.get(.nodes, configuration.nodeName)
                    await events.record(node, .normal, reason: "Starting", message: "Starting kubelet.")
                    let reasons = [
                        "NodeHasSufficientMemory", "NodeHasNoDiskPressure", "NodeHasSufficientPID", "NodeReady",
                    ]
                    for reason in reasons {
                        await events.record(
                            node, .normal, reason: reason, message: "Node \(node.name) status is now: \(reason)")
                    }
                }
                await tellReductions(events)
                break
            } catch {
                guard (try? await ContinuousClock().sleep(for: backoff.next())) != nil else { return }
            }
        }
        await withDiscardingTaskGroup { group in
            group.addTask { await self.offerExtendedResources() }
            while !Task.isCancelled {
                try? await renewLease()
                guard (try? await ContinuousClock().sleep(for: .seconds(Self.leaseSeconds))) != nil else { return }
            }
        }
    }

    /// Offers what somebody adds to the node's capacity (Kubernetes docs, "Advertise Extended Resources for a Node").
    private func offerExtendedResources() async {
        var backoff = Backoff()
        while !Task.isCancelled {
            let _: Bool? = try? await client.follow(
                .nodes, namespace: nil, fieldSelector: "metadata.name=\(configuration.nodeName)"
            ) { nodes, _ in
                for var node in nodes.values {
                    let amounts = amounts(with: node.value[["status", "capacity"]])
                    guard node.value[["status", "allocatable"]] != amounts else { continue }
                    node.value[["status", "allocatable"]] = amounts
                    _ = try await client.updateStatus(.nodes, node)
                }
                return nil
            }
            guard (try? await ContinuousClock().sleep(for: backoff.next())) != nil else { return }
        }
    }

    /// What the node has itself, and what a capacity says besides.
    private func amounts(with capacity: JSONValue?) -> JSONValue {
        var amounts: JSONValue = [:]
        for (name, amount) in configuration.capacity.sorted(by: { $0.key < $1.key }) {
            amounts[name] = .string(amount.description)
        }
        for (name, amount) in (capacity?.object ?? [:]) where name.contains("/") && !name.contains("kubernetes.io/") {
            amounts[name] = amount
        }
        return amounts
    }

    /// What works less well with real programs on this node than in a real cluster: once per start.
    private func tellReductions(_ events: EventRecorder) async {
        if level == .sandbox, let way = configuration.egress.sentence,
            let node = try? await client.get(.nodes, configuration.nodeName)
        {
            await events.record(node, .normal, reason: "EgressAllowed", message: way)
        }
        guard level == .plain, let node = try? await client.get(.nodes, configuration.nodeName) else { return }
        let message = "This node runs pods at level '\(level.rawValue)'. " + level.reductions.joined(separator: " ")
        await events.record(node, .warning, reason: "ReducedRuntime", message: message)
    }

    /// Creates the Node, or takes over the one of an earlier start: true when it is new.
    private func register() async throws(Status) -> Bool {
        var node = KubeObject(.nodes, name: configuration.nodeName)
        node.labels = labels
        node.annotations["node.alpha.kubernetes.io/ttl"] = "0"
        node.annotations["volumes.kubernetes.io/controller-managed-attach-detach"] = "true"
        node.value["spec"] = [
            "podCIDR": .string(configuration.podNetwork), "podCIDRs": [.string(configuration.podNetwork)],
            "providerID": .string("velocity://\(configuration.nodeName)"),
        ]
        var isNew = true
        do throws(Status) { node = try await client.create(.nodes, node) } catch {
            guard error.isAlreadyExists else { throw error }
            node = try await client.get(.nodes, configuration.nodeName)
            isNew = false
        }
        node.value["status"] = status(before: node)
        _ = try await client.updateStatus(.nodes, node)
        return isNew
    }

    private var labels: [String: String] {
        let architecture = Self.architecture
        var labels = [
            "kubernetes.io/hostname": configuration.nodeName, "kubernetes.io/os": "linux",
            "kubernetes.io/arch": architecture,
            "beta.kubernetes.io/os": "linux", "beta.kubernetes.io/arch": architecture,
            KubeletConfiguration.runtimeLabel: level.rawValue,
        ]
        if configuration.isControlPlane { labels["node-role.kubernetes.io/control-plane"] = "" }
        return labels
    }

    private static var architecture: String {
        #if arch(arm64)
        "arm64"
        #else
        "amd64"
        #endif
    }

    private func status(before node: KubeObject) -> JSONValue {
        var conditions = Conditions(node.value[["status", "conditions"]])
        let facts = [
            ("MemoryPressure", false, "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
            ("DiskPressure", false, "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            ("PIDPressure", false, "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
            ("Ready", true, "KubeletReady", "kubelet is posting ready status"),
        ]
        for (type, isTrue, reason, message) in facts {
            var condition = StatusCondition(type, isTrue, reason: reason, message: message, at: .now)
            condition.value["lastHeartbeatTime"] = condition.value["lastTransitionTime"]
            conditions.set(condition)
        }
        let amounts = amounts(with: node.value[["status", "capacity"]])
        let system = Self.system
        return [
            "addresses": [
                ["type": "InternalIP", "address": .string(configuration.nodeAddress)],
                ["type": "Hostname", "address": .string(configuration.nodeName)],
            ],
            "allocatable": amounts, "capacity": amounts, "conditions": conditions.value,
            "daemonEndpoints": ["kubeletEndpoint": ["Port": 10250]],
            "nodeInfo": [
                "architecture": .string(Self.architecture), "bootID": .string(system.bootID),
                "containerRuntimeVersion": .string("velocity://\(level.rawValue)"),
                "kernelVersion": .string(system.kernel),
                "kubeProxyVersion": .string(Self.version), "kubeletVersion": .string(Self.version),
                "machineID": .string(system.machineID), "operatingSystem": "linux", "osImage": .string(system.name),
                "systemUUID": .string(system.machineID),
            ],
        ]
    }

    private static var system: (kernel: String, name: String, bootID: String, machineID: String) {
        func line(_ path: String) -> String {
            guard let file = fopen(path, "r") else { return "" }
            defer { fclose(file) }
            var buffer = [CChar](repeating: 0, count: 256)
            guard fgets(&buffer, 256, file) != nil else { return "" }
            return String(decoding: buffer.prefix { $0 != 0 && $0 != 10 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
        var names = utsname()
        uname(&names)
        let kernel = withUnsafeBytes(of: &names.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        var title = "Linux"
        if let file = fopen("/etc/os-release", "r") {
            defer { fclose(file) }
            var buffer = [CChar](repeating: 0, count: 512)
            while fgets(&buffer, 512, file) != nil {
                let text = String(
                    decoding: buffer.prefix { $0 != 0 && $0 != 10 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
                if text.hasPrefix("PRETTY_NAME=") { title = text.dropFirst(12).filter { $0 != "\"" } }
            }
        }
        return (kernel, title, line("/proc/sys/kernel/random/boot_id"), line("/etc/machine-id"))
    }

    /// The lease goes with its node: the node owns it.
    private func renewLease() async throws(Status) {
        let name = configuration.nodeName
        let node = try await client.get(.nodes, name)
        let owners: JSONValue = [
            ["apiVersion": "v1", "kind": "Node", "name": .string(name), "uid": .string(node.uid)]
        ]
        let spec: JSONValue = [
            "holderIdentity": .string(name), "leaseDurationSeconds": JSONValue(Self.leaseSeconds + 60),
            "renewTime": .string(Timestamp.now.microText),
        ]
        do throws(Status) {
            _ = try await client.patch(
                .leases, namespace: "kube-node-lease", name: name,
                .merge(["metadata": ["ownerReferences": owners], "spec": spec]), subresource: nil,
                options: WriteOptions())
        } catch {
            guard error.isNotFound else { throw error }
            var lease = KubeObject(.leases, namespace: "kube-node-lease", name: name)
            lease.value[["metadata", "ownerReferences"]] = owners
            lease.value["spec"] = spec
            _ = try await client.create(.leases, lease)
        }
    }
}
