import KubeModel
import Testing

@testable import APIServer

@Suite("The pool of addresses and node ports") struct ServicePoolTests {
    private let owner = ObjectKey(namespace: "default", name: "a")

    private func pool(_ block: String, _ ports: ClosedRange<Int> = 30000...30003) throws -> ServicePool {
        let block = try #require(AddressBlock(parsing: block))
        return ServicePool(block: block, nodePorts: ports, kept: [block.first + 1])
    }

    @Test("every free address is given once, never the first, the last, or one that is kept")
    func exhaustion() throws {
        var pool = try pool("10.96.0.0/28")
        var given: Set<String> = []
        for _ in 0..<13 { given.insert(AddressBlock.text(try pool.claimAddress(for: owner))) }
        #expect(given == Set((2...14).map { "10.96.0.\($0)" }))
        #expect(throws: ServicePool.Refusal.exhausted) { try pool.claimAddress(for: owner) }
        pool.release(address: try #require(AddressBlock.address("10.96.0.7")))
        #expect(AddressBlock.text(try pool.claimAddress(for: owner)) == "10.96.0.7")
    }

    @Test("every port is given once")
    func ports() throws {
        var pool = try pool("10.96.0.0/28")
        var given: Set<Int> = []
        for _ in 0..<4 { given.insert(try pool.claimPort(for: owner)) }
        #expect(given == [30000, 30001, 30002, 30003])
        #expect(throws: ServicePool.Refusal.exhausted) { try pool.claimPort(for: owner) }
        #expect(throws: ServicePool.Refusal.taken) { try pool.claim(port: 30001, for: owner) }
        #expect(throws: ServicePool.Refusal.outOfRange) { try pool.claim(port: 80, for: owner) }
    }

    @Test(
        "only IPv4 addresses and blocks are read",
        arguments: ["", "10.96.0.0", "10.96.0/16", "10.96.0.0/33", "::1/64", "10.96.0.256/16", "10.096.0.0/16"])
    func badBlocks(text: String) {
        #expect(AddressBlock(parsing: text) == nil)
    }
}
