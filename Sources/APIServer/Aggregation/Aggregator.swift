import KubeModel
import NIOHTTP1
import ObjectStore
import Synchronization

/// Watches over the API servers behind this one: which there are, whether they answer, and what they serve.
///
/// Without any it sleeps until there is one. One that does not answer is asked again, after a second at first and half a
/// minute at last; one that does, every half minute.
final class Aggregator: Sendable {
    private struct State {
        /// Nil when an APIService was written since they were read.
        var apis: [RemoteAPI]?
        /// The resource lists of servers, by the name of their APIService.
        var resources: [String: JSONValue] = [:]
        /// What they say of their types, by the same name.
        var types: [String: RemoteTypes] = [:]
    }

    private let state = Mutex(State())
    private let identity: ClientIdentity?

    /// - Parameter identity: By what the servers know this one.
    init(identity: ClientIdentity?) { self.identity = identity }

    /// Called after an object was written or taken away, before the writer is answered.
    func react(toWriteOf resource: ResourceType) {
        if resource == .apiServices { state.withLock { $0.apis = nil } }
    }

    /// What other servers serve, in the order of their names.
    func apis(in store: ObjectStore) -> [RemoteAPI] {
        state.withLock { state in
            if let apis = state.apis { return apis }
            let apis = AdmissionFacts(store: store).objects(.apiServices).compactMap { RemoteAPI($0.object) }
            state.apis = apis
            return apis
        }
    }

    /// The server of a group and version; nil when it is this one, or nobody.
    func api(group: String, version: String, in store: ObjectStore) -> RemoteAPI? {
        apis(in: store).first { ($0.group, $0.version) == (group, version) }
    }

    /// The `APIResourceList` that a server gave last; nil when it never did.
    func resources(of api: RemoteAPI) -> JSONValue? { state.withLock { $0.resources[api.name] } }

    /// What a server said last of its types; nil when it never did.
    func types(of api: RemoteAPI) -> RemoteTypes? { state.withLock { $0.types[api.name] } }

    // MARK: Checking

    /// Doubled before it is first waited for.
    private static let pauseMin = Duration.milliseconds(500)
    private static let pauseMax = Duration.seconds(30)
    private static let checkTimeout = Duration.seconds(5)

    /// Keeps the conditions of APIServices true until the task is cancelled.
    func run(_ registry: Registry) async {
        var pause = Self.pauseMin
        while !Task.isCancelled {
            let seen = registry.store.revision
            // Those of this server come back when somebody takes them away.
            await registry.registerAPIServices()
            // A write wakes this loop before it tells `react`.
            react(toWriteOf: .apiServices)
            let apis = apis(in: registry.store)
            var allAnswer = true
            for api in apis where await !check(api, registry) { allAnswer = false }
            pause = allAnswer ? Self.pauseMax : min(pause * 2, Self.pauseMax)
            await wait(for: apis, since: seen, atMost: apis.isEmpty ? nil : pause, registry.store)
            if allAnswer { pause = Self.pauseMin }
        }
    }

    /// Waits for a change that could matter.
    private func wait(for apis: [RemoteAPI], since seen: Revision, atMost pause: Duration?, _ store: ObjectStore) async
    {
        var ranges = [KeyRange.all(resource: ResourceType.apiServices.qualifiedPlural)]
        for api in apis {
            for resource in [ResourceType.services, .endpoints] {
                ranges.append(
                    .one(
                        StoreKey(
                            resource: resource.qualifiedPlural, namespace: api.service.namespace,
                            name: api.service.name)))
            }
        }
        await withTaskGroup(of: Void.self) { group in
            for range in ranges { group.addTask { _ = try? await store.events(after: seen, in: range, limit: 1) } }
            if let pause { group.addTask { try? await ContinuousClock().sleep(for: pause) } }
            await group.next()
            group.cancelAll()
        }
    }

