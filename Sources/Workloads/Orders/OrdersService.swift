import Glibc
import KubeModel
import Synchronization

/// The orders service of the course's Spring Boot example: it takes its time to start, and tells Kubernetes how it is under
/// `/actuator/health`, with the groups `liveness` and `readiness`.
///
/// Environment: `PORT` (8080), `STARTUP_SECONDS` (as long as the image's version takes), `SPRING_PROFILES_ACTIVE`, `LOG_LEVEL`.
/// Orders live in memory: each pod has its own.
final class OrdersService: Sendable {
    static func run(_ surroundings: Surroundings) -> Never {
        let service = WebService(name: "The orders service", surroundings: surroundings)
        let seconds = surroundings.number("STARTUP_SECONDS", 0, in: 0...600)
        StopSignal.install()
        service.log(
            "info",
            [
                ("event", "starting"), ("profile", .string(surroundings["SPRING_PROFILES_ACTIVE"] ?? "default")),
                ("startupSeconds", .int(Int64(seconds))),
            ])
        // Nothing listens meanwhile, as with the real thing.
        if StopSignal.wait(milliseconds: Int32(seconds * 1000)) { exit(143) }
        let orders = OrdersService(service)
        service.run(usualPort: 8080, onStop: { orders.isStopping.store(true, ordering: .relaxed) }, orders.answer)
    }

    private struct Order: Sendable {
        var id: Int
        var item: String
        var quantity: Int
        var status: String
    }

    private let service: WebService
    private let isStopping = Atomic(false)
    private let orders = Mutex([
        Order(id: 1, item: "card terminal", quantity: 3, status: "SHIPPED"),
        Order(id: 2, item: "receipt paper", quantity: 40, status: "NEW"),
    ])
    private var surroundings: Surroundings { service.surroundings }

    private init(_ service: WebService) { self.service = service }

    private func answer(_ request: HTTPRequest) -> HTTPAnswer {
        switch request.path {
        case "/orders" where request.method == "POST": return .now(add(request))
        case "/orders" where request.isRead: return .now(HTTPResponse(200, list))
        case "/orders": return .now(.wrongMethod("GET, POST"))
        default: break
        }
        guard request.isRead else { return .now(.wrongMethod("GET")) }
        switch request.path {
        case "/actuator/health":
            return .now(
                HTTPResponse(
                    isReady ? 200 : 503,
                    ["status": .string(isReady ? "UP" : "OUT_OF_SERVICE"), "groups": ["liveness", "readiness"]]))
        case "/actuator/health/liveness": return .now(HTTPResponse(200, ["status": "UP"]))
        case "/actuator/health/readiness":
            return .now(HTTPResponse(isReady ? 200 : 503, ["status": .string(isReady ? "UP" : "OUT_OF_SERVICE")]))
        case "/actuator/info", "/":
            return .now(HTTPResponse(200, ["app": ["name": "orders-service", "version": version], "pod": pod]))
        default: return .now(.notFound(request))
        }
    }

    private var isReady: Bool { !isStopping.load(ordering: .relaxed) }
    private var version: JSONValue { .string(surroundings.version) }
    private var pod: JSONValue { .string(surroundings.pod) }

    /// Version 2 says what an order's status is.
    private func describe(_ order: Order) -> JSONValue {
        var description: JSONValue = [
            "id": .int(Int64(order.id)), "item": .string(order.item), "quantity": .int(Int64(order.quantity)),
        ]
        if surroundings.version.hasPrefix("2") { description["status"] = .string(order.status) }
        return description
    }

    private var list: JSONValue {
        let all = orders.withLock { $0 }
        return ["orders": .array(all.map(describe)), "version": version, "pod": pod]
    }

    private func add(_ request: HTTPRequest) -> HTTPResponse {
        guard let body = try? JSONValue(parsing: request.body, depthMax: 32), let item = body["item"]?.string,
            !item.isEmpty,
            let quantity = (body["quantity"] ?? 1).int, 1...1000 ~= quantity
        else {
            return HTTPResponse(400, ["error": "an order is an object with an item (text) and a quantity (1 to 1000)"])
        }
        let order = orders.withLock { orders in
            let order = Order(id: orders.count + 1, item: item, quantity: quantity, status: "NEW")
            // Memory is not for ever: the oldest of very many go.
            if orders.count < 10_000 { orders.append(order) }
            return order
        }
        return HTTPResponse(201, describe(order))
    }
}
