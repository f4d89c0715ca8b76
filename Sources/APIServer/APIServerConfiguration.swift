/// How an `APIServer` is to be set up.
public struct APIServerConfiguration: Sendable {
    /// Where node ports are taken from.
    public var nodePorts: ClosedRange<Int> = 30000...32767
    /// Where the addresses of Services are taken from, for example `10.96.0.0/16`.
    public var serviceCIDR = "10.96.0.0/16"
    /// The port on 127.0.0.1; 0 takes any free one, nil opens none: then there is only the in-process client.
    public var port: Int?
    /// The certificates of the server; needed with a port.
    public var credentials: PKI?
    /// Bearer tokens that are accepted, with the user that each stands for.
    public var tokens: [String: UserInfo] = [:]
    /// Where requests are written down, one JSON line each; nil for nowhere.
    ///
    /// A second file beside it, `PATH.1`, holds older ones.
    public var auditFile: String?
    /// Admission plugins that are not to be asked, by their names in Kubernetes, for example `ServiceAccount`.
    public var disabledAdmissionPlugins: Set<String> = []

    public init(port: Int? = nil, credentials: PKI? = nil) {
        self.port = port
        self.credentials = credentials
    }
}