    /// - Returns: Whether the server answers.
    private func check(_ api: RemoteAPI, _ registry: Registry) async -> Bool {
        let facts = AdmissionFacts(store: registry.store)
        let (namespace, name) = (api.service.namespace, api.service.name)
        let present = APIAvailability(
            api, service: facts.object(.services, name, in: namespace),
            endpoints: facts.object(.endpoints, name, in: namespace))
        if case .unavailable(let reason, let message) = present {
            await report(api, false, reason, message, registry)
            return false
        }
        do throws(CallFailure) {
            let list = try await ask(api, registry)
            state.withLock { $0.resources[api.name] = list }
            await report(api, true, "Passed", "all checks passed", registry)
            await learnTypes(of: api, registry)
            return true
        } catch {
            await report(api, false, "FailedDiscoveryCheck", error.message, registry)
            return false
        }
    }

    /// What the server serves.
    private func ask(_ api: RemoteAPI, _ registry: Registry) async throws(CallFailure) -> JSONValue {
        let url = Self.url(api, api.path)
        let answer: OutgoingCall.Answer
        do throws(CallFailure) { answer = try await get(api.path, of: api, registry) } catch {
            throw CallFailure(message: "failing or missing response from \(url): \(error.message)")
        }
        guard 200..<300 ~= answer.code, let list = try? JSONValue(parsing: answer.body) else {
            throw CallFailure(
                message: "failing or missing response from \(url): bad status from \(url): \(answer.code)")
        }
        return list
    }

    /// Asks in the server's own name: nobody looks at the certificate here, because nothing of a user is sent.
    private func get(
        _ path: String, of api: RemoteAPI, _ registry: Registry, knownTag: String = ""
    ) async throws(CallFailure) -> OutgoingCall.Answer {
        var headers = [("X-Remote-User", "system:kube-aggregator"), ("X-Remote-Group", "system:masters")]
        if !knownTag.isEmpty { headers.append(("If-None-Match", knownTag)) }
        let call = OutgoingCall(
            registry: registry, client: api.client, trust: .anybody, identity: identity, method: .GET,
            headers: headers, timeout: Self.checkTimeout, keepsConnection: false)
        return try await call.send([], url: Self.url(api, path))
    }

    private static func url(_ api: RemoteAPI, _ path: String) -> String {
        "https://\(api.service.serverName):\(api.service.port)\(path)"
    }

    /// Reads what the server says of its types; what cannot be had now stays as it was.
    private func learnTypes(of api: RemoteAPI, _ registry: Registry) async {
        let known = types(of: api)
        guard let index = try? await get("/openapi/v3", of: api, registry),
            let swagger = try? await get("/openapi/v2", of: api, registry, knownTag: known?.tag ?? "")
        else { return }
        let address = index.json?[["paths", String(api.path.dropFirst()), "serverRelativeURL"]]?.string
        let isKnown = swagger.code == 304
        let part =
            isKnown ? known?.swagger : swagger.json.flatMap { SwaggerPart($0, group: api.group, version: api.version) }
        let types = RemoteTypes(address: address, swagger: part, tag: isKnown ? known?.tag ?? "" : swagger.tag ?? "")
        state.withLock { $0.types[api.name] = types }
    }

    private func report(
        _ api: RemoteAPI, _ isTrue: Bool, _ reason: String, _ message: String, _ registry: Registry
    ) async {
        guard let kind = try? registry.kind(of: .apiServices) else { return }
        let target = Target(kind: kind, namespace: nil, name: api.name)
        let condition = APIAvailability.condition(isTrue: isTrue, reason, message, at: registry.now())
        _ = try? await registry.change(target, subresource: "status", WriteSettings()) { current in
            var object = current
            var conditions = Conditions(current.value[["status", "conditions"]])
            conditions.set(condition)
            object.value[["status", "conditions"]] = conditions.value
            return object
        }
    }

    // MARK: Passing on

    /// A secured way to a server, with its name checked unless its APIService says otherwise.
    func security(for api: RemoteAPI) throws -> OutgoingTLS {
        api.isInsecure
            ? try .unverified(identity)
            : try .verified(authorities: api.client.authorities, serverName: api.service.serverName, identity)
    }
}

extension OutgoingCall.Answer {
    /// The body of an answer that brings one.
    fileprivate var json: JSONValue? { code == 200 ? try? JSONValue(parsing: body) : nil }
}
