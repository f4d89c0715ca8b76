import KubeModel
import Synchronization

/// VelocityTech's payment gateway: takes payments into the table `payments`, and says who answered.
///
/// Environment: `PORT` (3000), `DB_HOST`, `DB_PORT` (5432), `DB_NAME` (payment_prod), `DB_USER` (prod_user), `DB_PASSWORD`,
/// `DB_REQUIRED` (then `/ready` reflects the database), `REDIS_URL`, `TIMEOUT_MS`, `LOG_LEVEL`, `NODE_ENV`. Without a database it
/// runs, and says to each payment that it cannot take it.
struct PaymentGateway: Sendable {
    static func run(_ surroundings: Surroundings) -> Never {
        let service = WebService(name: "The payment gateway", surroundings: surroundings)
        let gateway = PaymentGateway(service)
        service.run(usualPort: 3000, onStop: { gateway.isStopping.set() }, gateway.answer)
    }

    private final class Flag: Sendable {
        private let value = Atomic(false)
        func set() { value.store(true, ordering: .relaxed) }
        var isSet: Bool { value.load(ordering: .relaxed) }
    }

    private let service: WebService
    private let ledger: PaymentLedger?
    private let cache: Redis?
    private let isStopping = Flag()
    private var surroundings: Surroundings { service.surroundings }

    private init(_ service: WebService) {
        self.service = service
        let surroundings = service.surroundings
        let patience = Int(surroundings.number("TIMEOUT_MS", 30_000, in: 1...600_000))
        let address = DatabaseAddress(
            surroundings, name: "payment_prod", user: "prod_user", application: "payment-gateway")
        // A probe waits three seconds at most; who asks for a payment is to hear of a dead database before that.
        ledger = address.map {
            PaymentLedger(
                database: Database($0, schema: PaymentLedger.schema, patienceMilliseconds: min(patience, 2000)))
        }
        cache = surroundings["REDIS_URL"].map { url in
            guard let cache = Redis(url: url) else {
                Workloads.fail("REDIS_URL is '\(url)', which is not redis://HOST:PORT.", code: 78)
            }
            return cache
        }
    }

    private func answer(_ request: HTTPRequest) -> HTTPAnswer {
        switch request.path {
        case "/health", "/ready", "/version", "/":
            guard request.isRead else { return .now(.wrongMethod("GET")) }
            switch request.path {
            case "/health": return .now(HTTPResponse(200, about("healthy")))
            case "/ready": return readiness()
            case "/version": return .now(HTTPResponse(200, version))
            default: return .now(HTTPResponse(200, settings))
            }
        case "/api/payments":
            guard request.isRead else { return .now(.wrongMethod("GET")) }
            return .later { list(request) }
        case "/api/payments/process":
            guard request.method == "POST" else { return .now(.wrongMethod("POST")) }
            return .later { process(request) }
        default: return .now(.notFound(request))
        }
    }

    // MARK: What it says of itself

    private func about(_ status: String) -> JSONValue {
        [
            "status": .string(status), "timestamp": .string(Moment.now), "pod": .string(surroundings.pod),
            "version": .string(surroundings.version),
        ]
    }

    /// What is new in each version that there is an image of.
    private static let changes = [
        "1.0": "takes card payments", "1.1": "refuses to charge twice for one Idempotency-Key",
        "2.0": "answers with a receipt",
    ]

    private var version: JSONValue {
        let version = surroundings.version
        return [
            "service": "payment-gateway", "version": .string(version), "pod": .string(surroundings.pod),
            "changes": .string(Self.changes[version] ?? "a version of your own"),
        ]
    }

    /// Only names without secrets: passwords and keys stay where they are.
    private var settings: JSONValue {
        let names = ["NODE_ENV", "DB_HOST", "DB_PORT", "DB_NAME", "REDIS_URL", "LOG_LEVEL"]
        var settings: JSONValue = [
            "service": "payment-gateway", "version": .string(surroundings.version), "pod": .string(surroundings.pod),
        ]
        for name in names { settings[name] = surroundings[name].map { .string($0) } }
        return settings
    }

    private func readiness() -> HTTPAnswer {
        if isStopping.isSet { return .now(HTTPResponse(503, about("stopping"))) }
        guard surroundings.isOn("DB_REQUIRED") else { return .now(HTTPResponse(200, about("ready"))) }
        guard let ledger else { return .now(HTTPResponse(503, trouble("DB_REQUIRED is set, but DB_HOST is not"))) }
        return .later {
            do throws(PostgresConnection.Failure) {
                try ledger.answers()
                return HTTPResponse(200, about("ready"))
            } catch { return refusal(error) }
        }
    }

