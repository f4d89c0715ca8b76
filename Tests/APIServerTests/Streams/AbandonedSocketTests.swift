import NIOCore
import Testing

@testable import APIServer

@Suite("Sockets that nobody owns") struct AbandonedSocketTests {
    private static let table = """
          sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
           0: 0100007F:403B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 50 1 0
           1: 0100007F:BF00 0100007F:839D 01 00000000:00000000 00:00000000 00000000     0        0 77 1 0
           2: 0100007F:BF01 0100007F:839D 04 00000000:00000000 00:00000000 00000000     0        0 0 1 0
        """

    @Test("a socket is abandoned when no program has it, or when it is no longer there")
    func owners() throws {
        let server = try #require(AbandonedSocket.entry(try SocketAddress(ipAddress: "127.0.0.1", port: 33_693)))
        #expect(server == "0100007F:839D")
        #expect(!AbandonedSocket.isAbandoned("0100007F:BF00", server, in: Self.table))
        #expect(AbandonedSocket.isAbandoned("0100007F:BF01", server, in: Self.table))
        #expect(AbandonedSocket.isAbandoned("0100007F:BF02", server, in: Self.table))
        #expect(AbandonedSocket.entry(try SocketAddress(ipAddress: "::1", port: 1)) == nil)
    }
}
