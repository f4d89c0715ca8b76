import Glibc
import KubeModel
import Synchronization

/// Programs for the troubleshooting labs: each has one fault, and its log tells who reads it.
enum TroubledApp {
    enum Fault: String, Sendable {
        /// Listens, and answers every probe with an error.
        case broken
        /// Takes `LEAK_MB_PER_SECOND` (8) more memory each second.
        case leaking
        /// Ends with exit code 1 after `CRASH_AFTER_SECONDS` (3).
        case crashing
        /// Listens after `STARTUP_SECONDS` (20), and takes `LATENCY_MS` (1500) for each answer.
        case slow
    }

    static func run(_ fault: Fault, _ surroundings: Surroundings) -> Never {
        let service = WebService(name: "velocitytech/\(fault)-app", surroundings: surroundings)
        StopSignal.install()
        var latency: Int32 = 0
        switch fault {
        case .broken:
            service.log("error", [("event", "PAYMENT_API_URL is wrong: every request will fail")])
        case .leaking: leak(service)
        case .crashing: crash(service)
        case .slow:
            let seconds = surroundings.number("STARTUP_SECONDS", 20, in: 0...600)
            latency = Int32(surroundings.number("LATENCY_MS", 1500, in: 0...60_000))
            service.log("info", [("event", "warming up"), ("seconds", .int(Int64(Int(seconds))))])
            if StopSignal.wait(milliseconds: Int32(seconds * 1000)) { exit(143) }
        }
        let wait = latency
        service.run(usualPort: 8080) { request in
            if wait == 0 { return .now(respond(fault, service, request)) }
            return .later {
                usleep(UInt32(wait) * 1000)
                return respond(fault, service, request)
            }
        }
    }

    private static func respond(_ fault: Fault, _ service: WebService, _ request: HTTPRequest) -> HTTPResponse {
        let about: JSONValue = [
            "status": .string(fault == .broken ? "error" : "healthy"), "service": .string("\(fault)-app"),
            "pod": .string(service.surroundings.pod),
        ]
        return HTTPResponse(fault == .broken ? 500 : 200, about)
    }

    /// Ends with what looks like a fault of the program's own, and is.
    private static func crash(_ service: WebService) -> Never {
        let seconds = service.surroundings.number("CRASH_AFTER_SECONDS", 3, in: 0...600)
        service.log("info", [("event", "starting")])
        if StopSignal.wait(milliseconds: Int32(seconds * 1000)) { exit(143) }
        service.log("error", [("event", "cannot read the file /config/payment.key: no such file or directory")])
        exit(1)
    }

    /// A thread that keeps whatever it is given.
    private static func leak(_ service: WebService) {
        let megabytes = Int(service.surroundings.number("LEAK_MB_PER_SECOND", 8, in: 1...1024))
        WorkerThreads.start {
            var kept: [[UInt8]] = []
            while true {
                // Written to, or the system would not count it.
                kept.append([UInt8](repeating: UInt8(kept.count & 0xFF) | 1, count: megabytes << 20))
                service.log("info", [("event", "cached"), ("megabytes", .int(Int64(kept.count * megabytes)))])
                sleep(1)
            }
        }
    }
}
