import Glibc
import KubeModel
import Testing

@testable import Cluster

@Suite("The machine", .timeLimit(.minutes(5))) struct MachineTests {
    @Test("a node has processors, memory, disk and room for 110 pods")
    func capacity() throws {
        let capacity = MachineCapacity.measure("/tmp")
        #expect(capacity.keys.sorted() == ["cpu", "ephemeral-storage", "memory", "pods"])
        #expect(1...4096 ~= (try #require(capacity["cpu"]).value))
        // Between 64 MiB and 64 TiB, in whole KiB.
        let memory = try #require(capacity["memory"])
        #expect((1 << 26)...(1 << 46) ~= memory.value)
        #expect(memory.value % 1024 == 0)
        #expect(memory.description.hasSuffix("i"))
        #expect(try #require(capacity["ephemeral-storage"]).value > 0)
        #expect(capacity["pods"] == Quantity(110))
    }

    @Test("a folder that is not there has no disk")
    func noDisk() {
        #expect(MachineCapacity.measure("/nosuch")["ephemeral-storage"]?.value == 0)
    }

    @Test("a port is taken while somebody listens there")
    func ports() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 1) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        defer { close(descriptor) }
        try #require(isBound)
        #expect(!LoopbackPort.isFree(Int(UInt16(bigEndian: address.sin_port))))
    }

    @Test("some port is free, and is not kept")
    func anyPort() throws {
        #expect(1024...65_535 ~= (try #require(LoopbackPort.anyFree())))
    }

    @Test("what is no port is not free", arguments: [-1, 65_536, .max])
    func noPort(number: Int) { #expect(!LoopbackPort.isFree(number)) }
}
