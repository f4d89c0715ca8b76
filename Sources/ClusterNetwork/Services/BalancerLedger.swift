import ContainerRuntime
import KubeModel

/// The addresses of Services of type LoadBalancer: in 127.88.0.0/16, which every machine can listen in without further ado.
///
/// A Service keeps its address as long as it is a load balancer, also over a restart: its status says which one it was.
struct BalancerLedger: Equatable, Sendable {
    static let network = NodeNetwork.balancers

    private(set) var addresses: [ObjectKey: IPv4Address] = [:]

    /// Gives every load balancer an address, and takes back those of Services that are none any more.
    mutating func update(_ services: [KubeService]) {
        let balancers = services.filter(Self.isOurs).sorted { $0.key < $1.key }
        addresses = addresses.filter { entry in balancers.contains { $0.key == entry.key } }
        for service in balancers {
            if let wish = Self.wish(service) {
                addresses[service.key] = wish
            } else if addresses[service.key] == nil, let held = Self.held(service), !isTaken(held) {
                addresses[service.key] = held
            }
        }
        for service in balancers where addresses[service.key] == nil {
            addresses[service.key] = next(after: Self.network)
        }
    }

    /// Another program has the address's port: the Service moves on to the next one, unless it asked for this one.
    ///
    /// - Returns: Whether it did.
    mutating func move(_ service: KubeService) -> Bool {
        guard Self.wish(service) == nil, let address = addresses[service.key], let next = next(after: address) else {
            return false
        }
        addresses[service.key] = next
        return true
    }

    /// Whether a Service is a load balancer, and not one of somebody else's.
    static func isOurs(_ service: KubeService) -> Bool {
        service.type == "LoadBalancer" && service.spec["loadBalancerClass"] == nil
    }

    /// `status.loadBalancer` of a Service that has this address; nil stands for none.
    static func status(_ address: IPv4Address?) -> JSONValue {
        guard let address else { return [:] }
        return ["ingress": [["ip": .string(address.description), "ipMode": "VIP"]]]
    }

    private static func wish(_ service: KubeService) -> IPv4Address? {
        loopback(service.spec["loadBalancerIP"])
    }

    private static func held(_ service: KubeService) -> IPv4Address? {
        loopback(service.object.value[["status", "loadBalancer", "ingress"]]?.array?.first?["ip"])
    }

    private static func loopback(_ text: JSONValue?) -> IPv4Address? {
        text?.string.flatMap { IPv4Address(parsing: $0) }.flatMap { $0.number >> 24 == 127 ? $0 : nil }
    }

    private func isTaken(_ address: IPv4Address) -> Bool { addresses.values.contains(address) }

    private func next(after address: IPv4Address) -> IPv4Address? {
        let taken = Set(addresses.values)
        let start = address.number >> 16 == Self.network.number >> 16 ? address.number & 0xFFFF : 0
        let candidates = (1..<UInt32(0x1_0000)).lazy.map { IPv4Address(Self.network.number | (start + $0) & 0xFFFF) }
        // Addresses that look like those of a network or a broadcast only raise questions.
        return candidates.first { !(taken.contains($0) || [0, 255].contains($0.number & 0xFF)) }
    }
}
