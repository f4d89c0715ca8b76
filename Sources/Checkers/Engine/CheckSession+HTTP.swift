import CourseModel
import KubeClient
import KubeModel

extension CheckSession {
    /// Asks until the answer is right, waiting is useless, or the time is over.
    ///
    /// Nobody can watch an HTTP endpoint, a log or a name, so it is asked again: after every change in the cluster's
    /// endpoints or pods, else after a pause that doubles up to 2 seconds, and only until the deadline.
    mutating func expect(asking condition: ClusterCondition, within limit: Duration) async throws(Stop) -> Assessment {
        let limit = options.limit(limit)
        let started = options.now()
        var pause = Duration.milliseconds(100)
        var attempts = 0
        progress(.waiting(current, for: judge.assess(condition).expected, found: "asking", limit: limit))
        while true {
            attempts += 1
            let assessment = try await ask(condition)
            let isOver = options.now() - started >= limit || Task.isCancelled
            // The view may lag behind the last change by a moment: one attempt does not make a case hopeless.
            let isHopeless = assessment.state == .hopeless && attempts > 1
            if assessment.state == .holds || isOver || isHopeless { return assessment }
            progress(.waiting(current, for: assessment.expected, found: assessment.found, limit: limit))
            let before = readiness
            _ = await wait(pause) { $0.readiness != before }
            pause = min(pause * 2, .seconds(2))
        }
    }

    private mutating func ask(_ condition: ClusterCondition) async throws(Stop) -> Assessment {
        switch condition {
        case .answers(let http):
            let attempt = http.origin == .inside ? try await askInside(http) : await askOutside(http)
            if case .impossible(let reason) = attempt { throw .unknown(reason) }
            let assessment = HTTPJudge(http: http, view: view, namespace: namespace).assess(attempt)
            record("\(http.method) \(http.url) \(http.origin == .inside ? "inside" : "outside"): \(assessment.found)")
            return assessment
        case .logged(let source, let text): return await readLog(source, text)
        case .executed(let container, let command): return await run(command, in: container)
        case .resolves(let name): return try await resolve(name)
        default: return judge.assess(condition)
        }
    }

    // MARK: Names and logs

    private mutating func resolve(_ name: String) async throws(Stop) -> Assessment {
        let expected = judge.assess(.resolves(name: name)).expected
        let (pod, log) = try await runProbe(["getent", "hosts", name])
        let code = pod.containerStatuses.first?[["state", "terminated", "exitCode"]]?.int
        let found = code == 0 ? log.split(separator: "\n").first.map(String.init) ?? "" : "nothing"
        record("DNS \(name) inside: \(found)")
        if code == 0 { return Assessment(.holds, expected: expected, found: found) }
        let service = String(name.prefix { $0 != "." })
        let isThere = view.get(.services, service, in: namespace) != nil
        return Assessment(
            .notYet, expected: expected, found: "no address",
            finding: isThere
                ? Finding(.unresolved, "The cluster's DNS does not know the name '\(name)'.")
                : Finding(.missing, "There is no Service '\(service)' in the namespace '\(namespace)'.", isFinal: true))
    }

    /// What decides whether a request finds somebody: the ready endpoints and the Services.
    private var readiness: Set<String> {
        let slices = view.list(.endpointSlices, in: namespace).flatMap(ServiceFacts.readyAddresses)
        let pods = view.list(.pods, in: namespace).filter { $0.isReadyPod && !$0.isProbe }.map(\.uid)
        return Set(slices).union(pods).union(view.list(.services, in: namespace).map(\.resourceVersion))
    }

    private func askOutside(_ http: HTTPExpectation) async -> HTTPAttempt {
        var failure = "no address of a node is known"
        for host in await hosts(for: http.url) {
            do {
                let answer = try await options.fetch(
                    CheckOptions.Request(
                        method: http.method, host: host, port: http.url.port, path: http.url.path,
                        body: http.sends.map { JSONValue($0).text }, timeout: .seconds(5)))
                return .answered(status: answer.status, body: answer.body)
            } catch {
                failure = "\(host):\(http.url.port): \(error)"
            }
        }
        return .failed(failure)
    }

