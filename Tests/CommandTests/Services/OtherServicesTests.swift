import Foundation
import LabTesting
import Testing

@Suite("The course's other services", .timeLimit(.minutes(5))) struct OtherServicesTests {
    @Test("the orders service has Spring Boot's groups of health, and version 2 tells an order's status")
    func orders() async throws {
        try await ServiceProcess.run("orders-service", ["STARTUP_SECONDS": "0.1", "APP_VERSION": "2.0"]) {
            service async throws in
            #expect(
                try await service.ask("/actuator/health").body == #"{"status":"UP","groups":["liveness","readiness"]}"#)
            #expect(try await service.ask("/actuator/health/liveness").body == #"{"status":"UP"}"#)
            #expect(try await service.ask("/actuator/health/readiness").body == #"{"status":"UP"}"#)
            let order = try await service.ask("/orders", post: #"{"item": "pen", "quantity": 2}"#)
            #expect(order.status == 201 && order.body == #"{"id":3,"item":"pen","quantity":2,"status":"NEW"}"#)
            #expect(try await service.ask("/orders", post: #"{"item": ""}"#).status == 400)
            #expect(try await service.ask("/orders").body.contains(#""item":"pen""#))
        }
    }

    @Test("the sample API works as long as it is asked to, and is not ready without the database that it requires")
    func api() async throws {
        try await ServiceProcess.run("sample-api", ["DATABASE_URL": "postgresql://127.0.0.1:1/myapp"]) {
            service async throws in
            #expect(try await service.ask("/ready").status == 200)
            #expect(try await service.ask("/work?ms=20").body.contains("worked 20 ms"))
            #expect(try await service.ask("/work?ms=x").status == 400)
            #expect(try await service.ask("/burn?seconds=1").status == 202)
        }
        let variables = ["DATABASE_URL": "postgresql://127.0.0.1:1/myapp", "DB_REQUIRED": "1"]
        try await ServiceProcess.run("sample-api", variables) { service async throws in
            let answer = try await service.ask("/ready")
            #expect(answer.status == 503 && answer.body.contains("the database is unreachable"))
        }
    }

    @Test("the troubled ones have the trouble that they are named for")
    func trouble() async throws {
        try await ServiceProcess.run("broken-app") { service async throws in
            #expect(try await service.ask("/health").status == 500)
        }
        try await ServiceProcess.run("slow-app", ["STARTUP_SECONDS": "0", "LATENCY_MS": "10"]) { service async throws in
            #expect(try await service.ask("/health").status == 200)
        }
        try await Program.inNewHome { program async throws in
            let crashed = try await program.start(
                ServiceProcess.executable, ["crashing-app"], variables: ["CRASH_AFTER_SECONDS": "0"])
            #expect(crashed.code == 1 && crashed.output.contains("cannot read the file /config/payment.key"))
            let greeting = try await program.start(ServiceProcess.executable, ["hello-world"])
            #expect(greeting.code == 0 && greeting.output.contains("Hello from VelocityLab!"))
            let unknown = try await program.start(ServiceProcess.executable, ["nosuch"])
            #expect(unknown.code == 64 && unknown.errors.contains("There is no workload 'nosuch'."))
        }
    }
}
