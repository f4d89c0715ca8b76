import ContainerRuntime
import ControllerKit
import KubeClient
import KubeModel

/// Lifecycle hooks of containers.
///
/// Source: Kubernetes docs, "Container Lifecycle Hooks".
extension PodWorker {
    /// Runs the container's hook after its start; what went wrong with it, or nil.
    func runPostStart(_ id: ContainerID, _ container: Container) async -> String? {
        guard let hook = container.value[["lifecycle", "postStart"]] else { return nil }
        let failure = await run(hook, id, container, timeout: .seconds(3600))
        guard let failure, !isEnding else { return nil }
        await record(.warning, "FailedPostStartHook", "PostStartHook failed", container)
        return failure
    }

    /// Runs the container's hook before it is stopped, at most for the time that it has to stop.
    func runPreStop(_ id: ContainerID, _ container: Container, timeout: Duration) async {
        guard let hook = container.value[["lifecycle", "preStop"]] else { return }
        if await run(hook, id, container, timeout: timeout) != nil {
            await record(.warning, "FailedPreStopHook", "PreStopHook failed", container)
        }
    }

    private func run(_ hook: JSONValue, _ id: ContainerID, _ container: Container, timeout: Duration) async -> String? {
        if let command = hook[["exec", "command"]]?.array?.compactMap(\.string) {
            return await execute(command, id, container, timeout)
        }
        if let seconds = hook[["sleep", "seconds"]]?.int {
            await pause(min(timeout, node.configuration.prescribed(seconds: seconds)))
            return nil
        }
        guard let request = hook["httpGet"] else { return nil }
        return await fetch(request, container, min(timeout, .seconds(30)))
    }

    private func execute(
        _ command: [String], _ id: ContainerID, _ container: Container, _ timeout: Duration
    ) async -> String? {
        let why: String
        do throws(RuntimeError) {
            let result = try await node.runtime.execute(id, command: command, timeout: timeout)
            guard result.code != 0 || result.isTimedOut else { return nil }
            why =
                "command '\(command.joined(separator: " "))' exited with \(result.code): \(result.output), message:"
                + " \"\(result.output)\""
        } catch {
            why = "\(error.sentence), message: \"\""
        }
        return
            "Exec lifecycle hook ([\(command.joined(separator: " "))]) for Container \"\(container.name)\" in Pod"
            + " \"\(pod.name)_\(pod.namespace)(\(pod.uid))\" failed - error: \(why)"
    }

    /// Any answer is a success.
    private func fetch(_ request: JSONValue, _ container: Container, _ timeout: Duration) async -> String? {
        let path = request["path"]?.string ?? "/"
        let host = request["host"]?.string ?? facts.address ?? ""
        let headers = (request["httpHeaders"]?.array ?? []).map {
            ($0["name"]?.string ?? "", $0["value"]?.string ?? "")
        }
        let why: String
        do {
            guard let port = container.port(request["port"]) else { throw ConnectError.system("couldn't find port") }
            let socket = try await node.runtime.connect(address: host, port: port, insidePod: nil, timeout: timeout)
            _ = try await HTTPFetch.get(
                connectedSocket: socket, isTLS: request["scheme"] == "HTTPS", host: "\(host):\(port)",
                path: path.hasPrefix("/") ? path : "/\(path)",
                headers: headers + [("User-Agent", "kube-lifecycle/1.32")], timeout: timeout)
            return nil
        } catch let error as HTTPFetch.Failure where error == .tooLarge {
            return nil
        } catch {
            why = "\(error)"
        }
        return
            "HTTP lifecycle hook (\(path)) for Container \"\(container.name)\" in Pod"
            + " \"\(pod.name)_\(pod.namespace)(\(pod.uid))\" failed - error: \(why)"
    }
}
