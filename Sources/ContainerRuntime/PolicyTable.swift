import OrderedCollections

/// Policy rules as the bytes that `vs_nft_apply_policy` reads (the format is described in `nft.h`).
///
/// Pods that may do the same share a chain, and rules that name the same pods share a set.
struct PolicyTable: Sendable, Hashable {
    let bytes: [UInt8]

    private struct Chain: Hashable {
        var direction: PolicyRules.Direction
        var allowed: [PolicyRules.Allowance]
    }

    init(_ rules: PolicyRules, node: IPv4Address = IPv4Address(169, 254, 1, 1)) {
        var sets: OrderedSet<[IPv4Address]> = []
        var chains: OrderedSet<Chain> = []
        var members: [PolicyRules.Direction: [UInt8]] = [:]
        var counts: [PolicyRules.Direction: Int] = [:]
        for isolation in rules.isolations {
            let chain = chains.append(Chain(direction: isolation.direction, allowed: isolation.allowed)).index
            members[isolation.direction, default: []] += isolation.pod.bytes + Self.number(chain)
            counts[isolation.direction, default: 0] += 1
        }
        var chainBytes: [UInt8] = []
        for chain in chains {
            chainBytes.append(chain.direction == .ingress ? 0 : 1)
            chainBytes += Self.number(chain.allowed.count)
            for allowance in chain.allowed { chainBytes += Self.bytes(allowance, &sets) }
        }
        var bytes = Array("VPT1".utf8) + node.bytes + Self.addresses(rules.locals)
        bytes += Self.number(sets.count)
        for set in sets { bytes += Self.addresses(set) }
        bytes += Self.number(chains.count) + chainBytes
        for direction in [PolicyRules.Direction.ingress, .egress] {
            bytes += Self.number(counts[direction] ?? 0) + (members[direction] ?? [])
        }
        self.bytes = bytes
    }

    private static func bytes(
        _ allowance: PolicyRules.Allowance, _ sets: inout OrderedSet<[IPv4Address]>
    ) -> [UInt8] {
        var bytes: [UInt8]
        switch allowance.peer {
        case .anybody: bytes = [0]
        case .pods(let addresses): bytes = [1] + number(sets.append(addresses).index)
        case .block(let block, let except):
            let exceptions = except.prefix(255)
            bytes = [2] + block.network.bytes + [block.prefixLength, UInt8(exceptions.count)]
            for exception in exceptions { bytes += exception.network.bytes + [exception.prefixLength] }
        }
        guard let ports = allowance.ports else { return bytes + [0] }
        return bytes + [ports.transport] + number(Int(ports.numbers.lowerBound)) + number(Int(ports.numbers.upperBound))
    }

    private static func addresses(_ addresses: [IPv4Address]) -> [UInt8] {
        number(addresses.count) + addresses.flatMap(\.bytes)
    }

    private static func number(_ value: Int) -> [UInt8] {
        let value = UInt16(clamping: value)
        return [UInt8(value >> 8), UInt8(truncatingIfNeeded: value)]
    }
}
