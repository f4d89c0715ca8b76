import Glibc
import KubeModel
import Synchronization

/// The course's sample API, `myapi`: healthy, ready, and busy on demand, so that an autoscaler has something to see.
///
/// Environment: `PORT` (3000), `DATABASE_URL`, `DB_PASSWORD`, `DB_REQUIRED` (then `/ready` reflects the database), `LOG_LEVEL`.
final class SampleAPI: Sendable {
    static func run(_ surroundings: Surroundings) -> Never {
        let service = WebService(name: "The API", surroundings: surroundings)
        let api = SampleAPI(service)
        service.run(usualPort: 3000, onStop: { api.isStopping.store(true, ordering: .relaxed) }, api.answer)
    }

    private let service: WebService
    private let database: Database?
    private let isStopping = Atomic(false)
    private let burning = Atomic(0)
    private var surroundings: Surroundings { service.surroundings }

    private init(_ service: WebService) {
        self.service = service
        database = DatabaseAddress(service.surroundings, name: "myapp", user: "postgres", application: "myapi").map {
            Database($0, patienceMilliseconds: 2000)
        }
    }

    private func answer(_ request: HTTPRequest) -> HTTPAnswer {
        guard request.isRead else { return .now(.wrongMethod("GET")) }
        switch request.path {
        case "/health": return .now(HTTPResponse(200, about("healthy")))
        case "/ready": return readiness()
        case "/version", "/": return .now(HTTPResponse(200, about("ok")))
        case "/work":
            let milliseconds = request.query["ms"].map { Int($0) ?? 0 } ?? 50
            guard 1...10_000 ~= milliseconds else { return .now(bad("ms is a number from 1 to 10000")) }
            return .later { [self] in
                Self.burn(milliseconds: milliseconds)
                return HTTPResponse(200, about("worked \(milliseconds) ms"))
            }
        case "/burn":
            let seconds = request.query["seconds"].map { Int($0) ?? 0 } ?? 30
            guard 1...600 ~= seconds else { return .now(bad("seconds is a number from 1 to 600")) }
            guard burning.load(ordering: .relaxed) < 4 else { return .now(bad("it burns four times already")) }
            burning.add(1, ordering: .relaxed)
            WorkerThreads.start { [self] in
                Self.burn(milliseconds: seconds * 1000)
                burning.subtract(1, ordering: .relaxed)
            }
            return .now(HTTPResponse(202, about("burns a processor for \(seconds) s")))
        default: return .now(.notFound(request))
        }
    }

    private func about(_ status: String) -> JSONValue {
        [
            "status": .string(status), "timestamp": .string(Moment.now), "service": "myapi",
            "version": .string(surroundings.version), "pod": .string(surroundings.pod),
        ]
    }

    private func bad(_ sentence: String) -> HTTPResponse { HTTPResponse(400, ["error": .string(sentence)]) }

    private func readiness() -> HTTPAnswer {
        if isStopping.load(ordering: .relaxed) { return .now(HTTPResponse(503, about("stopping"))) }
        guard surroundings.isOn("DB_REQUIRED") else { return .now(HTTPResponse(200, about("ready"))) }
        guard let database else { return .now(HTTPResponse(503, about("DB_REQUIRED is set, but DATABASE_URL is not"))) }
        return .later { [self] in
            do throws(PostgresConnection.Failure) {
                _ = try database.query("SELECT 1")
                return HTTPResponse(200, about("ready"))
            } catch { return HTTPResponse(503, about("the database is unreachable: \(error.sentence)")) }
        }
    }

    /// Keeps one processor busy.
    private static func burn(milliseconds: Int) {
        let end = Moment.steady + milliseconds
        var value: UInt64 = 1
        repeat {
            for _ in 0..<10_000 { value = value &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407 }
        } while Moment.steady < end && value != 0
    }
}
