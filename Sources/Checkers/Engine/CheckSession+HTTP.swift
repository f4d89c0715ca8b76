import CourseModel
import KubeClient
import KubeModel

extension CheckSession {
    /// Asks until the answer is right, waiting is useless, or the time is over.
    ///
    /// Nobody can watch an HTTP endpoint, so it is asked again: after every change in the cluster's endpoints, else
    /// after a pause that doubles up to 2 seconds, and only until the deadline.
    mutating func expect(_ http: HTTPExpectation, within limit: Duration) async throws(Stop) -> Assessment {
        let limit = options.limit(limit)
        let started = options.now()
        var pause = Duration.milliseconds(100)
        var attempts = 0
        progress(.waiting(current, for: HTTPJudge.expected(http), found: "asking", limit: limit))
        while true {
            attempts += 1
            let attempt = http.origin == .inside ? try await askInside(http) : await askOutside(http)
            if case .impossible(let reason) = attempt { throw .unknown(reason) }
            let assessment = HTTPJudge(http: http, view: view, namespace: namespace).assess(attempt)
            record("GET \(http.url) \(http.origin == .inside ? "inside" : "outside"): \(assessment.found)")
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

    /// What decides whether a request finds somebody: the ready endpoints and the Services.
    private var readiness: Set<String> {
        let slices = view.list(.endpointSlices, in: namespace).flatMap(ServiceFacts.readyAddresses)
        return Set(slices).union(view.list(.services, in: namespace).map(\.resourceVersion))
    }

    private func askOutside(_ http: HTTPExpectation) async -> HTTPAttempt {
        var failure = "no address of a node is known"
        for host in await hosts(for: http.url) {
            do {
                let answer = try await options.fetch(host, http.url.port, http.url.path, .seconds(5))
                return .answered(status: answer.status, body: answer.body)
            } catch {
                failure = "\(host):\(http.url.port): \(error)"
            }
        }
        return .failed(failure)
    }

    /// `localhost` stands for the cluster's node: this machine for the embedded cluster, else the addresses of the
    /// nodes.
    private func hosts(for url: HTTPAddress) async -> [String] {
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

    /// Runs a pod that asks, reads what it says, and removes it.
    private mutating func askInside(_ http: HTTPExpectation) async throws(Stop) -> HTTPAttempt {
        let name = ProbePod.namePrefix + String(UInt32.random(in: 0x1000_0000...UInt32.max), radix: 16)
        let pod = ProbePod.make(
            name: name, namespace: namespace, image: options.probeImage, url: http.url, timeoutSeconds: 5)
        do {
            _ = try await client.create(.pods, pod)
        } catch {
            throw .unknown("the pod that asks from inside could not be created: \(error)")
        }
        let attempt = await runProbe(name)
        await remove(name)
        return attempt
    }

    private mutating func runProbe(_ name: String) async -> HTTPAttempt {
        let home = namespace
        let isDone = await wait(options.limit(.seconds(60))) { session in
            session.view.get(.pods, name, in: home).map(ProbePod.isDone) ?? false
        }
        guard let pod = view.get(.pods, name, in: home), isDone else {
            return .impossible("the pod that asks from inside did not end in time")
        }
        if let reason = ProbePod.reasonNotToRun(pod) {
            return .impossible("the pod that asks from inside cannot run: \(reason)")
        }
        do {
            var bytes: [UInt8] = []
            for try await chunk in try await client.logs(namespace: home, pod: name, options: LogOptions()) {
                bytes += chunk
            }
            return ProbePod.attempt(pod, log: String(decoding: bytes, as: UTF8.self))
        } catch {
            return .impossible("the log of the pod that asks from inside cannot be read: \(error)")
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
