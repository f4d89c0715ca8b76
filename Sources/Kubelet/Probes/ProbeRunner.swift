import ContainerRuntime
import ControllerKit
import Glibc
import KubeClient
import KubeModel

/// Runs the probes of one running container, and tells the pod's worker what they add up to.
struct ProbeRunner: Sendable {
    let worker: PodWorker
    let node: NodeContext
    let slot: PodWorker.Slot
    let id: ContainerID

    /// What one try came to; `message` is what the event says of a failure.
    struct Result: Sendable {
        var isSuccess: Bool
        var message = ""
        /// Nothing listened: early on that only says that the program is still starting.
        var isRefused = false
        /// A success that something is to be said about.
        var isWarning = false
    }

    func run() async {
        let container = await worker.container(slot)
        if let startup = container.probe(.startup) {
            guard await loop(startup, container) else { return }
        }
        await withDiscardingTaskGroup { group in
            for kind in [Probe.Kind.readiness, .liveness] {
                guard let probe = container.probe(kind) else { continue }
                group.addTask { _ = await loop(probe, container) }
            }
        }
    }

    /// Probes until cancelled; a startup probe until it has succeeded (true).
    private func loop(_ probe: Probe, _ container: Container) async -> Bool {
        var tracker = ProbeTracker(probe)
        await worker.pause(node.configuration.prescribed(seconds: probe.initialDelaySeconds))
        // A pod may be asked more often until it is ready (Kubernetes docs, "periodSeconds"): a program that has just been
        // started listens after milliseconds, and there is no reason to look away for a whole period.
        var early = Duration.milliseconds(5)
        while !Task.isCancelled {
            let result = await attempt(probe, container)
            if Task.isCancelled { return false }
            if result.isRefused, probe.kind == .readiness, early < .seconds(1) {
                await worker.pause(early)
                early *= 2
                continue
            }
            if !result.isSuccess || result.isWarning { await report(probe, container, result) }
            switch tracker.record(success: result.isSuccess) {
            case .becameHealthy?:
                if probe.kind == .startup {
                    await becomeStarted(container)
                    return true
                }
                if probe.kind == .readiness { await worker.change(slot) { $0.isReady = true } }
            case .becameUnhealthy?:
                if probe.kind == .readiness {
                    await worker.change(slot) { $0.isReady = false }
                } else {
                    await restart(probe, container)
                    return false
                }
            case nil: break
            }
            await worker.pause(node.configuration.prescribed(seconds: probe.periodSeconds))
        }
        return false
    }

    private func becomeStarted(_ container: Container) async {
        let hasReadiness = container.probe(.readiness) != nil
        await worker.change(slot) { state in
            state.isStarted = true
            if !hasReadiness { state.isReady = true }
        }
    }

    private func report(_ probe: Probe, _ container: Container, _ result: Result) async {
        let (reason, verb) = result.isWarning ? ("ProbeWarning", "warning") : ("Unhealthy", "failed")
        await worker.record(.warning, reason, "\(probe.kind.title) probe \(verb): \(result.message)", container)
    }

    private func restart(_ probe: Probe, _ container: Container) async {
        let seconds = probe.value["terminationGracePeriodSeconds"]?.int
        let pod = await worker.pod
        let grace = node.configuration.prescribed(seconds: seconds ?? pod.terminationGracePeriodSeconds)
        var message = "Container \(container.name) failed \(probe.kind.title.lowercased()) probe"
        if pod.restartPolicy != "Never" || slot.isInitial { message += ", will be restarted" }
        await worker.stop(id, container, grace: grace, because: message)
    }

    // MARK: One try

    private func attempt(_ probe: Probe, _ container: Container) async -> Result {
        let timeout = Duration.seconds(probe.timeoutSeconds)
        if let command = probe.value[["exec", "command"]]?.array?.compactMap(\.string) {
            return await execute(command, timeout)
        }
        guard let address = await worker.address else {
            return Result(isSuccess: false, message: "the pod has no address")
        }
        if let socket = probe.value["tcpSocket"] {
            guard let port = container.port(socket["port"]) else { return unknownPort(socket["port"]) }
            return await openConnection(address, port, timeout)
        }
        if let request = probe.value["httpGet"] {
            guard let port = container.port(request["port"]) else { return unknownPort(request["port"]) }
            return await fetch(request, address, port, timeout)
        }
        if let call = probe.value["grpc"] {
            return await callHealth(address, port: call["port"]?.int ?? 0, call["service"]?.string ?? "", timeout)
        }
        return Result(isSuccess: false, message: "this kind of probe is not supported")
    }

