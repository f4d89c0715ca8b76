import KubeModel
import Synchronization

/// Gives Services their cluster addresses and node ports.
///
/// A claim is made before the object is written and confirmed or cancelled after, so that two writers never get the same.
final class ServiceAllocator: Sendable {
    /// What one write took, and what it will give back when it succeeds.
    struct Claim: Sendable {
        fileprivate var takenAddress: UInt32?
        fileprivate var takenPorts: [Int] = []
        fileprivate var droppedAddress: UInt32?
        fileprivate var droppedPorts: [Int] = []
    }

    private let pool: Mutex<ServicePool>
    /// The address of the `kubernetes` Service.
    let firstAddress: String

    init(_ pool: ServicePool) {
        firstAddress = AddressBlock.text(pool.block.first + 1)
        self.pool = Mutex(pool)
    }

    /// Takes what a stored Service holds; for the start of the server.
    func restore(_ service: KubeObject) {
        let owner = ObjectKey(service)
        pool.withLock { pool in
            if let address = Self.address(of: service) { try? pool.claim(address: address, for: owner) }
            for port in Self.nodePorts(of: service) { try? pool.claim(port: port, for: owner) }
        }
    }

    /// Fills in what a Service needs and lacks; does nothing for other kinds.
    ///
    /// `old` is what it replaces, whose address and ports it already holds.
    func admit(_ object: inout KubeObject, old: KubeObject?, _ resource: ResourceType) throws(Status) -> Claim? {
        guard resource == .services else { return nil }
        var service = object
        let outcome: Result<Claim, Status> = pool.withLock { pool in
            var claim = Claim()
            var errors: [FieldError] = []
            Self.claimAddress(&service, old, &pool, &claim, &errors)
            Self.claimPorts(&service, old, &pool, &claim, &errors)
            guard errors.isEmpty else {
                Self.giveBack(claim.takenAddress, claim.takenPorts, &pool)
                return .failure(.invalid(resource, name: service.name, errors))
            }
            return .success(claim)
        }
        let claim = try outcome.get()
        object = service
        return claim
    }

    /// The object was written.
    func confirm(_ claim: Claim?) {
        guard let claim else { return }
        pool.withLock { Self.giveBack(claim.droppedAddress, claim.droppedPorts, &$0) }
    }

    /// The object was not written.
    func cancel(_ claim: Claim?) {
        guard let claim else { return }
        pool.withLock { Self.giveBack(claim.takenAddress, claim.takenPorts, &$0) }
    }

    /// The object is gone.
    func release(_ object: KubeObject, _ resource: ResourceType) {
        guard resource == .services else { return }
        pool.withLock { Self.giveBack(Self.address(of: object), Self.nodePorts(of: object), &$0) }
    }

    private static func giveBack(_ address: UInt32?, _ ports: [Int], _ pool: inout ServicePool) {
        if let address { pool.release(address: address) }
        for port in ports { pool.release(port: port) }
    }

    // MARK: Addresses

    private static func address(of service: KubeObject?) -> UInt32? {
        service?.value[["spec", "clusterIP"]]?.string.flatMap(AddressBlock.address)
    }

    private static func claimAddress(
        _ service: inout KubeObject, _ old: KubeObject?, _ pool: inout ServicePool, _ claim: inout Claim,
        _ errors: inout [FieldError]
    ) {
        let held = address(of: old)
        guard service.value[["spec", "type"]] != "ExternalName" else {
            claim.droppedAddress = held
            return
        }
        let wanted = service.value[["spec", "clusterIP"]]?.string ?? ""
        // A change of a held address is refused by validation.
        guard wanted != "None", held == nil else { return }
        let path = FieldPath("spec", "clusterIPs")
        do throws(ServicePool.Refusal) {
            if wanted.isEmpty {
                let address = try pool.claimAddress(for: ObjectKey(service))
                claim.takenAddress = address
                service.value[["spec", "clusterIP"]] = .string(AddressBlock.text(address))
                service.value[["spec", "clusterIPs"]] = [.string(AddressBlock.text(address))]
            } else if let address = AddressBlock.address(wanted) {
                try pool.claim(address: address, for: ObjectKey(service))
                claim.takenAddress = address
            }
        } catch {
            let why =
                switch error {
                case .taken: "failed to allocate IP \(wanted): provided IP is already allocated"
                case .outOfRange:
                    "failed to allocate IP \(wanted): the provided IP (\(wanted)) is not in the valid range. "
                        + "The range of valid IPs is \(pool.block.description)"
                case .exhausted: "failed to allocate a serviceIP: range is full"
                }
            let shown = wanted.isEmpty ? "[]string(nil)" : "[]string{\"\(wanted)\"}"
            errors.append(FieldError(.invalid, path, shownValue: shown, why))
        }
    }

