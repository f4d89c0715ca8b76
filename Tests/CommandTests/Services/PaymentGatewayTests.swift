import Foundation
import LabTesting
import Testing

@Suite("The payment gateway", .timeLimit(.minutes(5))) struct PaymentGatewayTests {
    private static func payment(_ changes: [String: String] = [:], without field: String? = nil) -> String {
        var fields = [
            "amount": "99.99", "cardNumber": "\"4111 1111 1111 1111\"", "expiryDate": "\"12/40\"", "cvv": "\"123\"",
        ].merging(changes) { $1 }
        if let field { fields[field] = nil }
        return "{" + fields.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ")
            + "}"
    }

    @Test("each field that is wrong is named with what it should be")
    func faults() async throws {
        let cases: [(String, String)] = [
            (Self.payment(without: "amount"), "amount is missing"),
            (Self.payment(["amount": "\"99.99\""]), "amount is a number with at most two decimals"),
            (Self.payment(["amount": "0.00"]), "amount must be more than 0"),
            (Self.payment(["amount": "-5"]), "amount must be more than 0"),
            (Self.payment(["amount": "1.999"]), "amount has more than two decimals"),
            (Self.payment(["amount": "1e9"]), "amount must be less than 1000000"),
            (Self.payment(["amount": "1000000"]), "amount must be less than 1000000"),
            (Self.payment(["currency": "\"XYZ\""]), "currency is one of EUR, USD"),
            (Self.payment(["cardNumber": "\"4111111111111112\""]), "its checksum is wrong"),
            (Self.payment(["cardNumber": "4111111111111111"]), "cardNumber is a string of digits"),
            (Self.payment(["cardNumber": "\"4111\""]), "cardNumber has 12 to 19 digits"),
            (Self.payment(["expiryDate": "\"13/40\""]), "expiryDate is MM/YY"),
            (Self.payment(["expiryDate": "\"01/20\""]), "the card expired in 01/20"),
            (
                Self.payment(["cardNumber": "\"4012888888881881\"", "expiryDate": "\"12/25\""]),
                "the card expired in 12/25"
            ),
            (Self.payment(["cvv": "\"12\""]), "cvv is a string of 3 digits"),
            (Self.payment(["cvv": "123"]), "cvv is a string of 3 digits"),
            (Self.payment(["cardNumber": "\"378282246310005\""]), "cvv is a string of 4 digits"),
            ("[]", "the body is an object"), ("", "unexpected end of JSON input at byte 0"),
            ("{\"amount\": 9,}", "looking for beginning of object key string at byte 13"),
            ("{\"a\": 01}", "invalid number: leading zero at byte 8"),
            (String(repeating: "[", count: 100_000), "exceeded max depth of 32"),
            ("{} {}", "unexpected text after the value"),
        ]
        try await ServiceProcess.run("payment-gateway") { service async throws in
            for (body, message) in cases {
                let answer = try await service.ask("/api/payments/process", post: body)
                #expect(answer.status == 400, "\(body.prefix(80)): \(answer.body)")
                #expect(answer.body.contains(message), "\(body.prefix(80)): \(answer.body)")
                _ = try JSONSerialization.jsonObject(with: Data(answer.body.utf8))
            }
            let large = try await service.ask("/api/payments/process", post: String(repeating: " ", count: 1_100_000))
            #expect(large.status == 413)
        }
    }

    @Test("without a database it is healthy, and says to each payment why it is not taken")
    func withoutDatabase() async throws {
        try await ServiceProcess.run("payment-gateway") { service async throws in
            #expect(try await service.ask("/health").body.hasPrefix(#"{"status":"healthy","timestamp":""#))
            #expect(try await service.ask("/ready").status == 200)
            // The course's own example, whose date is in the past by now.
            let example = Self.payment(["cardNumber": "\"4111111111111111\"", "expiryDate": "\"12/25\""])
            let answer = try await service.ask("/api/payments/process", post: example)
            #expect(answer.status == 503)
            #expect(answer.body.contains("there is no database: DB_HOST is not set"))
            #expect(try await service.ask("/api/payments/process").status == 405)
            #expect(try await service.ask("/nosuch").body.contains("there is no /nosuch here"))
        }
    }

    @Test("a database that is away is named; /ready minds it when DB_REQUIRED is set", arguments: [false, true])
    func deadDatabase(isRequired: Bool) async throws {
        let unheard = try UnheardPort()
        var variables = ["DB_HOST": "127.0.0.1", "DB_PORT": "\(unheard.number)", "REDIS_URL": "redis://127.0.0.1:1"]
        if isRequired { variables["DB_REQUIRED"] = "true" }
        try await ServiceProcess.run("payment-gateway", variables) { service async throws in
            let answer = try await service.ask("/api/payments/process", post: Self.payment())
            #expect(answer.status == 503)
            #expect(answer.body.contains("\"error\":\"the database is unreachable\""))
            #expect(answer.body.contains("connection refused"))
            #expect(try await service.ask("/ready").status == (isRequired ? 503 : 200))
            #expect(try await service.ask("/health").status == 200)
        }
        _ = unheard.number
    }

    @Test("asked to stop, it answers whoever still comes, and then ends with 0", arguments: [false, true])
    func stops(keepsAlive: Bool) async throws {
        try await ServiceProcess.run("payment-gateway") { service async throws in
            async let report =
                keepsAlive
                ? service.load("/health", rate: 200, seconds: 1, "--keep-alive")
                : service.load("/health", rate: 200, seconds: 1)
            await service.firstAnswer()
            kill(service.process.identifier, SIGTERM)
            let counted = try await report
            #expect(counted.requests == 200)
            #expect(counted.failed == 0, "\(counted.failures)")
            let end = await service.process.end()
            #expect(end.code == 0 && !end.isSignal)
        }
    }

    @Test("versions differ in what they say")
    func versions() async throws {
        try await ServiceProcess.run("payment-gateway", ["APP_VERSION": "2.0"]) { service async throws in
            #expect(try await service.ask("/version").body.contains(#""version":"2.0""#))
        }
    }

    @Test(
        "settings that cannot be are refused with their name",
        arguments: [
            (["PORT": "http"], "PORT is 'http', which is not a port."),
            (["DATABASE_URL": "mysql://x"], "DATABASE_URL is 'mysql://x'"),
            (["REDIS_URL": "http://redis"], "REDIS_URL is 'http://redis'"),
            (["TIMEOUT_MS": "soon"], "TIMEOUT_MS is 'soon'"),
        ])
    func badSettings(variables: [String: String], message: String) async throws {
        try await Program.inNewHome { program async throws in
            let result = try await program.start(ServiceProcess.executable, ["payment-gateway"], variables: variables)
            #expect(result.code == 78)
            #expect(result.errors.contains(message))
        }
    }
}
