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

    init(_ kind: KindSchema, old: KubeObject? = nil, subresource: String? = nil, _ settings: WriteSettings) {
        operation = old == nil ? .create : .update
        self.kind = kind
        self.old = old
        self.subresource = subresource
        caller = settings.caller
        isDryRun = settings.isDryRun
    }

    var resource: ResourceType { kind.resource }
    var isCreatingPod: Bool { operation == .create && resource == .pods && subresource == nil }

    /// The refusal of an object by a plugin.
    func forbidden(_ object: KubeObject, _ why: String) -> Status { .forbidden(resource, object.name, why) }
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
