/// How a node of the type tree is owned: as one piece, member by member, or element by element.
enum Ownership {
    /// A plain value, or a list or map that has one owner as a whole.
    case atomic
    /// Each member has its own owners.
    case members
    /// The elements of a list are told apart by key members.
    case keyed(Schema, [String])
    /// The elements of a list are plain values and stand for themselves.
    case set(Schema)
}

extension Schema {
    /// How a value of this (resolved) node is owned.
    func ownership(of value: JSONValue?) -> Ownership {
        if traits.isAtomic { return .atomic }
        switch shape {
        case .object, .map: return .members
        case .array(let element):
            if !traits.listMapKeys.isEmpty { return .keyed(element, traits.listMapKeys) }
            return traits.isSet ? .set(element) : .atomic
        case .any: if case .object = value { return .members } else { return .atomic }
        default: return .atomic
        }
    }

    /// The type of a member; members that nobody declared may hold anything.
    func ownedMember(_ name: String) -> Schema { ownedStep(name).schema }

    /// The step to a member and its type.
    func ownedStep(_ name: String) -> (key: String, schema: Schema) {
        switch shape {
        case .object:
            guard let field = fieldsByName[name] else { return (PathElement.field(name), .any) }
            return (field.ownershipKey, field.schema.resolved)
        case .map(let element): return (PathElement.field(name), element.resolved)
        default: return (PathElement.field(name), .any)
        }
    }

    /// The step to an element of a list by its keys, with the defaults of those that are left out; nil if it has none of them.
    func keyElement(_ element: JSONValue, _ keys: [String], _ type: Schema) -> String? {
        guard element.object != nil else { return nil }
        let node = type.resolved
        var members: [(String, JSONValue)] = []
        members.reserveCapacity(keys.count)
        for key in keys {
            if let value = element[key] ?? node.fieldsByName[key]?.defaultValue { members.append((key, value)) }
        }
        return members.isEmpty ? nil : PathElement.key(members)
    }

    /// The step to an element of a list; nil if it cannot be told apart.
    func step(to element: JSONValue, _ ownership: Ownership) -> String? {
        switch ownership {
        case .keyed(let type, let keys): return keyElement(element, keys, type)
        case .set:
            switch element {
            case .object, .array, .null: return nil
            default: return PathElement.value(element)
            }
        case .atomic, .members: return nil
        }
    }
}

extension Ownership {
    /// The type of the elements of a list that is owned element by element.
    var element: Schema? {
        switch self {
        case .keyed(let element, _), .set(let element): element.resolved
        case .atomic, .members: nil
        }
    }
}

extension Schema {
    /// Types that have one owner as a whole, wherever they stand (`x-kubernetes-map-type: atomic`).
    static let atomicTypes: Set<String> = [
        "LabelSelector", "ObjectReference", "LocalObjectReference", "TypedLocalObjectReference", "SecretReference",
        "ConfigMapKeySelector", "SecretKeySelector", "ObjectFieldSelector", "ResourceFieldSelector", "NodeSelector",
        "NodeSelectorTerm", "TopologySelectorTerm", "ScopeSelector", "ScopedResourceSelectorRequirement",
        "FileKeySelector",
        "OwnerReference", "EndpointAddress", "EndpointPort", "RoleRef", "Subject", "ServiceBackendPort",
        "ParamRef", "FieldsV1", "RawExtension",
    ]

    /// Members of built-in types that are always there, empty if nobody sets them, because they are no pointers in Kubernetes.
    ///
    /// Nobody owns the bare existence of such a member.
    private static let alwaysThere: Set<String> = [
        "metadata", "spec", "status", "template", "strategy", "updateStrategy", "resources", "state", "lastState",
        "loadBalancer", "nodeInfo", "daemonEndpoints", "kubeletEndpoint", "jobTemplate", "scaleTargetRef", "names",
        "source", "podSelector", "containers",
    ]

    /// The same names where they are pointers.
    private static let pointers: Set<String> = [
        "ReplicationControllerSpec.template", "PodSpec.resources", "ContainerStatus.resources",
        "NetworkPolicyPeer.podSelector", "ValidatingAdmissionPolicy.status", "PodAffinityTerm.podSelector",
    ]

    static func impliedMembers(_ fields: [SchemaField], of definition: String?) -> [SchemaField] {
        guard let definition, definition.hasPrefix("io.k8s.") else { return [] }
        let type = lastPart(definition)
        return fields.filter { field in
            guard alwaysThere.contains(field.name), !pointers.contains("\(type).\(field.name)") else { return false }
            switch field.schema.shape {
            case .object, .array: return true
            default: return false
            }
        }
    }
}
