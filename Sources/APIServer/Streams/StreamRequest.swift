import KubeClient
import KubeModel
import ObjectStore

/// A request for one of the streams of a pod: `exec`, `attach`, `portforward`.
struct StreamRequest {
    let registry: Registry
    let target: Target
    let request: APIRequest

    static let subresources: Set = ["exec", "attach", "portforward"]

    func answer(_ subresource: String) async throws(Status) -> APIResponse {
        guard ["GET", "POST"].contains(request.method) else { throw .methodNotAllowed }
        return subresource == "portforward" ? try await forwardPorts() : try await command(subresource)
    }

    // MARK: Commands

    private func command(_ subresource: String) async throws(Status) -> APIResponse {
        let isExec = subresource == "exec"
        try await admit(subresource)
        let pod = try await registry.get(target).object
        let options = try execRequest(pod, isExec: isExec)
        let agent = try registry.agent(of: pod)
        guard let offer = UpgradeOffer(request) else { throw .badRequest("Upgrade request required") }
        let start: CommandStart = { () async throws(Status) in
            if isExec { return try await agent.exec(in: pod, options) }
            return try await agent.attach(to: pod, options)
        }
        let outcome: @Sendable (SessionExit) -> CommandOutcome = { exit in
            isExec ? .exec(exit, command: options.command) : .attach(exit)
        }
        switch offer {
        case .webSocket(let key, let protocols):
            guard let form = ChannelProtocol.choose(protocols, from: ChannelProtocol.commands) else {
                throw .unknownProtocols(protocols)
            }
            // From version 5 on the API server itself speaks with the client, and tells it in the stream what goes wrong.
            let begin = form.canClose ? CommandBeginning.later(start) : await .started(start)
            if case .refused(let status) = begin { return Self.refusal(ofNode: status) }
            return .upgrade(
                ConnectionUpgrade(headers: WebSocketFrame.acceptHeaders(key: key, chosen: form.name)) {
                    reader, writer in
                    await CommandConversation(beginning: begin, outcome: outcome)
                        .run(&reader, writer, WebSocketCommandReceiver(form, options))
                })
        case .spdy(let protocols):
            let form = try Self.chooseSPDY(protocols, from: SPDYCommandReceiver.protocols)
            let begin = await CommandBeginning.started(start)
            if case .refused(let status) = begin { return Self.refusal(ofNode: status) }
            return .upgrade(
                ConnectionUpgrade(headers: Self.spdyHeaders(form)) { reader, writer in
                    await CommandConversation(beginning: begin, outcome: outcome)
                        .run(&reader, writer, SPDYCommandReceiver(form, options))
                })
        }
    }

    /// A node's own refusal is plain text; clients put "unable to upgrade connection" before it.
    private static func refusal(ofNode status: Status) -> APIResponse {
        .text(status.message, code: status.code == 404 ? 404 : 500)
    }

    private func execRequest(_ pod: KubeObject, isExec: Bool) throws(Status) -> ExecRequest {
        let query = request.query
        let container = try PodContainers.choose(query["container"], of: pod)
        let isTerminal = query.flag("tty")
        let options = ExecRequest(
            container: container, command: isExec ? query.all("command") : [], hasInput: query.flag("stdin"),
            hasOutput: query.flag("stdout"), hasErrorOutput: query.flag("stderr") && !isTerminal,
            isTerminal: isTerminal)
        guard options.hasInput || options.hasOutput || options.hasErrorOutput else {
            throw .badRequest("you must specify at least 1 of stdin, stdout, stderr")
        }
        if isExec, options.command.isEmpty {
            throw .badRequest("you must specify at least one command for the container")
        }
        return options
    }

    // MARK: What all streams need

    /// Asks the webhooks; what they are shown are the options of the stream.
    private func admit(_ subresource: String) async throws(Status) {
        let query = request.query
        var options: JSONValue = [:]
        if subresource == "portforward" {
            let ports = query.all("ports").flatMap { $0.split(separator: ",") }.compactMap { Int($0) }
            if !ports.isEmpty { options["ports"] = .array(ports.map { JSONValue($0) }) }
        } else {
            for name in ["stdin", "stdout", "stderr", "tty"] where query.flag(name) { options[name] = true }
            if let container = query["container"], !container.isEmpty { options["container"] = .string(container) }
            let command = query.all("command")
            if subresource == "exec" { options["command"] = .array(command.map(JSONValue.string)) }
        }
        let kinds = ["exec": "PodExecOptions", "attach": "PodAttachOptions", "portforward": "PodPortForwardOptions"]
        try await registry.admitConnection(kinds[subresource] ?? "", options, target, subresource, request)
    }

    private static func chooseSPDY(_ offered: [String], from known: [String]) throws(Status) -> String {
        guard !offered.isEmpty else {
            throw .badRequest("unable to upgrade: X-Stream-Protocol-Version header is required")
        }
        guard let form = offered.first(where: known.contains) else {
            throw .upgradeRefused(
                "unable to negotiate protocol: client supports [\(offered.joined(separator: " "))], "
                    + "server accepts [\(known.joined(separator: " "))]")
        }
        return form
    }

    private static func spdyHeaders(_ form: String) -> [(name: String, value: String)] {
        [("Connection", "Upgrade"), ("Upgrade", "SPDY/3.1"), ("X-Stream-Protocol-Version", form)]
    }

    // MARK: Ports

    private func forwardPorts() async throws(Status) -> APIResponse {
        try await admit("portforward")
        let pod = try await registry.get(target).object
        let agent = try registry.agent(of: pod)
        guard let offer = UpgradeOffer(request) else { throw .badRequest("Upgrade request required") }
        switch offer {
        case .spdy(let protocols):
            let form = try Self.chooseSPDY(protocols, from: [SPDYPortForward.spdyProtocol])
            return .upgrade(
                ConnectionUpgrade(headers: Self.spdyHeaders(form)) { reader, writer in
                    await SPDYPortForward(agent: agent, pod: pod, isTunnelled: false).run(&reader, writer)
                })
        case .webSocket(let key, let protocols) where protocols.contains(SPDYPortForward.tunnelProtocol):
            let headers = WebSocketFrame.acceptHeaders(key: key, chosen: SPDYPortForward.tunnelProtocol)
            return .upgrade(
                ConnectionUpgrade(headers: headers) { reader, writer in
                    await SPDYPortForward(agent: agent, pod: pod, isTunnelled: true).run(&reader, writer)
                })
        case .webSocket(let key, let protocols):
            guard let form = ChannelProtocol.choose(protocols, from: ChannelProtocol.ports) else {
                throw .unknownProtocols(protocols)
            }
            let ports = try WebSocketPortForward.ports(request.query)
            return .upgrade(
                ConnectionUpgrade(headers: WebSocketFrame.acceptHeaders(key: key, chosen: form.name)) {
                    reader, writer in
                    await WebSocketPortForward(agent: agent, pod: pod, form: form, ports: ports).run(&reader, writer)
                })
        }
    }
}

extension Status {
    /// The client offers no protocol that is known.
    static func upgradeRefused(_ why: String) -> Status {
        Status(code: 403, reason: "Forbidden", message: "unable to upgrade: \(why)")
    }

    static func unknownProtocols(_ offered: [String]) -> Status {
        upgradeRefused("none of the WebSocket protocols [\(offered.joined(separator: " "))] is known")
    }
}
