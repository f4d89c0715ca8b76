import Glibc

/// VelocityTech's payment gateway: health, readiness, and who answered.
///
/// Environment: `PORT` (3000), `NODE_ENV`, `DB_HOST`, `REDIS_URL`; the pod's name is the host name. One JSON line a request goes to
/// standard output. SIGTERM ends it once the requests in hand are answered.
enum PaymentGateway {
    static func run(environment: [String: String]) -> Never {
        guard let port = UInt16(environment["PORT"] ?? "3000"), port > 0 else {
            Workloads.complain("PORT is '\(environment["PORT"] ?? "")', which is not a port.\nhint: Use 1 to 65535.\n")
            exit(78)
        }
        let service = Service(environment: environment)
        do {
            let server = try HTTPServer(port: port)
            service.log(["event": "listening", "port": "\(port)", "version": service.version])
            server.serve(service.answer)
            service.log(["event": "stopped"])
            exit(0)
        } catch {
            Workloads.complain("The payment gateway cannot listen on port \(port): \(error.reason).\n")
            exit(71)
        }
    }

    struct Service {
        let pod: String
        let version: String
        let settings: [(String, String)]

        init(environment: [String: String]) {
            pod = environment["HOSTNAME"] ?? hostName()
            version = environment["APP_VERSION"] ?? "1.0"
            // Only names without secrets: passwords and keys stay where they are.
            settings = ["NODE_ENV", "DB_HOST", "DB_PORT", "DB_NAME", "REDIS_URL", "LOG_LEVEL"].compactMap { name in
                environment[name].map { (name, $0) }
            }
        }

        func answer(_ request: HTTPRequest) -> HTTPResponse {
            let response = route(request)
            log([
                "method": request.method, "path": request.path, "status": "\(response.status)",
                "remote": request.remoteAddress,
            ])
            return response
        }

        private func route(_ request: HTTPRequest) -> HTTPResponse {
            let isRead = request.method == "GET" || request.method == "HEAD"
            switch request.path.prefix(while: { $0 != "?" }) {
            case "/health" where isRead:
                return .json(200, [("status", "healthy"), ("timestamp", now()), ("pod", pod), ("version", version)])
            case "/ready" where isRead:
                return .json(200, [("status", "ready"), ("timestamp", now()), ("pod", pod)])
            case "/" where isRead:
                return .json(200, [("service", "payment-gateway"), ("version", version), ("pod", pod)] + settings)
            case "/health", "/ready", "/":
                return .json(405, [("error", "use GET")])
            default:
                return .json(404, [("error", "there is no \(request.path) here")])
            }
        }

        func log(_ fields: KeyValuePairs<String, String>) {
            print(JSONText.object([("time", now())] + fields.map { ($0.key, $0.value) } + [("pod", pod)]))
            fflush(nil)
        }
    }

    /// The present moment, RFC 3339 with milliseconds.
    private static func now() -> String {
        var moment = timespec()
        clock_gettime(CLOCK_REALTIME, &moment)
        var parts = tm()
        gmtime_r(&moment.tv_sec, &parts)
        var buffer = [CChar](repeating: 0, count: 32)
        strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%S", &parts)
        let milliseconds = String(moment.tv_nsec / 1_000_000)
        let padding = String(repeating: "0", count: 3 - milliseconds.count)
        let seconds = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return "\(seconds).\(padding)\(milliseconds)Z"
    }

    private static func hostName() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        gethostname(&buffer, buffer.count - 1)
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// Flat JSON objects of strings.
enum JSONText {
    static func object(_ members: [(String, String)]) -> String {
        "{" + members.map { "\(string($0.0)):\(string($0.1))" }.joined(separator: ",") + "}"
    }

    private static func string(_ text: String) -> String {
        var escaped = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": escaped += "\\\""
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                escaped += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped + "\""
    }
}
