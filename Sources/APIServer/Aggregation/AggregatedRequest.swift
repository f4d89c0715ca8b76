import KubeModel

/// A request that another API server answers, in the name of the user who made it.
struct AggregatedRequest {
    let registry: Registry
    let api: RemoteAPI
    let request: APIRequest

    func answer() async throws(Status) -> APIResponse {
        guard api.isAvailable else { return .text("service unavailable\n", code: 503) }
        let upgrade = request.wantsUpgrade ? request.values(of: "upgrade").first : nil
        let exchange = ProxyExchange(request: identified, path: ProxyPath(whole: request.path), upgrade: upgrade)
        do {
            let descriptor = try await registry.backend(behind: api.service).connect()
            let tls = try registry.aggregator.security(for: api)
            return upgrade == nil
                ? try await exchange.run(descriptor, tls: tls) : try await exchange.runUpgrade(descriptor, tls: tls)
        } catch is CancellationError {
            throw .cancelled
        } catch {
            let why = (error as? Status)?.message ?? OutgoingTLS.explain(error, serverName: api.service.serverName)
            return .text("error trying to reach service: \(why)\n", code: 503)
        }
    }

    /// The request with the user's name in its headers, and nobody else's.
    private var identified: APIRequest {
        var request = request
        request.headers.removeAll { $0.name.lowercased().hasPrefix("x-remote-") }
        guard let user = request.user else { return request }
        request.headers.append(("X-Remote-User", user.name))
        request.headers += user.groups.map { ("X-Remote-Group", $0) }
        for (name, values) in user.extra.sorted(by: { $0.key < $1.key }) {
            request.headers += values.map { ("X-Remote-Extra-\(Self.escaped(name))", $0) }
        }
        return request
    }

    /// Header names know fewer characters than keys.
    private static func escaped(_ name: String) -> String {
        name.utf8.map { byte in
            let character = Character(UnicodeScalar(byte))
            if character.isASCII, character.isLetter || character.isNumber || "!#$&'*+-.^_`|~".contains(character) {
                return String(character)
            }
            let digits = String(byte, radix: 16, uppercase: true)
            return "%" + (digits.count == 1 ? "0" : "") + digits
        }.joined()
    }
}