    // MARK: Payments

    private func trouble(_ sentence: String, _ more: JSONObject = [:]) -> JSONValue {
        var trouble: JSONValue = ["status": "error", "error": .string(sentence)]
        for (name, value) in more { trouble[name] = value }
        trouble["pod"] = .string(surroundings.pod)
        return trouble
    }

    private func refusal(_ failure: PostgresConnection.Failure) -> HTTPResponse {
        let place = ledger?.database.address.description ?? ""
        switch failure {
        case .unreachable(let reason):
            service.log("error", [("event", "database unreachable"), ("reason", .string(reason))])
            return HTTPResponse(
                503,
                trouble("the database is unreachable", ["database": .string(place), "reason": .string(reason)]))
        case .refused(let state, let message):
            service.log("error", [("event", "database refused"), ("reason", .string(message))])
            // Class 28: the password; 3D: the database's name.
            let hint =
                state.hasPrefix("28")
                ? "set DB_USER and DB_PASSWORD as the database has them"
                : state.hasPrefix("3D") ? "set DB_NAME as the database has it" : "see the database's log"
            return HTTPResponse(
                503,
                trouble(
                    "the database refuses",
                    ["database": .string(place), "reason": .string(message), "hint": .string(hint)])
            )
        }
    }

    private func list(_ request: HTTPRequest) -> HTTPResponse {
        guard let ledger else { return HTTPResponse(503, trouble("there is no database: DB_HOST is not set")) }
        let limit = request.query["limit"].map { Int($0) ?? 0 } ?? 50
        guard 1...1000 ~= limit else { return HTTPResponse(400, trouble("limit is a number from 1 to 1000")) }
        do throws(PostgresConnection.Failure) { return HTTPResponse(200, try ledger.list(limit: limit)) } catch {
            return refusal(error)
        }
    }

    private func process(_ request: HTTPRequest) -> HTTPResponse {
        let body: JSONValue
        do throws(JSONError) { body = try JSONValue(parsing: request.body, depthMax: 32) } catch {
            return HTTPResponse(400, trouble("the body is not JSON: \(error)"))
        }
        guard case .object = body else {
            return HTTPResponse(400, trouble("the body is an object with amount, cardNumber, expiryDate and cvv"))
        }
        switch PaymentRequest.check(body, now: Moment.month) {
        case .failure(let faults):
            let details = faults.all.map { fault -> JSONValue in
                ["field": .string(fault.field), "message": .string(fault.message)]
            }
            return HTTPResponse(400, trouble("the payment is not valid", ["details": .array(details)]))
        case .success(let payment): return charge(payment, key: request.headers["idempotency-key"])
        }
    }

    private func charge(_ payment: PaymentRequest, key: String?) -> HTTPResponse {
        guard let ledger else { return HTTPResponse(503, trouble("there is no database: DB_HOST is not set")) }
        let (id, isNew) = claim(key)
        do throws(PostgresConnection.Failure) {
            try ledger.add(
                .init(id: id, request: payment, pod: surroundings.pod, version: surroundings.version))
        } catch { return refusal(error) }
        if isNew { _ = cache?.ask("INCR", "payments:processed") }
        return HTTPResponse(201, receipt(payment, id))
    }

    /// The id of the payment: with a key, the one that the first request with this key got, so that it is stored once.
    ///
    /// Redis keeps it for a day; without Redis, every request is a payment of its own.
    private func claim(_ key: String?) -> (id: String, isNew: Bool) {
        let id = PaymentLedger.newID()
        guard let key, !key.isEmpty, let cache,
            cache.ask("SET", "payments:key:\(key)", id, "NX", "EX", "86400") == Redis.Reply.none,
            case .text(let first) = cache.ask("GET", "payments:key:\(key)")
        else { return (id, true) }
        return (first, false)
    }

    private func receipt(_ payment: PaymentRequest, _ id: String) -> JSONValue {
        var receipt: JSONValue = [
            "status": "approved", "paymentId": .string(id), "amount": .double(Double(payment.amount) ?? 0),
            "currency": .string(payment.currency), "card": .string("\(payment.brand) **** \(payment.lastFour)"),
            "timestamp": .string(Moment.now), "pod": .string(surroundings.pod),
            "version": .string(surroundings.version),
        ]
        if surroundings.version.hasPrefix("2") {
            receipt["receipt"] = .string("VelocityTech charged \(payment.amount) \(payment.currency)")
        }
        receipt["remark"] = payment.remark.map { .string($0) }
        return receipt
    }
}
