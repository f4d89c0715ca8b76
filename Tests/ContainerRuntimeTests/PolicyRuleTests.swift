import ContainerRuntime
import Glibc
import KubeClient
import Testing

@Suite(
    "Policy rules in force", .serialized, .timeLimit(.minutes(5)),
    .enabled(if: RuntimeProbe.run().level == .sandbox, "this machine denies namespaces, so there are no rules to test")
)
struct PolicyRuleTests {
    private static let (a, b, c) = (NetworkBed.address("a"), NetworkBed.address("b"), NetworkBed.address("c"))

    private func isolate(
        _ pod: IPv4Address, _ direction: PolicyRules.Direction, _ allowed: PolicyRules.Allowance...
    ) -> PolicyRules { PolicyRules(isolations: [.init(pod: pod, direction: direction, allowed: allowed)]) }

    private func tcp(_ first: UInt16, _ last: UInt16) -> PolicyRules.Ports {
        PolicyRules.Ports(transport: 6, numbers: first...last)
    }

    @Test("a pod that is isolated hears nobody but those who are allowed, itself and the node")
    func ingress() async throws {
        try await NetworkBed.run(pods: ["a", "b", "c"]) { bed in
            #expect(try await bed.isReached(from: "a", Self.b))
            try await bed.runtime.apply(isolate(Self.b, .ingress))
            #expect(try await !bed.isReached(from: "a", Self.b))
            #expect(try await bed.isReached(from: "b", Self.b))
            #expect(try await bed.isReached(from: "b", Self.a))
            let socket = try await bed.runtime.connect(
                address: Self.b.description, port: 80, insidePod: nil, timeout: .seconds(2))
            #expect(try await bed.answer(over: socket) == "b")
            try await bed.runtime.apply(isolate(Self.b, .ingress, .init(peer: .pods([Self.a]))))
            #expect(try await bed.isReached(from: "a", Self.b))
            #expect(try await !bed.isReached(from: "c", Self.b))
            try await bed.runtime.apply(PolicyRules())
            #expect(try await bed.isReached(from: "c", Self.b))
        }
    }

    @Test("a pod that is isolated on its way out gets answers to what it may ask, and can be asked by all")
    func egress() async throws {
        try await NetworkBed.run(pods: ["a", "b", "c"]) { bed in
            try await bed.runtime.apply(isolate(Self.a, .egress, .init(peer: .pods([Self.b]), ports: tcp(80, 80))))
            #expect(try await bed.ask(from: "a", Self.b.description) == "b")
            #expect(try await !bed.isReached(from: "a", Self.c))
            #expect(try await bed.ask(from: "c", Self.a.description) == "a")
            // The port counts, too: nobody is at 81, which a pod that may ask would be told.
            #expect(try await !bed.isReached(from: "a", Self.b, 81))
            try await bed.runtime.apply(isolate(Self.a, .egress, .init(peer: .anybody, ports: tcp(80, 90))))
            await #expect(throws: ConnectError.refused) { try await bed.isReached(from: "a", Self.b, 81) }
            #expect(try await !bed.isReached(from: "a", Self.b, 91))
        }
    }

    @Test("networks with exceptions are told apart")
    func blocks() async throws {
        try await NetworkBed.run(pods: ["a", "b", "c"]) { bed in
            let block = try #require(PolicyRules.Block(parsing: "10.244.0.0/16"))
            let except = try #require(PolicyRules.Block(parsing: "\(Self.c)/32"))
            try await bed.runtime.apply(isolate(Self.b, .ingress, .init(peer: .block(block, except: [except]))))
            #expect(try await bed.isReached(from: "a", Self.b))
            #expect(try await !bed.isReached(from: "c", Self.b))
            let other = try #require(PolicyRules.Block(parsing: "192.168.0.0/16"))
            try await bed.runtime.apply(isolate(Self.b, .ingress, .init(peer: .block(other, except: []))))
            #expect(try await !bed.isReached(from: "a", Self.b))
        }
    }

    @Test("a policy judges the pod behind a Service, and a connection that stands goes on")
    func services() async throws {
        try await NetworkBed.run(pods: ["a", "b"]) { bed in
            try await bed.runtime.apply([
                ServiceRule(
                    address: "10.96.0.50", port: 8080, transport: .tcp,
                    backends: [.init(address: Self.b.description, port: 80)])
            ])
            let socket = try await bed.runtime.connect(
                address: "10.96.0.50", port: 8080, insidePod: "a", timeout: .seconds(2))
            try await bed.runtime.apply(isolate(Self.b, .ingress, .init(peer: .anybody, ports: tcp(8080, 8080))))
            #expect(try await !bed.isReached(from: "a", IPv4Address(10, 96, 0, 50), 8080))
            #expect(try await bed.answer(over: socket) == "b")
            try await bed.runtime.apply(isolate(Self.b, .ingress, .init(peer: .anybody, ports: tcp(80, 80))))
            #expect(try await bed.ask(from: "a", "10.96.0.50", 8080) == "b")
        }
    }

    @Test("an address in the host process is judged like a pod where it is named, and passes otherwise")
    func locals() async throws {
        let dns = IPv4Address(10, 96, 0, 10)
        try await NetworkBed.run(pods: ["a", "b"]) { bed in
            let socket = try await bed.runtime.listen(.tcp, address: dns.description, port: 53)
            defer { close(socket) }
            var rules = isolate(Self.a, .egress, .init(peer: .pods([Self.b])))
            #expect(try await bed.isReached(from: "a", dns, 53))
            rules.locals = [dns]
            try await bed.runtime.apply(rules)
            #expect(try await !bed.isReached(from: "a", dns, 53))
            #expect(try await bed.isReached(from: "b", dns, 53))
            rules.isolations[0].allowed.append(.init(peer: .pods([dns]), ports: tcp(53, 53)))
            try await bed.runtime.apply(rules)
            #expect(try await bed.isReached(from: "a", dns, 53))
        }
    }

    @Test("what stands for a pod in the host process is judged by its own address")
    func resident() async throws {
        let controller = IPv4Address(10, 244, 255, 2)
        try await NetworkBed.run(pods: ["a"]) { bed in
            func isReached() async throws -> Bool {
                do throws(ConnectError) {
                    let socket = try await bed.runtime.connect(
                        address: Self.a.description, port: 80, from: controller.description, timeout: .milliseconds(150)
                    )
                    close(socket)
                    return true
                } catch {
                    guard error == .timedOut else { throw error }
                    return false
                }
            }
            var rules = isolate(Self.a, .ingress)
            rules.locals = [controller]
            #expect(try await isReached())
            try await bed.runtime.apply(rules)
            #expect(try await !isReached())
            rules.isolations[0].allowed = [.init(peer: .pods([controller]))]
            try await bed.runtime.apply(rules)
            #expect(try await isReached())
        }
    }
}
