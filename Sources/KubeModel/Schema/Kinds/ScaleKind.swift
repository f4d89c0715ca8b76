/// The `Scale` object, through which everything that has a number of replicas is seen and set.
public enum ScaleKind {
    public static let resource = ResourceType(group: "autoscaling", version: "v1", kind: "Scale", plural: "scales")

    public static let schema = KindSchema(
        resource,
        root: MetadataSchemas.kind(
            "io.k8s.api.autoscaling.v1.Scale",
            doc: "How many replicas are wanted of something, and how many there are.",
            [
                .field(
                    "spec",
                    .object(
                        "io.k8s.api.autoscaling.v1.ScaleSpec", doc: "The number that is wanted.",
                        [.field("replicas", .int32, doc: "How many replicas are wanted.")]),
                    doc: "The number that is wanted."),
                .field(
                    "status",
                    .object(
                        "io.k8s.api.autoscaling.v1.ScaleStatus", doc: "The number that there is.",
                        [
                            .field("replicas", .int32, doc: "How many replicas there are."),
                            .field("selector", .string, doc: "Selects the pods that are counted, as text."),
                        ]), doc: "The number that there is."),
            ]), subresources: ["status"])
}

extension ManagedFields {
    private static let replicasInScale: FieldSet = {
        var set = FieldSet()
        set.insert([PathElement.field("spec"), PathElement.field("replicas")])
        return set
    }()

    /// Who owns the number of replicas, as the `Scale` of an object says it.
    ///
    /// - Parameter path: Where the object has the number.
    public func forScale(replicasAt path: [String]) -> ManagedFields {
        let place = path.map(PathElement.field)
        var result = ManagedFields()
        for entry in entries where entry.fields.contains(place) {
            var entry = entry
            entry.fields = Self.replicasInScale
            entry.apiVersion = ScaleKind.resource.apiVersion
            result.entries.append(entry)
        }
        return result
    }

    /// The owners of the object after its `Scale` was written.
    ///
    /// - Parameters:
    ///   - scale: Who owns the number in the new `Scale`.
    ///   - path: Where the object has the number.
    ///   - apiVersion: That of the object.
    public func takingOver(scale: ManagedFields, replicasAt path: [String], apiVersion: String) -> ManagedFields {
        let place = path.map(PathElement.field)
        var number = FieldSet()
        number.insert(place)
        var left = scale.entries
        var result = ManagedFields()
        for var entry in entries {
            guard entry.fields.contains(place) else {
                result.entries.append(entry)
                continue
            }
            let same = left.firstIndex {
                $0.manager == entry.manager && $0.operation == entry.operation && $0.subresource == entry.subresource
            }
            if let same {
                left.remove(at: same)
            } else {
                entry.fields = entry.fields.subtracting(number)
            }
            if !entry.fields.isEmpty { result.entries.append(entry) }
        }
        for var entry in left {
            entry.fields = number
            entry.apiVersion = apiVersion
            entry.time = nil
            result.entries.append(entry)
        }
        return result
    }
}
