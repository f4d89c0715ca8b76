import KubeClient
import KubeModel
import ObjectStore

/// The answer of a sub-resource that is not an object of its kind.
struct SubresourceAnswer: Sendable {
    let code: Int
    let value: JSONValue
    var warnings: [String] = []
}

extension Registry {
    /// Sub-resources that are another way to write the object itself.
    private static let ownForms: Set<String> = ["status", "finalize", "ephemeralcontainers", "approval"]

    /// 404 unless the sub-resource exists and is written like the object itself.
    func checkChangeable(_ kind: KindSchema, _ subresource: String?) throws(Status) {
        guard let subresource else { return }
        guard Self.ownForms.contains(subresource), kind.subresources.contains(subresource) else {
            throw .unknownResource
        }
    }

    /// Calls a sub-resource by HTTP method, except those that stream.
    func call(
        _ method: String, _ target: Target, _ subresource: String, body: JSONValue?, _ settings: WriteSettings
    ) async throws(Status) -> SubresourceAnswer {
        guard target.kind.subresources.contains(subresource) else { throw .unknownResource }
        let body = body ?? [:]
        switch (method, subresource) {
        case ("GET", "scale"): return SubresourceAnswer(code: 200, value: try await scale(target))
        case ("PUT", "scale"):
            return SubresourceAnswer(code: 200, value: try await updateScale(target, body, settings))
        case ("POST", "binding") where target.resource == .pods:
            let warnings = try await bind(target, body, settings)
            return SubresourceAnswer(code: 201, value: SuccessStatus.created, warnings: warnings)
        case ("POST", "eviction") where target.resource == .pods:
            return SubresourceAnswer(
                code: 201, value: try await evict(target, body, settings))
        case ("POST", "token") where target.resource == .serviceAccounts:
            return SubresourceAnswer(code: 201, value: try await requestToken(target, body, settings))
        case ("GET", _) where Self.ownForms.contains(subresource):
            return SubresourceAnswer(code: 200, value: try await get(target).object.value)
        case ("PUT", _) where Self.ownForms.contains(subresource):
            let written = try await update(target, body: body, subresource: subresource, settings)
            return SubresourceAnswer(code: 200, value: written.object.value, warnings: written.warnings)
        default: throw .methodNotAllowed
        }
    }
}
