public import ContainerRuntime
import Synchronization

/// The addresses of one node's pods: each pod gets one, and keeps it until it is released.
///
/// An address that came back is given out again as late as possible, so that what still remembers the old pod (a client's
/// connection, a DNS answer) does not reach a new one.
public final class PodAddressPool: Sendable {
    private let shared: Mutex<AddressLedger>

    /// - Parameters:
    ///   - network: The first address of the node's part of the pod network, for example 10.244.0.0.
    ///   - prefixLength: 24 gives 253 pods: `.0` is the network, `.1` the node, `.255` is not used.
    public init(network: IPv4Address, prefixLength: Int = 24) {
        shared = Mutex(AddressLedger(network: network, prefixLength: prefixLength))
    }

    /// The address of the pod, the same one every time.
    ///
    /// - Throws: `AddressError.exhausted` when every address is in use.
    public func assign(_ podUID: String) throws(AddressError) -> String {
        try shared.withLock { (ledger) throws(AddressError) in try ledger.assign(podUID).description }
    }

    /// Notes that a pod has an address already, after a restart of the cluster process.
    ///
    /// - Returns: False if the address is not of this pool or belongs to another pod.
    @discardableResult
    public func reserve(_ address: String, for podUID: String) -> Bool {
        guard let address = IPv4Address(parsing: address) else { return false }
        return shared.withLock { $0.reserve(address, for: podUID) }
    }

    /// Takes the pod's address back; a pod without one is fine.
    public func release(_ podUID: String) { shared.withLock { $0.release(podUID) } }
}

/// Why a pod got no address.
public enum AddressError: Error, Sendable, Hashable, CustomStringConvertible {
    case exhausted(network: String, count: Int)

    public var description: String {
        switch self {
        case .exhausted(let network, let count): "all \(count) pod addresses of \(network) are in use"
        }
    }
}

/// Who has which address, as a value.
struct AddressLedger {
    private let network: IPv4Address
    private let count: UInt32
    private var owners: [IPv4Address: String] = [:]
    private var addresses: [String: IPv4Address] = [:]
    /// Offset at which the search for a free address starts: after the one that was given out last.
    private var next: UInt32 = 0

    init(network: IPv4Address, prefixLength: Int) {
        precondition((8...30).contains(prefixLength), "a pod network of /\(prefixLength) cannot be used")
        let size = UInt32(1) << UInt32(32 - prefixLength)
        self.network = IPv4Address(network.number & ~(size - 1))
        count = size - 3
    }

    mutating func assign(_ podUID: String) throws(AddressError) -> IPv4Address {
        if let address = addresses[podUID] { return address }
        for step in 0..<count {
            let offset = (next + step) % count
            let address = IPv4Address(network.number + 2 + offset)
            guard owners[address] == nil else { continue }
            next = (offset + 1) % count
            owners[address] = podUID
            addresses[podUID] = address
            return address
        }
        throw .exhausted(network: network.description, count: Int(count))
    }

    mutating func reserve(_ address: IPv4Address, for podUID: String) -> Bool {
        let first = network.number + 2
        guard (first..<first + count).contains(address.number) else { return false }
        if let owner = owners[address] { return owner == podUID }
        release(podUID)
        owners[address] = podUID
        addresses[podUID] = address
        return true
    }

    mutating func release(_ podUID: String) {
        guard let address = addresses.removeValue(forKey: podUID) else { return }
        owners[address] = nil
    }
}
