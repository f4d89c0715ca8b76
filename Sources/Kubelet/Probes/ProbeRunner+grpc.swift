import ContainerRuntime
import KubeClient
import KubeModel

/// Probes that ask the health service of gRPC.
extension ProbeRunner {
    func callHealth(_ address: String, port: Int, _ service: String, _ timeout: Duration) async -> Result {
        let begun = ContinuousClock.now
        let host = "\(address):\(port)"
        let shown = "\(timeout.components.seconds)s"
        let unreachable = "timeout: failed to connect service \"\(host)\" within \(shown): context deadline exceeded"
        let socket: Int32
        do {
            socket = try await node.runtime.connect(address: address, port: port, insidePod: nil, timeout: timeout)
        } catch {
            return Result(isSuccess: false, message: unreachable, isRefused: error == .refused)
        }
        do {
            let left = max(.milliseconds(1), timeout - (ContinuousClock.now - begun))
            let answer = try await HealthCall.check(
                connectedSocket: socket, host: host, service: service, timeout: left)
            return Self.result(of: answer)
        } catch {
            switch error {
            case .noConnection: return Result(isSuccess: false, message: unreachable)
            case .timedOut:
                return Result(isSuccess: false, message: "timeout: health rpc did not complete within \(shown)")
            case .closed:
                let why = "code = Unavailable desc = error reading from server: EOF"
                return Result(isSuccess: false, message: "error: health rpc probe failed: rpc error: \(why)")
            }
        }
    }

    private static func result(of answer: HealthCall.Answer) -> Result {
        switch answer {
        case .serving(1): return Result(isSuccess: true)
        case .serving(let status):
            let name = statuses.indices.contains(status) ? statuses[status] : "\(status)"
            return Result(isSuccess: false, message: "service unhealthy (responded with \"\(name)\")")
        case .failed(12, let message):
            let why = "this server does not implement the grpc health protocol (grpc.health.v1.Health)"
            return Result(isSuccess: false, message: "error: \(why): \(message)")
        case .failed(let code, let message):
            let name = codes.indices.contains(code) ? codes[code] : "Code(\(code))"
            let why = "code = \(name) desc = \(message)"
            return Result(isSuccess: false, message: "error: health rpc probe failed: rpc error: \(why)")
        }
    }

    private static let statuses = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"]

    private static let codes = [
        "OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists",
        "PermissionDenied", "ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange", "Unimplemented",
        "Internal", "Unavailable", "DataLoss", "Unauthenticated",
    ]
}
