import KubeClient
import KubeModel
import ObjectStore

/// Objects that are made when they are asked for: metrics, and the parts of the control plane.
extension Registry {
    /// The present objects of a computed kind, in the order of their names.
    func compute(_ kind: KindSchema, namespace: String?) async throws(Status) -> [KubeObject] {
        switch kind.resource {
        case .componentStatuses: return componentStatuses()
        case .nodeMetrics: return try await nodeMetrics()
        case .podMetrics: return try await podMetrics(namespace: namespace)
        default: throw .methodNotAllowed
        }
    }

    func computedList(_ kind: KindSchema, namespace: String?, _ selection: Selection) async throws(Status) -> ListPage {
        let revision = store.revision
        let objects = try await compute(kind, namespace: namespace).map { object in
            StoredObject.unstored(
                object, key: StoreKey(resource: kind.storeName, namespace: object.namespace, name: object.name),
                revision: revision)
        }
        return ListPage(items: objects.filter(selection.matches), revision: revision)
    }

    func computedObject(_ target: Target) async throws(Status) -> KubeObject {
        let objects = try await compute(target.kind, namespace: target.namespace)
        guard let object = objects.first(where: { $0.name == target.name }) else {
            throw .notFound(target.resource, target.name)
        }
        return object
    }

    // MARK: Components

    /// The parts of the control plane; all of them are this program, which is well enough to answer.
    private func componentStatuses() -> [KubeObject] {
        ["controller-manager", "etcd-0", "scheduler"].map { name in
            var object = KubeObject(.componentStatuses, name: name)
            object.value[["metadata", "creationTimestamp"]] = .null
            object.value["conditions"] = [["type": "Healthy", "status": "True", "message": "ok"]]
            return object
        }
    }

    // MARK: Metrics

    private func usages() async throws(Status) -> [(node: KubeObject, usage: NodeUsage)] {
        guard let page = try? store.list(.all(resource: ResourceType.nodes.qualifiedPlural)) else { return [] }
        var found: [(node: KubeObject, usage: NodeUsage)] = []
        for item in page.items {
            guard let agent = nodes[item.object.name] else { continue }
            do throws(Status) { found.append((item.object, try await agent.usage())) } catch {
                // A node that cannot be measured has no metrics, as one that the metrics server does not reach.
                continue
            }
        }
        return found
    }

    private static func amounts(_ usage: ResourceUsage) -> JSONValue {
        ["cpu": .string("\(usage.cpuNanocores)n"), "memory": .string("\(usage.memoryBytes / 1024)Ki")]
    }

    private static func metrics(_ resource: ResourceType, of object: KubeObject, _ usage: NodeUsage) -> KubeObject {
        var metrics = KubeObject(resource, namespace: object.namespace, name: object.name)
        metrics.value[["metadata", "creationTimestamp"]] = .string(usage.time.text)
        if !object.labels.isEmpty { metrics.labels = object.labels }
        metrics.value["timestamp"] = .string(usage.time.text)
        let milliseconds =
            usage.window.components.seconds * 1000
            + usage.window.components.attoseconds / 1_000_000_000_000_000
        let fraction = String(milliseconds % 1000)
        let zeros = String(repeating: "0", count: 3 - fraction.count)
        metrics.value["window"] = .string("\(milliseconds / 1000).\(zeros)\(fraction)s")
        return metrics
    }

    private func nodeMetrics() async throws(Status) -> [KubeObject] {
        try await usages().map { node, usage in
            var metrics = Self.metrics(.nodeMetrics, of: node, usage)
            metrics.value["usage"] = Self.amounts(usage.node)
            return metrics
        }
    }

    private func podMetrics(namespace: String?) async throws(Status) -> [KubeObject] {
        let resource = ResourceType.pods.qualifiedPlural
        let range = namespace.map { KeyRange.namespace(resource: resource, namespace: $0) } ?? .all(resource: resource)
        let measured = try await usages()
        guard let page = try? store.list(range) else { return [] }
        return page.items.compactMap { item in
            let pod = item.object
            for (_, usage) in measured {
                guard let found = usage.pods.first(where: { $0.uid == pod.uid }), !found.containers.isEmpty,
                    pod.value[["status", "phase"]] == "Running"
                else { continue }
                var metrics = Self.metrics(.podMetrics, of: pod, usage)
                let order = (pod.value[["spec", "containers"]]?.array ?? []).compactMap { $0["name"]?.string }
                metrics.value["containers"] = .array(
                    order.compactMap { name in
                        found.containers[name].map { ["name": .string(name), "usage": Self.amounts($0)] }
                    })
                return metrics
            }
            return nil
        }
    }
}
