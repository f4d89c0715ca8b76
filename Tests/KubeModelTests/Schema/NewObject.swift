import KubeModel

extension Fixture {
    /// An object as the server stores it: defaults, then what it decides itself.
    static func created(_ resource: ResourceType, _ text: String, uid: String = "1234") throws -> KubeObject {
        let kind = try kind(resource)
        var object = try object(resource, text)
        object.uid = uid
        object.value[["metadata", "creationTimestamp"]] = .string(now.text)
        kind.prepareForCreate(&object)
        return object
    }

    /// What the server says about a new object.
    static func refusals(_ resource: ResourceType, _ text: String) throws -> [String] {
        try kind(resource).validate(created(resource, text)).map(\.description)
    }

    /// An object that was created and then changed: what becomes of it, and what is said about that.
    static func changed(
        _ resource: ResourceType, _ text: String, _ subresource: String? = nil,
        from prepare: (inout KubeObject) -> Void = { _ in }, _ change: (inout KubeObject) -> Void
    ) throws -> (object: KubeObject, old: KubeObject, errors: [String]) {
        let kind = try kind(resource)
        var old = try created(resource, text)
        prepare(&old)
        var object = old
        change(&object)
        kind.applyDefaults(&object)
        kind.prepareForUpdate(&object, old: old, subresource: subresource)
        let errors = kind.validate(object) + kind.validateUpdate(object, old: old, subresource: subresource)
        return (object, old, errors.map(\.description))
    }

    /// The cells of an object, `-o wide` included, joined by `|`.
    static func line(_ resource: ResourceType, _ text: String, _ change: (inout KubeObject) -> Void = { _ in }) throws
        -> String
    {
        var object = try object(resource, text)
        object.value[["metadata", "creationTimestamp"]] = .string(ago(300))
        change(&object)
        return try kind(resource).tableCells(object, now: now).map { $0.string ?? $0.text }.joined(separator: "|")
    }

    /// A template of pods as part of a spec.
    static func template(
        labels: String = #"{"app": "web"}"#, container: String = "", spec: String = ""
    ) -> String {
        """
        "template": {"metadata": {"labels": \(labels)}, "spec": {"containers": [{"name": "web", "image": "web:1.0"\
        \(container.isEmpty ? "" : ", ")\(container)}]\(spec.isEmpty ? "" : ", ")\(spec)}}
        """
    }
}
