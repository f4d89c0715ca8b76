public import KubeModel

/// What the browser shows, and the shell keeps up to date.
public enum BrowserTarget: Sendable, Hashable {
    case list(BrowserQuery)
    /// One object, with its events.
    case object(BrowserObject)
    /// The log of a container, from its last lines on.
    case log(BrowserObject, container: String?)
}

/// Which objects are listed.
public struct BrowserQuery: Sendable, Hashable {
    public var resource: ResourceType
    /// Nil means all namespaces.
    public var namespace: String?
    public var labelSelector: String?
    public var fieldSelector: String?
    /// Whose objects they are, for example `Deployment web`; nil for all of a namespace.
    public var owner: String?

    public init(
        _ resource: ResourceType, namespace: String?, labelSelector: String? = nil, fieldSelector: String? = nil,
        owner: String? = nil
    ) {
        self.resource = resource
        self.namespace = namespace
        self.labelSelector = labelSelector
        self.fieldSelector = fieldSelector
        self.owner = owner
    }
}

/// One object of the cluster.
public struct BrowserObject: Sendable, Hashable {
    public var resource: ResourceType
    public var namespace: String?
    public var name: String

    public init(_ resource: ResourceType, namespace: String?, name: String) {
        self.resource = resource
        self.namespace = namespace
        self.name = name
    }

    /// `Pod web-1 in velocitytech`.
    var title: String { "\(resource.kind) \(name)" + (namespace.map { " in \($0)" } ?? "") }
}

/// What the shell has found out about a target.
public enum BrowserAnswer: Sendable, Hashable {
    /// Everything that is listed now.
    case objects([KubeObject])
    /// The object as it is now, nil when it is gone, and its events.
    case object(KubeObject?, events: [KubeObject])
    /// More lines of a log.
    case lines([String])
    /// It cannot be shown; a sentence.
    case failed(String)
}
