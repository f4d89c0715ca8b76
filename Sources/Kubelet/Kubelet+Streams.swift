import ContainerRuntime
public import KubeClient
public import KubeModel
import Synchronization

/// Streams from and to containers, and the words in which kubelet and containerd refuse them.
extension Kubelet {
    public func exec(in pod: KubeObject, _ request: ExecRequest) async throws(Status) -> any ContainerSession {
        let id = try await container(request.container, of: pod) {
            "container not found (\"\(request.container)\")"
        }
        do throws(RuntimeError) { return try await node.runtime.exec(id, request) } catch {
            if case .notFound = error { throw .failure("container not found (\"\(request.container)\")") }
            return FailedSession(why: error.execSentence)
        }
    }

    public func attach(to pod: KubeObject, _ request: ExecRequest) async throws(Status) -> any ContainerSession {
        let absence = "container \(request.container) not found in pod \(pod.name)_\(pod.namespace ?? "")(\(pod.uid))"
        let id = try await container(request.container, of: pod) { absence }
        do throws(RuntimeError) { return try await node.runtime.attach(id, request) } catch {
            throw .failure(absence)
        }
    }

    public func connect(to pod: KubeObject, port: Int) async throws(Status) -> Int32 {
        guard let worker = workers.withLock({ $0[pod.uid] }), await worker.address != nil else {
            throw .failure("pod not found (\"\(pod.name)_\(pod.namespace ?? "")\")")
        }
        do throws(ConnectError) {
            return try await node.runtime.connect(
                address: "127.0.0.1", port: port, insidePod: pod.uid, timeout: .seconds(30))
        } catch {
            throw .failure(
                "failed to execute portforward in network namespace \"/var/run/netns/cni-\(pod.uid)\": failed to connect to"
                    + " localhost:\(port) inside namespace \"\(pod.uid)\", IPv4: dial tcp4 127.0.0.1:\(port):"
                    + " \(error.dialSentence) IPv6 dial tcp6: address localhost: no suitable address found ")
        }
    }

    /// A container that runs now.
    private func container(
        _ name: String, of pod: KubeObject, orSay absence: () -> String
    ) async throws(Status) -> ContainerID {
        guard let worker = workers.withLock({ $0[pod.uid] }), let id = await worker.containerIDs[name] else {
            throw .failure(absence())
        }
        return id
    }
}

extension Status {
    /// The kubelet's answer to a stream that it cannot begin.
    fileprivate static func failure(_ message: String) -> Status {
        Status(code: 500, reason: "InternalError", message: message)
    }
}

extension ConnectError {
    /// What Go's dialer says.
    fileprivate var dialSentence: String {
        switch self {
        case .refused: "connect: connection refused"
        case .timedOut: "i/o timeout"
        case .unreachable: "connect: network is unreachable"
        case .system(let message): "connect: \(message)"
        }
    }
}

extension RuntimeError {
    /// What containerd and runc say of a command that does not start.
    fileprivate var execSentence: String {
        let why: String =
            switch self {
            case .programNotFound(let name): "exec: \"\(name)\": \(Self.missing(name)): unknown"
            case .programRefused(let name, let reason): "exec: \"\(name)\": \(reason): unknown"
            default: "\(sentence): unknown"
            }
        let id = (0..<4).map { _ in
            let part = String(UInt64.random(in: .min ... .max), radix: 16)
            return String(repeating: "0", count: 16 - part.count) + part
        }.joined()
        return "failed to exec in container: failed to start exec \"\(id)\": OCI runtime exec failed: exec failed:"
            + " unable to start container process: \(why)"
    }
}

/// A command that did not start.
private struct FailedSession: ContainerSession {
    let why: String

    func write(_ bytes: [UInt8]) async {}
    func closeInput() async {}
    func resize(columns: Int, rows: Int) async {}
    func nextOutput() async -> SessionOutput? { nil }
    func exit() async -> SessionExit { .failed(why) }
    func close() async {}
}
