import KubeModel
import ObjectStore

/// Which objects of a kind a list or watch is about.
struct Selection: Sendable, Hashable {
    /// A requirement on a field, with its path taken apart.
    private struct Field: Sendable, Hashable {
        let name: String
        let path: [String]
        let isEqual: Bool
        let value: String
    }

    private let labels: LabelSelector?
    private let fields: [Field]

    static let everything = Selection()

    private init() {
        labels = nil
        fields = []
    }

    /// Reads both selectors; `Status` 400 for bad syntax and for fields that the kind cannot be selected by.
    init(_ kind: KindSchema, labelSelector: String?, fieldSelector: String?) throws(Status) {
        let wanted: FieldSelector?
        do throws(SelectorError) {
            if let labelSelector, !labelSelector.isEmpty {
                let parsed = try LabelSelector(parsing: labelSelector)
                labels = parsed.isEmpty ? nil : parsed
            } else {
                labels = nil
            }
            if let fieldSelector, !fieldSelector.isEmpty {
                wanted = try FieldSelector(parsing: fieldSelector)
            } else {
                wanted = nil
            }
        } catch {
            throw .badRequest("\(error)")
        }
        var fields: [Field] = []
        for requirement in wanted?.requirements ?? [] {
            let name = Self.aliases[requirement.path] ?? requirement.path
            try Self.check(name, kind)
            fields.append(
                Field(
                    name: name, path: name.split(separator: ".").map { String($0) }, isEqual: requirement.isEqual,
                    value: requirement.value))
        }
        self.fields = fields
    }

    /// Old names of fields.
    private static let aliases = ["spec.host": "spec.nodeName"]

    private static func check(_ name: String, _ kind: KindSchema) throws(Status) {
        if name == "metadata.name" || kind.selectableFields.contains(name) { return }
        let namesOnly = kind.selectableFields.allSatisfy { $0.hasPrefix("metadata.") }
        if name == "metadata.namespace", kind.resource.isNamespaced || namesOnly { return }
        // Kinds that have no fields of their own to be selected by share one rule, with its own words.
        throw .badRequest(
            namesOnly
                ? "\"\(name)\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
                : "field label not supported: \(name)")
    }

    var isEverything: Bool { labels == nil && fields.isEmpty }

    /// The selection for somebody who sees only the objects of a range: everything, if the range says it all.
    func within(_ range: KeyRange) -> Selection {
        let isSaid = fields.allSatisfy { field in
            switch field.name {
            case "metadata.name": field.isEqual && field.value == range.name
            case "metadata.namespace": field.isEqual && field.value == range.namespace
            default: false
            }
        }
        return labels == nil && isSaid ? .everything : self
    }

    /// The name that a matching object must have, if the selection says so.
    var exactName: String? { fields.first { $0.name == "metadata.name" && $0.isEqual }?.value }

    /// The namespace that a matching object must have, if the selection says so.
    var exactNamespace: String? { fields.first { $0.name == "metadata.namespace" && $0.isEqual }?.value }

    func matches(_ stored: StoredObject) -> Bool {
        if let labels, !labels.matches(stored.labels) { return false }
        return fields.allSatisfy { (Self.text($0, stored.object) == $0.value) == $0.isEqual }
    }

    /// Fields that are numbers or truth values, and what they are when nobody has set them.
    private static let absent = [
        "spec.hostNetwork": "false", "spec.unschedulable": "false", "status.replicas": "0", "status.successful": "0",
    ]

    /// The value of a field as selectors see it; empty for one that is absent.
    private static func text(_ field: Field, _ object: KubeObject) -> String {
        switch object.value[field.path] {
        case .string(let text): return text
        case .bool(let flag): return flag ? "true" : "false"
        case .int(let number): return String(number)
        default: break
        }
        switch field.name {
        case "source":
            let component = object.value[["source", "component"]]?.string ?? ""
            return component.isEmpty ? object.value["reportingComponent"]?.string ?? "" : component
        case "status.successful": return object.value[["status", "succeeded"]]?.int.map { String($0) } ?? "0"
        default: return absent[field.name] ?? ""
        }
    }
}
