import Glibc
import KubeModel

/// What all services of the course have in common: where they run, their log, how they start and stop.
struct WebService: Sendable {
    let name: String
    let surroundings: Surroundings

    /// Listens, serves until SIGTERM, and ends the program.
    ///
    /// - Parameters:
    ///   - usualPort: Where PORT says nothing.
    ///   - onStop: Called once when the signal has come.
    func run(usualPort: UInt16, onStop: () -> Void = {}, _ answer: (HTTPRequest) -> HTTPAnswer) -> Never {
        StopSignal.install()
        let port = surroundings.port(usualPort)
        do {
            let server = try HTTPServer(port: port, threads: 8)
            log("info", [("event", "listening"), ("port", .int(Int64(server.port)))])
            server.serve(answer, log: { logRequest($0, $1, milliseconds: $2) }) {
                log("info", [("event", "stopping")])
                onStop()
            }
            log("info", [("event", "stopped")])
            exit(0)
        } catch {
            Workloads.fail("\(name) cannot listen on port \(port): \(error.reason).", code: 71)
        }
    }

    private static let levels = ["debug", "info", "warn", "error"]

    private func logRequest(_ request: HTTPRequest, _ response: HTTPResponse, milliseconds: Int) {
        let level = response.status >= 500 ? "error" : response.status >= 400 ? "warn" : "info"
        log(
            level,
            [
                ("method", .string(request.method)), ("path", .string(request.path)),
                ("status", .int(Int64(response.status))), ("ms", .int(Int64(milliseconds))),
                ("remote", .string(request.remoteAddress)),
            ])
    }

    /// One JSON line on standard output, unless LOG_LEVEL asks for less.
    func log(_ level: String, _ members: [(String, JSONValue)]) {
        let least = Self.levels.firstIndex(of: surroundings["LOG_LEVEL"]?.lowercased() ?? "info") ?? 1
        guard Self.levels.firstIndex(of: level) ?? 1 >= least else { return }
        let head: [(String, JSONValue)] = [("time", .string(Moment.now)), ("level", .string(level))]
        let tail: [(String, JSONValue)] = [
            ("pod", .string(surroundings.pod)), ("version", .string(surroundings.version)),
        ]
        let line = JSONValue.object(JSONObject(head + members + tail)).text + "\n"
        // One call a line, so that threads do not mix theirs.
        let bytes = Array(line.utf8)
        _ = write(STDOUT_FILENO, bytes, bytes.count)
    }
}
