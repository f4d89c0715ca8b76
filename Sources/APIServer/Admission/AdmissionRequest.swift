import KubeClient
import KubeModel
import ObjectStore

/// What the admission plugins are asked about.
struct AdmissionRequest: Sendable {
    enum Operation: String, Sendable {
        case create = "CREATE"
        case update = "UPDATE"
        case delete = "DELETE"
        case connect = "CONNECT"
    }

    let operation: Operation
    let kind: KindSchema
    let subresource: String?
    /// The object as it is stored; nil for a new one.
    let old: KubeObject?
    /// Nil is the server itself.
    let caller: UserInfo?
    let isDryRun: Bool
    /// The type of what the request carries, where it is not the object itself: a `Scale`, a `Binding`.
    var body: ResourceType?
    /// As the request names the object; empty for a new object that has no name yet.
    var name: String
    var namespace: String?
    /// Whether webhooks are asked: not about what the server does on its own, nor about the parts of another request.
    let callsWebhooks: Bool
    /// Takes warnings and remarks.
    var open: OpenRequest? { settings.open }
    private let settings: WriteSettings

    /// A write of an object of the kind.
    init(
        _ kind: KindSchema, _ object: KubeObject, old: KubeObject? = nil, subresource: String? = nil,
        _ settings: WriteSettings
    ) {
        self.init(
            old == nil ? .create : .update, kind, namespace: object.namespace, name: object.name, old: old,
            subresource: subresource, settings)
    }

    init(
        _ operation: Operation, _ kind: KindSchema, namespace: String?, name: String, old: KubeObject? = nil,
        subresource: String? = nil, _ settings: WriteSettings
    ) {
        self.operation = operation
        self.kind = kind
        self.name = name
        self.namespace = namespace
        self.old = old
        self.subresource = subresource
        caller = settings.caller
        isDryRun = settings.isDryRun
        callsWebhooks = settings.callsWebhooks && settings.caller != nil
        self.settings = settings
    }

    /// The options of the request, as an object of `meta.k8s.io/v1`; nil for a connection, which has its own.
    var options: JSONValue? { operation == .connect ? nil : settings.options(operation) }

    /// The namespace that a request is about; of a namespace it is its own name.
    var reviewedNamespace: String { resource == .namespaces ? name : namespace ?? "" }

    /// The request without its objects, as webhooks and expressions are told it.
    ///
    /// - Parameter wanted: The type in whose version they want the objects.
    func description(as wanted: ResourceType) -> JSONValue {
        func kind(_ type: ResourceType) -> JSONValue {
            ["group": .string(type.group), "version": .string(type.version), "kind": .string(type.kind)]
        }
        func place(_ type: ResourceType) -> JSONValue {
            ["group": .string(type.group), "version": .string(type.version), "resource": .string(type.plural)]
        }
        var value: JSONValue = [
            "kind": kind(body ?? wanted), "resource": place(wanted), "requestKind": kind(body ?? resource),
            "requestResource": place(resource), "operation": .string(operation.rawValue),
            "userInfo": caller?.value(nameMember: "username") ?? [:], "dryRun": .bool(isDryRun),
        ]
        if let subresource {
            value["subResource"] = .string(subresource)
            value["requestSubResource"] = .string(subresource)
        }
        if !name.isEmpty { value["name"] = .string(name) }
        if !reviewedNamespace.isEmpty { value["namespace"] = .string(reviewedNamespace) }
        value["options"] = options ?? .null
        return value
    }

    var resource: ResourceType { kind.resource }
    var isCreatingPod: Bool { operation == .create && resource == .pods && subresource == nil }

    /// The refusal of an object by a plugin.
    func forbidden(_ object: KubeObject, _ why: String) -> Status {
        // A name that the server will make is not there yet while plugins change the object.
        .forbidden(resource, object.name.isEmpty ? object.generateName ?? "Unknown" : object.name, why)
    }
}

extension WriteSettings {
    private var deletionOptions: JSONValue {
        var value: JSONValue = ["kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1"]
        if isDryRun { value["dryRun"] = ["All"] }
        guard let deletion else { return value }
        value["gracePeriodSeconds"] = deletion.gracePeriodSeconds.map { JSONValue($0) }
        value[["preconditions", "uid"]] = deletion.uid.map(JSONValue.string)
        value[["preconditions", "resourceVersion"]] = deletion.resourceVersion.map(JSONValue.string)
        value["orphanDependents"] = deletion.orphanDependents.map(JSONValue.bool)
        value["propagationPolicy"] = deletion.propagation.map { .string($0.rawValue) }
        return value
    }

    /// The options of a write, as webhooks are told them.
    fileprivate func options(_ operation: AdmissionRequest.Operation) -> JSONValue {
        if operation == .delete { return deletionOptions }
        let kind = operation == .create ? "CreateOptions" : isPatch ? "PatchOptions" : "UpdateOptions"
        var options: JSONValue = ["kind": .string(kind), "apiVersion": "meta.k8s.io/v1"]
        if isDryRun { options["dryRun"] = ["All"] }
        if isForced { options["force"] = true }
        if !fieldManager.isEmpty { options["fieldManager"] = .string(fieldManager) }
        if fieldValidation != .warn { options["fieldValidation"] = .string(fieldValidation.rawValue) }
        return options
    }
}

/// What the plugins leave behind besides the object.
struct Admission: Sendable {
    /// Texts for `Warning` headers.
    var warnings: [String] = []
    /// Remarks for the audit event.
    var annotations: [(name: String, value: String)] = []
    /// What was counted against quotas, to be given back when the write fails.
    var charges: [QuotaCharge] = []
}

/// What plugins look up; everything comes from the store as it is now.
struct AdmissionFacts: Sendable {
    let store: ObjectStore

    func object(_ resource: ResourceType, _ name: String, in namespace: String? = nil) -> KubeObject? {
        store.get(StoreKey(resource: resource.qualifiedPlural, namespace: namespace, name: name))?.object
    }

    func objects(_ resource: ResourceType, in namespace: String? = nil) -> [StoredObject] {
        let range: KeyRange =
            namespace.map { .namespace(resource: resource.qualifiedPlural, namespace: $0) }
            ?? .all(resource: resource.qualifiedPlural)
        return (try? store.list(range).items) ?? []
    }
}
