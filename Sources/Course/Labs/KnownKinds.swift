import KubeModel

extension ResourceType {
    /// The kind that an author means by its name; nil when no built-in kind is called so.
    static func ofKind(_ kind: String) -> ResourceType? {
        KindCatalog.builtIn.kinds.first { $0.resource.kind == kind }?.resource
    }

    static var knownKinds: [String] { KindCatalog.builtIn.kinds.map(\.resource.kind).sorted() }
}