    /// `localhost` stands for the cluster's node: this machine for the embedded cluster, else the addresses of the
    /// nodes.
    func hosts(for url: HTTPAddress) async -> [String] {
        guard url.host == "localhost" else { return [url.host] }
        if !options.nodeHosts.isEmpty { return options.nodeHosts }
        let nodes = (try? await client.list(.nodes))?.items ?? []
        let addresses = nodes.flatMap { $0.value[["status", "addresses"]]?.array ?? [] }
        let order = ["ExternalIP", "InternalIP"]
        let found = order.flatMap { type in
            addresses.filter { $0["type"]?.string == type }.compactMap { $0["address"]?.string }
        }
        return ["127.0.0.1"] + found.prefix(4).filter { $0 != "127.0.0.1" }
    }

    private mutating func askInside(_ http: HTTPExpectation) async throws(Stop) -> HTTPAttempt {
        let (pod, log) = try await runProbe(ProbePod.command(http, timeoutSeconds: 5))
        return ProbePod.attempt(pod, log: log)
    }

    /// Runs a pod that asks, reads what it says, and removes it.
    private mutating func runProbe(_ command: [String]) async throws(Stop) -> (pod: KubeObject, log: String) {
        let name = ProbePod.namePrefix + String(UInt32.random(in: 0x1000_0000...UInt32.max), radix: 16)
        let pod = ProbePod.make(name: name, namespace: namespace, image: options.probeImage, command: command)
        do {
            _ = try await client.create(.pods, pod)
        } catch {
            throw .unknown("the pod that asks from inside could not be created: \(error)")
        }
        let result: Result<(pod: KubeObject, log: String), Stop>
        do throws(Stop) { result = .success(try await finish(name)) } catch { result = .failure(error) }
        await remove(name)
        return try result.get()
    }

    private mutating func finish(_ name: String) async throws(Stop) -> (pod: KubeObject, log: String) {
        let home = namespace
        let isDone = await wait(options.limit(.seconds(60))) { session in
            session.view.get(.pods, name, in: home).map(ProbePod.isDone) ?? false
        }
        guard let pod = view.get(.pods, name, in: home), isDone else {
            throw .unknown("the pod that asks from inside did not end in time")
        }
        if let reason = ProbePod.reasonNotToRun(pod) {
            throw .unknown("the pod that asks from inside cannot run: \(reason)")
        }
        do {
            var bytes: [UInt8] = []
            for try await chunk in try await client.logs(namespace: home, pod: name, options: LogOptions()) {
                bytes += chunk
            }
            return (pod, String(decoding: bytes, as: UTF8.self))
        } catch {
            throw .unknown("the log of the pod that asks from inside cannot be read: \(error)")
        }
    }

    /// Removes a probe pod, also when the run is cancelled.
    private func remove(_ name: String) async {
        let (client, namespace) = (client, namespace)
        // A task of its own, for the same reason as in `undoActions`.
        await Task {
            try? await client.deleteIfPresent(
                .pods, name, in: namespace, options: DeleteOptions(gracePeriodSeconds: 0))
        }.value
    }

    /// Removes probe pods that a checker left behind which was killed: those that ended and are older than they may
    /// get.
    func removeForgottenProbes() async {
        let selector = ProbePod.label
        let list = try? await client.list(.pods, namespace: namespace, options: ListOptions(labelSelector: selector))
        let now = options.now()
        for pod in list?.items ?? [] where ProbePod.isDone(pod) {
            guard let created = pod.creationTimestamp else { continue }
            let age = now - Moment(milliseconds: created.nanoseconds / 1_000_000)
            if age > .seconds(ProbePod.secondsMax) { await remove(pod.name) }
        }
    }
}
