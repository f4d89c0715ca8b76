public import ContainerRuntime
public import KubeModel

/// How a cluster is run; kept beside it, so that the next start is like the last.
public struct ClusterSettings: Sendable, Hashable {
    /// Nil takes the best level that this machine allows.
    public var level: RuntimeLevel?
    public var pace: Pace
    /// Divides the waits that Kubernetes or a manifest prescribes; 1 is real time.
    public var timeFactor: Double
    /// Where the API answers on 127.0.0.1; taken again at the next start when it is free.
    public var port: Int
    /// How many nodes there are; all are this machine.
    public var nodes: Int

    /// Images that are not here are fetched from their registries.
    public var pullsImages = false

    /// Where pods may connect to outside of the cluster.
    public var egress = Egress.none

    public enum Pace: String, Sendable, CaseIterable {
        /// States stay long enough to be seen.
        case lesson
        /// No delay of our own.
        case instant
    }

    public init(
        level: RuntimeLevel? = nil, pace: Pace = .lesson, timeFactor: Double = 1, port: Int = 16443, nodes: Int = 1
    ) {
        self.level = level
        self.pace = pace
        self.timeFactor = timeFactor
        self.port = port
        self.nodes = nodes
    }

    /// What is missing or out of range is as in a new cluster.
    public init(_ value: JSONValue) {
        self.init(
            level: value["runtime"]?.string.flatMap(RuntimeLevel.init),
            pace: value["pace"]?.string.flatMap(Pace.init) ?? .lesson,
            timeFactor: value["timeFactor"]?.double.flatMap { 1...1000 ~= $0 ? $0 : nil } ?? 1,
            port: value["port"]?.int.flatMap { 0...65_535 ~= $0 ? $0 : nil } ?? 16443,
            nodes: value["nodes"]?.int.flatMap { 1...NodeNetwork.nodesMax ~= $0 ? $0 : nil } ?? 1)
        pullsImages = value["pullImages"]?.bool ?? false
        egress = value["egress"]?.string.flatMap(Egress.init) ?? .none
    }

    public var value: JSONValue {
        var value: JSONValue = [
            "pace": .string(pace.rawValue), "timeFactor": .double(timeFactor), "port": JSONValue(port),
            "nodes": JSONValue(nodes),
        ]
        if pullsImages { value["pullImages"] = true }
        if egress != .none { value["egress"] = .string(egress.rawValue) }
        if let level { value["runtime"] = .string(level.rawValue) }
        return value
    }
}

extension ClusterSettings {
    /// `1 node`, `3 nodes`.
    public var nodeWords: String { nodes == 1 ? "1 node" : "\(nodes) nodes" }

    /// As `kubectl get nodes` shows them.
    public var nodeNames: [String] { ClusterNode.all(nodes).map(\.name) }
}

extension JSONValue {
    var double: Double? {
        switch self {
        case .double(let value): value
        case .int(let value): Double(value)
        default: nil
        }
    }
}

extension ClusterSettings {
    /// The settings of the last start; the defaults when there was none.
    public static func load(_ directory: ClusterDirectory) -> ClusterSettings {
        guard let bytes = Directory.read(directory.settingsFile), let value = try? JSONValue(parsing: bytes) else {
            return ClusterSettings()
        }
        return ClusterSettings(value)
    }

    func save(_ directory: ClusterDirectory) throws(ClusterError) {
        try Directory.write(value.encoded, to: directory.settingsFile)
    }

    /// The options of `velocity cluster serve` that give these settings.
    public var arguments: [String] {
        var arguments = ["--pace", pace.rawValue, "--time-factor", "\(timeFactor)", "--port", "\(port)"]
        arguments += ["--nodes", "\(nodes)"]
        arguments += [pullsImages ? "--pull" : "--no-pull", "--allow-egress", egress.rawValue]
        if let level { arguments += ["--runtime", level.rawValue] }
        return arguments
    }
}
