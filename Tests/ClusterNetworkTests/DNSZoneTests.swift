import ContainerRuntime
import KubeModel
import Testing

@testable import ClusterNetwork

@Suite("DNS zone", .timeLimit(.minutes(5)))
struct DNSZoneTests {
    private let zone: DNSZone

    init() throws {
        let domain = try #require(DNSName("cluster.local"))
        zone = DNSZone(
            domain: domain,
            services: [
                Fixture.service(
                    "web", clusterIP: "10.96.0.50",
                    ports: [["name": "http", "port": 80, "protocol": "TCP"], ["port": 8443, "protocol": "TCP"]]),
                Fixture.service("db", clusterIP: "None", ports: [["name": "sql", "port": 5432, "protocol": "TCP"]]),
                Fixture.service("empty", clusterIP: "None", ports: []),
            ],
            slices: [
                Fixture.slice(
                    of: "db", ports: [["name": "sql", "port": 5432, "protocol": "TCP"]],
                    endpoints: [
                        Fixture.endpoint("10.244.0.5", hostName: "db-0"), Fixture.endpoint("10.244.0.6"),
                        Fixture.endpoint("10.244.0.7", ready: false),
                    ]),
                Fixture.slice(
                    of: "web", ports: [["name": "http", "port": 8080, "protocol": "TCP"]],
                    endpoints: [Fixture.endpoint("10.244.0.8")]),
            ])
    }

