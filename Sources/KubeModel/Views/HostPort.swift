/// A port of the node that a container wants for itself.
public struct HostPort: Sendable, Hashable {
    /// `TCP`, `UDP` or `SCTP`.
    public var transport: String
    public var number: Int
    /// The address of the node; `0.0.0.0` for all of them.
    public var address: String

    /// Nil for a port that stays inside the pod.
    init?(_ port: JSONValue) {
        guard let number = port["hostPort"]?.int, number > 0 else { return nil }
        self.number = number
        transport = port["protocol"]?.string ?? "TCP"
        let named = port["hostIP"]?.string ?? ""
        address = named.isEmpty ? "0.0.0.0" : named
    }

    /// Whether both cannot be had on one node.
    public func conflicts(with other: HostPort) -> Bool {
        guard transport == other.transport, number == other.number else { return false }
        return address == other.address || address == "0.0.0.0" || other.address == "0.0.0.0"
    }
}

extension Pod {
    /// The ports of the node that the pod's containers want.
    public var hostPorts: [HostPort] {
        let sidecars = initContainers.filter(\.isSidecar)
        return (containers + sidecars).flatMap(\.ports).compactMap(HostPort.init)
    }
}
