import KubeModel

/// A block of IPv4 addresses.
struct AddressBlock: Sendable, Hashable {
    let first: UInt32
    let prefixLength: Int

    /// Reads `10.96.0.0/16`; nil for other text and for blocks smaller than /30.
    init?(parsing text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let length = Int(parts[1]), (8...30).contains(length),
            let address = Self.address(String(parts[0]))
        else { return nil }
        prefixLength = length
        first = address & ~(UInt32(1) << UInt32(32 - length) - 1)
    }

    var count: UInt32 { UInt32(1) << UInt32(32 - prefixLength) }

    /// Whether a Service may have the address: inside, and neither the first nor the last.
    func contains(_ address: UInt32) -> Bool { address > first && address - first < count - 1 }

    var description: String { "\(Self.text(first))/\(prefixLength)" }

    static func address(_ text: String) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var address: UInt32 = 0
        for part in parts {
            guard let byte = UInt8(part), String(byte) == part else { return nil }
            address = address << 8 | UInt32(byte)
        }
        return address
    }

    static func text(_ address: UInt32) -> String {
        "\(address >> 24).\(address >> 16 & 255).\(address >> 8 & 255).\(address & 255)"
    }
}

/// Which Service holds which cluster address and which node port, as a value.
///
/// `ServiceAllocator` owns the one that counts.
struct ServicePool: Sendable {
    let block: AddressBlock
    let nodePorts: ClosedRange<Int>
    /// Addresses that are given only to those who ask for them by number.
    let kept: Set<UInt32>
    private(set) var addressOwners: [UInt32: ObjectKey] = [:]
    private(set) var portOwners: [Int: ObjectKey] = [:]

    init(block: AddressBlock, nodePorts: ClosedRange<Int>, kept: Set<UInt32>) {
        self.block = block
        self.nodePorts = nodePorts
        self.kept = kept
    }

    enum Refusal: Error, Equatable {
        case taken, outOfRange, exhausted
    }

    mutating func claim(address: UInt32, for owner: ObjectKey) throws(Refusal) {
        guard block.contains(address) else { throw .outOfRange }
        guard addressOwners[address] == nil else { throw .taken }
        addressOwners[address] = owner
    }

    /// A free address: a random one above the lower band, which is left to explicit wishes as long as possible.
    mutating func claimAddress(for owner: ObjectKey) throws(Refusal) -> UInt32 {
        let band = min(max(16, block.count / 16), 256)
        let upper = block.first + min(band, block.count / 2)..<block.first + block.count - 1
        let lower = block.first + 1..<upper.lowerBound
        for part in [upper, lower] where !part.isEmpty {
            let start = UInt32.random(in: part)
            let turns = [start..<part.upperBound, part.lowerBound..<start]
            for turn in turns {
                for address in turn where addressOwners[address] == nil && !kept.contains(address) {
                    addressOwners[address] = owner
                    return address
                }
            }
        }
        throw .exhausted
    }

    mutating func claim(port: Int, for owner: ObjectKey) throws(Refusal) {
        guard nodePorts.contains(port) else { throw .outOfRange }
        guard portOwners[port] == nil else { throw .taken }
        portOwners[port] = owner
    }

    mutating func claimPort(for owner: ObjectKey) throws(Refusal) -> Int {
        let band = min(max(16, nodePorts.count / 32), 128)
        let edge = nodePorts.lowerBound + min(band, nodePorts.count / 2)
        for part in [edge...nodePorts.upperBound, nodePorts.lowerBound...edge] {
            let start = Int.random(in: part)
            for port in Array(start...part.upperBound) + Array(part.lowerBound..<start) where portOwners[port] == nil {
                portOwners[port] = owner
                return port
            }
        }
        throw .exhausted
    }

    mutating func release(address: UInt32) { addressOwners[address] = nil }
    mutating func release(port: Int) { portOwners[port] = nil }
}
