import ContainerRuntime
import Foundation
import Testing

/// Which programs of the host the images find.
enum Installed {
    static let postgres = has("postgres")
    static let redis = has("redis")

    private static func has(_ name: String) -> Bool {
        ImageCatalog.ofThisProgram().entries.contains { $0.repository == name && $0.missing == nil }
    }
}

@Suite(
    "The stack of week 6", .timeLimit(.minutes(3)),
    .enabled(if: RuntimeProbe.run().level == .sandbox, "this machine denies namespaces"),
    .enabled(if: Program.kubectl != nil, "kubectl is not installed"),
    .enabled(if: Installed.postgres, "PostgreSQL is not installed"))
struct StackTests {
    private static let example =
        #"{"amount": 99.99, "cardNumber": "4111111111111111", "expiryDate": "12/25", "cvv": "123"}"#

    private func kubectl(_ program: Program, _ line: String) async throws -> String {
        let result = try await program.kubectl(line.split(separator: " ").map(String.init))
        #expect(result.code == 0, "\(line): \(result.errors)")
        return result.output
    }

    private func pay(_ url: String, _ program: Program) async throws -> String {
        try await program.start(
            "/usr/bin/curl", ["-s", "-X", "POST", url + "/api/payments/process", "-d", Self.example]
        ).output
    }

    @Test(
        "takes a payment into the table, survives the deletion of any pod, and is rolled under load without a failure")
    func wholeStack() async throws {
        try await Program.inNewHome { program async throws in
            let up = try await program.run("cluster", "up", "--pace", "instant", "--time-factor", "10", "--port", "0")
            #expect(up.code == 0, "\(up.errors)")
            try program.write("gateway.yaml", StackManifests.gateway)
            try program.write("postgres.yaml", StackManifests.postgres)
            _ = try await kubectl(program, "create namespace velocitytech")
            _ = try await kubectl(program, "apply -f gateway.yaml -f postgres.yaml")
            let gateway = "rollout status deployment/payment-gateway-deployment -n velocitytech --timeout=60s"
            let postgres = "rollout status deployment/postgres-deployment -n velocitytech --timeout=60s"
            _ = try await kubectl(program, gateway)
            _ = try await kubectl(program, postgres)
            let found = try await program.run(
                "minikube", "service", "payment-gateway-external", "--url", "-n", "velocitytech")
            #expect(found.code == 0, "\(found.errors)")
            let url = found.output.trimmingCharacters(in: .whitespacesAndNewlines)

            let answer = try await pay(url, program)
            #expect(answer.hasPrefix(#"{"status":"approved","paymentId":"pay_"#), "\(answer)")
            let table = try await program.kubectl([
                "exec", "-n", "velocitytech", "deployment/postgres-deployment", "--", "psql", "-U", "prod_user", "-d",
                "payment_prod", "-At", "-c", "select amount, currency, card_last4, status from payments",
            ])
            #expect(table.output == "99.99|EUR|1111|approved\n", "\(table.errors)")

            // Rolled to another version while 200 requests come each second, each on a connection of its own.
            let sign = program.home + "/load-is-on"
            async let load = LoadReport.run(
                url + "/version", rate: 200, seconds: 6, ["--sign", sign], in: program)
            while access(sign, F_OK) != 0 { await Task.yield() }
            _ = try await kubectl(
                program,
                "set image -n velocitytech deployment/payment-gateway-deployment payment-gateway=velocitytech/payment-gateway:2.0"
            )
            _ = try await kubectl(program, gateway)
            let report = try await load
            #expect(report.requests == 1200)
            #expect(report.failed == 0, "\(report.failures)")
            #expect(report.versions.keys.contains("1.0") && report.versions.keys.contains("2.0"), "\(report.versions)")

            // One pod of each kind goes; the database's disk goes with it, and the table is made again.
            let pods = try await kubectl(program, "get pods -n velocitytech -l app=payment-gateway -o name")
            let first = try #require(pods.split(separator: "\n").first)
            _ = try await kubectl(program, "delete -n velocitytech \(first)")
            _ = try await kubectl(program, "delete pod -n velocitytech -l app=postgres")
            _ = try await kubectl(program, gateway)
            _ = try await kubectl(program, postgres)
            let second = try await pay(url, program)
            #expect(second.contains("\"receipt\":\"VelocityTech charged 99.99 EUR\""), "\(second)")
        }
    }

    @Test("PostgreSQL lets in by scram, md5 and trust, runs the scripts it is given, and says what it misses")
    func databases() async throws {
        try await Program.inNewHome { program async throws in
            let up = try await program.run("cluster", "up", "--pace", "instant", "--time-factor", "10", "--port", "0")
            #expect(up.code == 0, "\(up.errors)")
            let all = [
                StackManifests.scripts, StackManifests.pair("scram", method: nil, password: "secret"),
                StackManifests.pair("md5", method: "md5", password: "it's secret"),
                StackManifests.pair("trust", method: "trust", password: ""),
            ]
            try program.write("all.yaml", all.joined(separator: "\n---\n"))
            _ = try await kubectl(program, "apply -f all.yaml")
            _ = try await kubectl(program, "run poor --image=postgres:15 --restart=Never")
            _ = try await kubectl(
                program, "wait pod/gateway-scram pod/gateway-md5 pod/gateway-trust --for=condition=Ready --timeout=60s")
            let comment = try await program.kubectl([
                "exec", "db-md5", "--", "psql", "-U", "postgres", "-Atc",
                "select shobj_description(oid, 'pg_database') from pg_database where datname = 'ledger'",
            ])
            #expect(comment.output == "made by a script\n", "\(comment.errors)")
            _ = try await kubectl(program, "wait pod/poor --for=jsonpath={.status.phase}=Failed --timeout=30s")
            #expect(try await kubectl(program, "logs poor").contains("superuser password is not specified"))
        }
    }

    @Test(
        "a payment that is sent twice with one Idempotency-Key is taken once, where there is a Redis",
        .enabled(if: Installed.redis, "Redis is not installed"))
    func idempotency() async throws {
        try await Program.inNewHome { program async throws in
            let up = try await program.run("cluster", "up", "--pace", "instant", "--time-factor", "10", "--port", "0")
            #expect(up.code == 0, "\(up.errors)")
            try program.write("gateway.yaml", StackManifests.gateway)
            try program.write("postgres.yaml", StackManifests.postgres)
            _ = try await kubectl(program, "create namespace velocitytech")
            _ = try await kubectl(program, "create deployment redis --image=redis:7-alpine -n velocitytech")
            _ = try await kubectl(
                program, "expose deployment redis --name=redis-service --port=6379 -n velocitytech")
            _ = try await kubectl(program, "apply -f gateway.yaml -f postgres.yaml")
            for name in ["redis", "postgres-deployment", "payment-gateway-deployment"] {
                _ = try await kubectl(program, "rollout status deployment/\(name) -n velocitytech --timeout=60s")
            }
            let url = try await program.run(
                "minikube", "service", "payment-gateway-external", "--url", "-n", "velocitytech"
            ).output.trimmingCharacters(in: .whitespacesAndNewlines)
            for _ in 0..<2 {
                _ = try await program.start(
                    "/usr/bin/curl",
                    ["-s", "-H", "Idempotency-Key: one", url + "/api/payments/process", "-d", Self.example])
            }
            let list = try await program.start("/usr/bin/curl", ["-s", url + "/api/payments"]).output
            #expect(list.hasPrefix(#"{"count":1,"#), "\(list)")
        }
    }
}
