import KubeModel

/// Which objects of a kind a list or watch is about.
struct Selection: Sendable {
    private let labels: LabelSelector?
    private let fields: FieldSelector?

    static let everything = Selection()

    private init() {
        labels = nil
        fields = nil
    }

    /// Reads both selectors; `Status` 400 for bad syntax and for fields that the kind cannot be selected by.
    init(_ kind: KindSchema, labelSelector: String?, fieldSelector: String?) throws(Status) {
        do throws(SelectorError) {
            if let labelSelector, !labelSelector.isEmpty {
                labels = try LabelSelector(parsing: labelSelector)
            } else {
                labels = nil
            }
            if let fieldSelector, !fieldSelector.isEmpty {
                fields = try FieldSelector(parsing: fieldSelector)
            } else {
                fields = nil
            }
        } catch {
            throw .badRequest("\(error)")
        }
        for requirement in fields?.requirements ?? [] {
            let path = requirement.path
            let isKnown =
                path == "metadata.name" || (path == "metadata.namespace" && kind.resource.isNamespaced)
                || kind.selectableFields.contains(path)
            if !isKnown { throw .badRequest("field label not supported: \(path)") }
        }
    }

    var isEverything: Bool { labels?.isEmpty ?? true && fields?.requirements.isEmpty ?? true }

    /// The name that a matching object must have, if the selection says so.
    var exactName: String? {
        fields?.requirements.first { $0.path == "metadata.name" && $0.isEqual }?.value
    }

    /// The namespace that a matching object must have, if the selection says so.
    var exactNamespace: String? {
        fields?.requirements.first { $0.path == "metadata.namespace" && $0.isEqual }?.value
    }

    func matches(_ object: KubeObject) -> Bool {
        if let labels, !labels.isEmpty, !labels.matches(object.labels) { return false }
        if let fields, !fields.matches(object) { return false }
        return true
    }
}
