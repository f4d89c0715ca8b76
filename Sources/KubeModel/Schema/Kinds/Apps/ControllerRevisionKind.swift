extension KindSchema {
    /// A state of a StatefulSet or DaemonSet to which it can return.
    static let controllerRevision = KindSchema(
        .controllerRevisions,
        root: MetadataSchemas.kind(
            "io.k8s.api.apps.v1.ControllerRevision",
            doc: "A state of a StatefulSet or DaemonSet that is kept, so that the set can return to it.",
            [
                .field("data", .any, doc: "The state: a patch that brings it back."),
                .field("revision", .int64, minimum: 0, doc: "Its number; a higher one is a later state."),
            ]
        ).defaulting { $0["revision"] = $0["revision"] ?? 0 },
        columns: [
            .name,
            .computed("Controller", "The object whose state this is.") { object, _ in
                guard let owner = object.controllerOwner else { return "<none>" }
                let group = owner.apiVersion.split(separator: "/").dropLast().map { ".\($0)" }.joined()
                return .string("\(owner.kind.lowercased())\(group)/\(owner.name)")
            },
            .computed("Revision", "The number of the state.") { object, _ in
                .string("\(object.value["revision"]?.int ?? 0)")
            },
            .age,
        ],
        behavior: KindBehavior {
            $0.validate = { object, errors in
                if object.value["data"] ?? .null == .null {
                    errors.append(.required(FieldPath("data"), "data is mandatory"))
                }
            }
            $0.validateUpdate = { object, old, _, errors in
                if object.value["data"] != old.value["data"] {
                    errors.append(.invalid(FieldPath("data"), object.value["data"], "field is immutable"))
                }
            }
        })
}