    // MARK: Node ports

    private static func needsNodePorts(_ service: KubeObject) -> Bool {
        let type = service.value[["spec", "type"]]
        return type == "NodePort"
            || type == "LoadBalancer" && service.value[["spec", "allocateLoadBalancerNodePorts"]] != false
    }

    private static func nodePorts(of service: KubeObject?) -> [Int] {
        let ports = (service?.value[["spec", "ports"]]?.array ?? []).compactMap { $0["nodePort"]?.int }
        return (ports + [service?.value[["spec", "healthCheckNodePort"]]?.int ?? 0]).filter { $0 != 0 }
    }

    private static func claimPorts(
        _ service: inout KubeObject, _ old: KubeObject?, _ pool: inout ServicePool, _ claim: inout Claim,
        _ errors: inout [FieldError]
    ) {
        let held = Set(nodePorts(of: old))
        defer { claim.droppedPorts = Array(held.subtracting(nodePorts(of: service))) }
        claimHealthPort(&service, held, &pool, &claim, &errors)
        guard needsNodePorts(service), var ports = service.value[["spec", "ports"]]?.array else { return }
        let owner = ObjectKey(service)
        // Wishes first, so that no random choice takes a port that the same Service asks for.
        for (index, port) in ports.enumerated() {
            guard let wanted = port["nodePort"]?.int, wanted != 0, !held.contains(wanted),
                !claim.takenPorts.contains(wanted)
            else { continue }
            do throws(ServicePool.Refusal) {
                try pool.claim(port: wanted, for: owner)
                claim.takenPorts.append(wanted)
            } catch {
                let range = "\(pool.nodePorts.lowerBound)-\(pool.nodePorts.upperBound)"
                let why =
                    error == .taken
                    ? "provided port is already allocated"
                    : "provided port is not in the valid range. The range of valid ports is \(range)"
                let path = FieldPath("spec", "ports")[index].child("nodePort")
                errors.append(.invalid(path, JSONValue(wanted), why))
            }
        }
        for index in ports.indices where ports[index]["nodePort"]?.int ?? 0 == 0 {
            // One number serves TCP and UDP of the same port.
            let twin = ports.first {
                $0["port"] == ports[index]["port"] && $0["protocol"] != ports[index]["protocol"]
                    && $0["nodePort"]?.int ?? 0 != 0
            }
            if let twin {
                ports[index]["nodePort"] = twin["nodePort"]
            } else if let free = try? pool.claimPort(for: owner) {
                claim.takenPorts.append(free)
                ports[index]["nodePort"] = JSONValue(free)
            } else {
                let path = FieldPath("spec", "ports")[index].child("nodePort")
                errors.append(
                    .invalid(path, 0, "failed to allocate a nodePort: range is full"))
            }
        }
        service.value[["spec", "ports"]] = .array(ports)
    }

    /// The port at which a load balancer asks nodes for pods of the Service.
    private static func claimHealthPort(
        _ service: inout KubeObject, _ held: Set<Int>, _ pool: inout ServicePool, _ claim: inout Claim,
        _ errors: inout [FieldError]
    ) {
        let spec = service.value["spec"]
        guard spec?["type"] == "LoadBalancer", spec?["externalTrafficPolicy"] == "Local" else { return }
        let wanted = spec?["healthCheckNodePort"]?.int ?? 0
        guard wanted == 0 || !held.contains(wanted) else { return }
        let owner = ObjectKey(service)
        let path = FieldPath("spec", "healthCheckNodePort")
        do throws(ServicePool.Refusal) {
            let port = wanted == 0 ? try pool.claimPort(for: owner) : wanted
            if wanted != 0 { try pool.claim(port: wanted, for: owner) }
            claim.takenPorts.append(port)
            service.value[["spec", "healthCheckNodePort"]] = JSONValue(port)
        } catch {
            errors.append(.invalid(path, JSONValue(wanted), "failed to allocate a nodePort: range is full"))
        }
    }
}
