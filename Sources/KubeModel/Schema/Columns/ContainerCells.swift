/// What tables show of a pod template.
struct ContainerCells {
    let names: String
    let images: String

    /// `spec` is that of a pod or of a template.
    init(_ spec: JSONValue?) {
        let containers = spec?["containers"]?.array ?? []
        names = containers.map { $0["name"]?.string ?? "" }.joined(separator: ",")
        images = containers.map { $0["image"]?.string ?? "" }.joined(separator: ",")
    }

    /// `app=web,tier=front`, sorted; `<none>` without any.
    static func labels(_ labels: JSONValue?) -> String {
        let pairs = (labels?.object ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.string ?? "")" }
        return pairs.isEmpty ? "<none>" : pairs.joined(separator: ",")
    }

    /// A selector object as text; `<none>` if it selects nothing in particular.
    static func selector(_ selector: JSONValue?) -> String {
        let selector = LabelSelector(selector)
        return selector.isEmpty ? "<none>" : selector.text
    }
}