    @Test(
        "names are answered",
        arguments: [
            ("web.shop.svc.cluster.local", "A", "10.96.0.50"),
            ("WEB.Shop.svc.CLUSTER.local.", "A", "10.96.0.50"),
            ("db.shop.svc.cluster.local", "A", "10.244.0.5 10.244.0.6"),
            ("db-0.db.shop.svc.cluster.local", "A", "10.244.0.5"),
            ("10-244-0-6.db.shop.svc.cluster.local", "A", "10.244.0.6"),
            ("10-244-0-9.shop.pod.cluster.local", "A", "10.244.0.9"),
            ("_http._tcp.web.shop.svc.cluster.local", "SRV", "80 web.shop.svc.cluster.local."),
            (
                "_sql._tcp.db.shop.svc.cluster.local", "SRV",
                "5432 db-0.db.shop.svc.cluster.local. 5432 10-244-0-6.db.shop.svc.cluster.local."
            ),
            // Pods behind a Service have names too, and a Service without more says which ports it has.
            ("10-244-0-8.web.shop.svc.cluster.local", "A", "10.244.0.8"),
            ("8.0.244.10.in-addr.arpa", "PTR", "10-244-0-8.web.shop.svc.cluster.local."),
            (
                "web.shop.svc.cluster.local", "SRV",
                "80 web.shop.svc.cluster.local. 8443 web.shop.svc.cluster.local."
            ),
            (
                "db.shop.svc.cluster.local", "SRV",
                "5432 db-0.db.shop.svc.cluster.local. 5432 10-244-0-6.db.shop.svc.cluster.local."
            ),
            ("dns-version.cluster.local", "TXT", "1.1.0"),
            ("50.0.96.10.in-addr.arpa", "PTR", "web.shop.svc.cluster.local."),
            ("5.0.244.10.in-addr.arpa", "PTR", "db-0.db.shop.svc.cluster.local."),
            ("cluster.local", "SOA", "SOA cluster.local."),
            // There, but without such a record.
            ("web.shop.svc.cluster.local", "AAAA", "NODATA cluster.local."),
            ("web.shop.svc.cluster.local", "TXT", "NODATA cluster.local."),
            ("shop.svc.cluster.local", "A", "NODATA cluster.local."),
            ("svc.cluster.local", "A", "NODATA cluster.local."),
            ("_tcp.web.shop.svc.cluster.local", "A", "NODATA cluster.local."),
            ("empty.shop.svc.cluster.local", "A", "NODATA cluster.local."),
            // Not there.
            ("nothing.shop.svc.cluster.local", "A", "NXDOMAIN cluster.local."),
            ("web.svc.cluster.local", "A", "NXDOMAIN cluster.local."),
            ("_https._tcp.web.shop.svc.cluster.local", "SRV", "NXDOMAIN cluster.local."),
            ("10-244-0-7.db.shop.svc.cluster.local", "A", "NXDOMAIN cluster.local."),
            ("10-244-0.shop.pod.cluster.local", "A", "NXDOMAIN cluster.local."),
            ("9.0.244.10.in-addr.arpa", "PTR", "NXDOMAIN in-addr.arpa."),
            ("example.com", "A", "NXDOMAIN ."),
            ("web", "A", "NXDOMAIN ."),
            (".", "NS", "NXDOMAIN ."),
        ])
    func answers(name: String, type: String, expected: String) throws {
        let numbers = [
            "A": DNSType.a, "AAAA": DNSType.aaaa, "SRV": DNSType.srv, "PTR": DNSType.ptr, "SOA": DNSType.soa,
            "TXT": DNSType.txt,
        ]
        let answer = zone.answer(try #require(DNSName(name)), type: numbers[type] ?? DNSType.ns)
        #expect(answer.summary == expected)
    }

    @Test("the addresses of a headless Service take turns in being first")
    func rotation() throws {
        let name = try #require(DNSName("db.shop.svc.cluster.local"))
        let first = (0..<4).map { zone.answer(name, type: DNSType.a, rotation: $0).summary.prefix(10) }
        #expect(first == ["10.244.0.5", "10.244.0.6", "10.244.0.5", "10.244.0.6"])
    }

    @Test("answers to SRV bring the addresses of their targets along")
    func additional() throws {
        let name = try #require(DNSName("_sql._tcp.db.shop.svc.cluster.local"))
        let contents = zone.answer(name, type: DNSType.srv).additional.map(\.content)
        #expect(contents == [.a(IPv4Address(10, 244, 0, 5)), .a(IPv4Address(10, 244, 0, 6))])
    }

    @Test("an external name is an alias")
    func externalName() throws {
        var service = Fixture.service("pay", clusterIP: "", ports: [], type: "ExternalName")
        service.value["spec"]?["externalName"] = "api.example.com"
        let zone = DNSZone(domain: zone.domain, services: [service])
        let answer = zone.answer(try #require(DNSName("pay.shop.svc.cluster.local")), type: DNSType.a)
        #expect(answer.answers.map(\.content) == [.cname(try #require(DNSName("api.example.com")))])
    }

    @Test("an alias of an alias leads to the end, and a circle of them ends")
    func aliases() throws {
        func alias(_ name: String, to target: String) -> KubeObject {
            var service = Fixture.service(name, clusterIP: "", ports: [], type: "ExternalName")
            service.value["spec"]?["externalName"] = .string("\(target).shop.svc.cluster.local")
            return service
        }
        let web = Fixture.service("web", clusterIP: "10.96.0.50", ports: [["port": 80]])
        let services = [alias("a", to: "b"), alias("b", to: "web"), alias("x", to: "y"), alias("y", to: "x"), web]
        let zone = DNSZone(domain: zone.domain, services: services)
        let answer = zone.answer(try #require(DNSName("a.shop.svc.cluster.local")), type: DNSType.a)
        #expect(answer.summary == "b.shop.svc.cluster.local. web.shop.svc.cluster.local. 10.96.0.50")
        let circle = zone.answer(try #require(DNSName("x.shop.svc.cluster.local")), type: DNSType.a)
        #expect(circle.summary == "y.shop.svc.cluster.local. x.shop.svc.cluster.local.")
    }
}

extension DNSAnswer {
    /// The answer in one line: values of records, or why there are none and which zone says so.
    fileprivate var summary: String {
        guard answers.isEmpty else { return answers.map(\.content.summary).joined(separator: " ") }
        return (code == .nameError ? "NXDOMAIN " : "NODATA ") + authority.map(\.name.description).joined()
    }
}

extension DNSRecord.Content {
    fileprivate var summary: String {
        switch self {
        case .a(let address): address.description
        case .cname(let name), .ptr(let name), .ns(let name): name.description
        case .srv(_, let port, let target): "\(port) \(target)"
        case .soa(let zone): "SOA \(zone)"
        case .txt(let text): text
        }
    }
}
