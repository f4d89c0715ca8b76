import KubeModel
import ObjectStore

/// The groups and versions that this server itself serves, as objects (`kube-aggregator.kubernetes.io/automanaged`).
extension Registry {
    private static let label = "kube-aggregator.kubernetes.io/automanaged"

    /// Writes an APIService for each group and version that is served, and takes away those of definitions that are gone.
    func registerAPIServices() async {
        let key = ResourceType.apiServices.qualifiedPlural
        guard let page = try? store.list(.all(resource: key)) else { return }
        var present: [String: StoredObject] = [:]
        for item in page.items { present[item.key.name] = item }
        let time = now()
        var names: Set<String> = []
        await withDiscardingTaskGroup { group in
            for kind in catalog.kinds where names.insert(Self.name(kind.resource)).inserted {
                guard present[Self.name(kind.resource)] == nil else { continue }
                let object = Self.apiService(kind, time)
                let place = StoreKey(resource: key, namespace: nil, name: object.name)
                group.addTask { _ = try? await self.store.put(place, object, .absent) }
            }
            for (name, item) in present where !names.contains(name) && item.object.labels[Self.label] != nil {
                group.addTask {
                    _ = try? await self.store.delete(item.key, .revision(item.revision), final: item.object)
                }
            }
        }
    }

    private static func name(_ resource: ResourceType) -> String { "\(resource.version).\(resource.group)" }

    private static func apiService(_ kind: KindSchema, _ time: Timestamp) -> KubeObject {
        let (group, version) = (kind.resource.group, kind.resource.version)
        var object = KubeObject(.apiServices, name: name(kind.resource))
        object.labels = [label: kind.custom == nil ? "onstart" : "true"]
        object.uid = ObjectMetadata.newUID()
        object.value[["metadata", "creationTimestamp"]] = .string(time.text)
        let priorities = GroupOrder.priorities(group: group, version: version)
        var spec: JSONValue = [:]
        if !group.isEmpty { spec["group"] = .string(group) }
        spec["version"] = .string(version)
        spec["groupPriorityMinimum"] = JSONValue(priorities.group)
        spec["versionPriority"] = JSONValue(priorities.version)
        object.value["spec"] = spec
        let condition = APIAvailability.condition(
            isTrue: true, "Local", "Local APIServices are always available", at: time)
        object.value["status"] = ["conditions": [condition.value]]
        return object
    }
}
