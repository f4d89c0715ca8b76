public import KubeModel

/// What is used of the processor and of memory.
public struct ResourceUsage: Sendable, Hashable {
    /// Processor time per time: 1,000,000,000 is one core.
    public var cpuNanocores: Int64
    public var memoryBytes: Int64

    public init(cpuNanocores: Int64, memoryBytes: Int64) {
        self.cpuNanocores = cpuNanocores
        self.memoryBytes = memoryBytes
    }
}

/// What a node and the containers on it use.
public struct NodeUsage: Sendable {
    /// The containers of one pod, by name.
    public struct PodUsage: Sendable {
        public var uid: String
        public var containers: [String: ResourceUsage]

        public init(uid: String, containers: [String: ResourceUsage]) {
            self.uid = uid
            self.containers = containers
        }
    }

    public var node: ResourceUsage
    public var pods: [PodUsage]
    /// When it was measured.
    public var time: Timestamp
    /// The time over which the use of the processor was measured.
    public var window: Duration

    public init(node: ResourceUsage, pods: [PodUsage], time: Timestamp, window: Duration) {
        self.node = node
        self.pods = pods
        self.time = time
        self.window = window
    }
}
