import CourseModel
import KubeModel

/// What came of one HTTP request.
enum HTTPAttempt: Hashable, Sendable {
    /// `status` is nil when the client in the cluster did not say.
    case answered(status: Int?, body: String)
    /// Nobody answered, and what the client said about it.
    case failed(String)
    /// The request could not even be sent, for a reason that is not the learner's.
    case impossible(String)
}

/// Judges the answer to an HTTP request, and finds out why there is none.
struct HTTPJudge {
    let http: HTTPExpectation
    let view: ClusterView
    let namespace: String

    static func expected(_ http: HTTPExpectation) -> String {
        let place = http.origin == .inside ? "inside the cluster" : "outside"
        let body = http.body.compactMap { if case .matches(let wanted) = $0 { wanted.text } else { nil } }
        let wanted = body + (http.text.map { ["'\($0)'"] } ?? [])
        let what = http.method == "GET" ? "\(http.url)" : "\(http.method) \(http.url)"
        return "\(what) answers \(http.status) \(place)"
            + (wanted.isEmpty ? "" : " with \(wanted.joined(separator: ", "))")
    }

    func assess(_ attempt: HTTPAttempt) -> Assessment {
        let expected = Self.expected(http)
        switch attempt {
        case .impossible(let reason): return Assessment(.hopeless, expected: expected, found: reason)
        case .failed(let reason):
            let finding = trouble() ?? Finding(.unreachable, "\(http.url) does not answer: \(reason).")
            return Assessment(
                finding.isFinal ? .hopeless : .notYet, expected: expected, found: reason, finding: finding)
        case .answered where http.origin == .outside && strangerOnPort != nil:
            return Assessment(
                .hopeless, expected: expected, found: "another program answers", finding: strangerOnPort)
        case .answered(let status, let body):
            let found = "\(status.map { "\($0) " } ?? "")\(Self.short(body))"
            if let status, status != http.status {
                return Assessment(
                    .notYet, expected: expected, found: found,
                    finding: Finding(
                        .wrongAnswer,
                        "\(http.url) answers with status \(status), not \(http.status): \(Self.short(body))"))
            }
            return judgeBody(body, expected: expected, found: found)
        }
    }

    private func judgeBody(_ body: String, expected: String, found: String) -> Assessment {
        if let text = http.text, !body.contains(text) {
            return Assessment(
                .notYet, expected: expected, found: found,
                finding: Finding(.wrongAnswer, "The answer of \(http.url) does not hold '\(text)'."))
        }
        if http.body.isEmpty { return Assessment(.holds, expected: expected, found: found) }
        guard let value = try? JSONValue(parsing: body) else {
            return Assessment(
                .notYet, expected: expected, found: found,
                finding: Finding(.wrongAnswer, "The answer of \(http.url) is not JSON: \(Self.short(body))."))
        }
        guard let mismatch = http.body.flatMap({ $0.mismatches(in: value) }).first else {
            return Assessment(.holds, expected: expected, found: found)
        }
        return Assessment(
            .notYet, expected: expected, found: found,
            finding: Finding(.wrongAnswer, "In the answer of \(http.url), \(mismatch.text)."))
    }

    private static func short(_ text: String) -> String {
        let line = text.split(separator: "\n").joined(separator: " ")
        return line.count > 120 ? "\(line.prefix(119))…" : line
    }

    /// Why nobody answers, from the objects in the cluster; nil when they look right.
    func trouble() -> Finding? { http.origin == .inside ? troubleInside() : troubleOutside() }

    private func troubleInside() -> Finding? {
        let names = http.url.host.split(separator: ".").map(String.init)
        let name = names.first ?? ""
        let home = names.count > 1 ? names[1] : namespace
        guard let service = view.get(.services, name, in: home) else {
            return Finding(.missing, "There is no Service '\(name)' in the namespace '\(home)'.", isFinal: true)
        }
        let facts = ServiceFacts(service: service, view: view)
        return facts.readyAddresses.isEmpty ? facts.troubleWithEndpoints() : facts.troubleWithPort(http.url.port)
    }

    private func troubleOutside() -> Finding? {
        if let strangerOnPort { return strangerOnPort }
        let port = http.url.port
        let open = view.list(.services, in: namespace).filter { !Self.nodePorts($0).isEmpty }
        if let service = open.first(where: { Self.nodePorts($0).keys.contains(port) }) {
            let facts = ServiceFacts(service: service, view: view)
            if facts.readyAddresses.isEmpty { return facts.troubleWithEndpoints() }
            return facts.troubleWithPort(Self.nodePorts(service)[port] ?? port)
        }
        let others = open.map { service in
            "'\(service.name)' opens \(Self.nodePorts(service).keys.sorted().map(String.init).joined(separator: ", "))"
        }
        guard !others.isEmpty else {
            return Finding(
                .nodePort, "No Service of type NodePort opens port \(port) in the namespace '\(namespace)'.",
                isFinal: true)
        }
        return Finding(.nodePort, "No Service opens port \(port); \(others.joined(separator: ", ")).", isFinal: true)
    }

    /// The finding that the machine's port belongs to another program, whose answers say nothing about the learner's work.
    private var strangerOnPort: Finding? {
        let opening = view.list(.services, in: namespace).first { Self.nodePorts($0).keys.contains(http.url.port) }
        guard let opening else { return nil }
        let remarks = view.list(.events, in: namespace).filter { event in
            event.value[["involvedObject", "uid"]]?.string == opening.uid
                && event.value["reason"]?.string?.hasPrefix("NodePort") ?? false
        }
        let last = remarks.max { ($0.value["lastTimestamp"]?.string ?? "") < ($1.value["lastTimestamp"]?.string ?? "") }
        guard let last, last.value["reason"] == "NodePortUnavailable" else { return nil }
        return Finding(.nodePort, last.value["message"]?.string ?? "The node port is taken.", isFinal: true)
    }

    /// The node ports of a Service, and the port of the Service behind each.
    private static func nodePorts(_ service: KubeObject) -> [Int: Int] {
        var ports: [Int: Int] = [:]
        for entry in service.value[["spec", "ports"]]?.array ?? [] {
            if let node = entry["nodePort"]?.int { ports[node] = entry["port"]?.int ?? node }
        }
        return ports
    }
}