    private func unknownPort(_ port: JSONValue?) -> Result {
        Result(isSuccess: false, message: "couldn't find port: \(port?.string ?? "")")
    }

    private func execute(_ command: [String], _ timeout: Duration) async -> Result {
        do {
            let result = try await node.runtime.execute(id, command: command, timeout: timeout)
            if result.isTimedOut {
                return Result(
                    isSuccess: false,
                    message:
                        "command timed out: \"\(command.joined(separator: " "))\" timed out after \(timeout.components.seconds)s"
                )
            }
            return Result(isSuccess: result.code == 0, message: result.output)
        } catch {
            return Result(isSuccess: false, message: error.sentence)
        }
    }

    private func openConnection(_ address: String, _ port: Int, _ timeout: Duration) async -> Result {
        do {
            close(try await node.runtime.connect(address: address, port: port, insidePod: nil, timeout: timeout))
            return Result(isSuccess: true)
        } catch {
            return failure(error, "dial tcp \(address):\(port): ")
        }
    }

    private func failure(_ error: ConnectError, _ prefix: String) -> Result {
        switch error {
        case .refused: Result(isSuccess: false, message: prefix + "connect: connection refused", isRefused: true)
        case .timedOut: Result(isSuccess: false, message: prefix + "i/o timeout")
        case .unreachable: Result(isSuccess: false, message: prefix + "connect: no route to host")
        case .system(let message): Result(isSuccess: false, message: prefix + message)
        }
    }

    private func fetch(
        _ request: JSONValue, _ address: String, _ port: Int, _ timeout: Duration, redirects: Int = 10
    ) async -> Result {
        var path = request["path"]?.string ?? "/"
        if !path.hasPrefix("/") { path = "/\(path)" }
        let host = request["host"]?.string ?? address
        let scheme = (request["scheme"]?.string ?? "HTTP").lowercased()
        let url = "\(scheme)://\(host):\(port)\(path)"
        let headers = (request["httpHeaders"]?.array ?? []).map {
            ($0["name"]?.string ?? "", $0["value"]?.string ?? "")
        }
        let begun = ContinuousClock.now
        let socket: Int32
        do {
            socket = try await node.runtime.connect(address: address, port: port, insidePod: nil, timeout: timeout)
        } catch {
            return failure(error, "Get \"\(url)\": dial tcp \(address):\(port): ")
        }
        do {
            let left = max(.milliseconds(1), timeout - (ContinuousClock.now - begun))
            let response = try await HTTPFetch.get(
                connectedSocket: socket, isTLS: scheme == "https", host: "\(host):\(port)", path: path,
                headers: headers + [("User-Agent", "kube-probe/1.32")], timeout: left)
            guard 200..<400 ~= response.status else {
                return Result(isSuccess: false, message: "HTTP probe failed with statuscode: \(response.status)")
            }
            let location = response.headers.first { $0.name.lowercased() == "location" }?.value
            if let redirect = ProbeRedirect(
                status: response.status, to: location, from: path, host: host, port: port)
            {
                guard redirects > 0 else {
                    return Result(isSuccess: false, message: "Get \"\(redirect.path)\": stopped after 10 redirects")
                }
                var next = request
                next["path"] = .string(redirect.path)
                return await fetch(next, address, redirect.port, left, redirects: redirects - 1)
            }
            guard response.status < 300 else {
                return Result(
                    isSuccess: true, message: "Probe terminated redirects, Response body: \(response.text)",
                    isWarning: true)
            }
            return Result(isSuccess: true)
        } catch {
            switch error {
            case .timedOut:
                return Result(
                    isSuccess: false,
                    message:
                        "Get \"\(url)\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)")
            case .refused: return failure(.refused, "Get \"\(url)\": dial tcp \(address):\(port): ")
            case .closed: return Result(isSuccess: false, message: "Get \"\(url)\": EOF")
            case .tooLarge: return Result(isSuccess: true)
            case .other(let message): return Result(isSuccess: false, message: "Get \"\(url)\": \(message)")
            }
        }
    }
}

extension Probe.Kind {
    var title: String {
        switch self {
        case .startup: "Startup"
        case .liveness: "Liveness"
        case .readiness: "Readiness"
        }
    }
}
