import Testing

@testable import ContainerRuntime

@Suite("Plain level: addresses and paths", .timeLimit(.minutes(5)))
struct PlainTablesTests {
    @Test(
        "cluster addresses have a place on loopback, ports below 1024 are higher",
        arguments: [
            ("10.96.3.4", 80, "127.96.3.4:20080"), ("10.96.0.1", 443, "127.96.0.1:20443"),
            ("10.244.0.5", 8080, "127.244.0.5:8080"), ("127.244.0.5", 1023, "127.244.0.5:21023"),
            ("127.244.0.5", 1024, "127.244.0.5:1024"), ("127.244.0.5", 0, "127.244.0.5:0"), ("192.168.1.1", 80, nil),
            ("127.0.0.1", 80, nil), ("169.254.1.1", 0, "127.96.255.254:0"),
        ] as [(String, UInt16, String?)])
    func places(address: String, port: UInt16, expected: String?) throws {
        let place = LoopbackBlock(number: 0).place(try #require(IPv4Address(parsing: address)), port)
        #expect(place.map { "\($0.address):\($0.port)" } == expected)
    }

    @Test("another cluster has another block")
    func blocks() throws {
        let block = LoopbackBlock(number: 3)
        #expect(block.pods.description == "127.131.0.0")
        #expect(block.place(IPv4Address(10, 96, 0, 50), 8080)?.address.description == "127.99.0.50")
        #expect(block.place(IPv4Address(127, 244, 0, 5), 8080) == nil)
    }

    @Test("two clusters on one machine never share a block")
    func claims() async throws {
        let (first, second) = (try PlainNetwork(), try PlainNetwork())
        #expect(first.block != second.block)
        await first.shutDown()
        await second.shutDown()
    }

    @Test(
        "paths into volumes are rewritten, and no others",
        arguments: [
            ("/etc/config", "/R/etc/config"),
            ("/etc/config/app.conf", "/R/etc/config/app.conf"),
            ("cat /etc/config/app.conf >/tmp/x", "cat /R/etc/config/app.conf >/tmp/x"),
            ("--config=/data/x.yaml", "--config=/R/data/x.yaml"),
            ("/data:/etc/config", "/R/data:/R/etc/config"),
            (#"test -f "/data""#, #"test -f "/R/data""#),
            ("/database/x", "/database/x"), ("/etc/config.old", "/etc/config.old"), ("/srv/data/x", "/srv/data/x"),
            ("http://host/data", "http://host/data"), ("/data/etc/config", "/R/data/etc/config"), ("plain", "plain"),
            ("", ""),
        ])
    func paths(text: String, expected: String) {
        #expect(PlainPaths(root: "/R", targets: ["/data", "/etc/config", "/"]).rewrite(text) == expected)
    }

    @Test("the search path leads to mounted programs")
    func searchPath() {
        let paths = PlainPaths(root: "/R", targets: ["/opt/app/bin/server"])
        #expect(paths.rewriteSearchPath("/opt/app/bin:/usr/bin:/bin") == "/R/opt/app/bin:/usr/bin:/bin")
    }
}
