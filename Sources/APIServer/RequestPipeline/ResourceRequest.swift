import KubeClient
import KubeModel
import ObjectStore

/// A request about objects: finds the verb, reads its parameters, shapes the answer.
struct ResourceRequest {
    let registry: Registry
    let path: ResourcePath
    let request: APIRequest

    func answer() async throws(Status) -> APIResponse {
        let kind = try registry.kind(group: path.group, version: path.version, plural: path.plural)
        if let name = path.name {
            guard path.namespace != nil || !kind.resource.isNamespaced else { throw .unknownResource }
            let target = Target(kind: kind, namespace: path.namespace, name: name)
            if let subresource = path.subresource { return try await answer(target, subresource) }
            return try await answer(target)
        }
        return try await answer(kind)
    }

    // MARK: Collections

    private func answer(_ kind: KindSchema) async throws(Status) -> APIResponse {
        switch request.method {
        case "GET":
            if request.query.flag("watch") { return try watch(kind) }
            return try presenter(kind).list(try registry.list(kind, namespace: path.namespace, listQuery(kind)))
        case "POST":
            guard path.namespace != nil || !kind.resource.isNamespaced else { throw .methodNotAllowed }
            let body = try body(kind)
            let written = try await registry.create(
                kind, namespace: path.namespace, body: body.value, settings(body.duplicateFields))
            return try presenter(kind).object(written, code: 201)
        case "DELETE":
            guard kind.verbs.contains("deletecollection") else { throw .methodNotAllowed }
            let options = try deleteOptions()
            let page = try await registry.deleteCollection(
                kind, namespace: path.namespace, listQuery(kind), options.options, isDryRun: options.isDryRun)
            return try presenter(kind).list(page)
        default: throw .methodNotAllowed
        }
    }

    private func selection(_ kind: KindSchema) throws(Status) -> Selection {
        try Selection(
            kind, labelSelector: request.query["labelSelector"], fieldSelector: request.query["fieldSelector"])
    }

    private func listQuery(_ kind: KindSchema) throws(Status) -> ListQuery {
        ListQuery(
            selection: try selection(kind), limit: request.query.int("limit"),
            continueToken: request.query["continue"], resourceVersion: request.query["resourceVersion"],
            resourceVersionMatch: request.query["resourceVersionMatch"].flatMap { $0.isEmpty ? nil : $0 })
    }

    private func watch(_ kind: KindSchema) throws(Status) -> APIResponse {
        let query = WatchQuery(
            selection: try selection(kind), resourceVersion: request.query["resourceVersion"],
            sendsInitialEvents: request.query.optionalFlag("sendInitialEvents"),
            allowsBookmarks: request.query.flag("allowWatchBookmarks"))
        let cursor = try WatchCursor(registry, kind, namespace: path.namespace, query)
        let timeout = request.query.int("timeoutSeconds").flatMap { $0 > 0 ? $0 : nil }
        let stream = WatchStream(
            cursor, resource: kind.resource, presenter: try presenter(kind), sendsBookmarks: query.allowsBookmarks,
            timeout: .seconds(timeout ?? Int.random(in: 1800...3600)))
        return .stream(WatchStream.bytes(stream), contentType: "application/json")
    }

    // MARK: Objects

    private func answer(_ target: Target) async throws(Status) -> APIResponse {
        let kind = target.kind
        switch request.method {
        case "GET": return try presenter(kind).object(Written(try registry.get(target)))
        case "PUT":
            let body = try body(kind)
            let written = try await registry.update(
                target, body: body.value, subresource: nil, settings(body.duplicateFields))
            return try presenter(kind).object(written)
        case "PATCH": return try await patch(target, subresource: nil)
        case "DELETE":
            let options = try deleteOptions()
            let deleted = try await registry.delete(target, options.options, isDryRun: options.isDryRun)
            return try answer(deleted, target, options.options)
        default: throw .methodNotAllowed
        }
    }

    /// Resources whose DELETE answers with the object although it is gone.
    private static let returnsDeleted: Set<ResourceType> = [.pods, .services, .serviceAccounts]

    private func answer(_ deleted: Deleted, _ target: Target, _ options: DeleteOptions) throws(Status) -> APIResponse {
        if deleted.isGone, !Self.returnsDeleted.contains(target.resource) {
            return .json(SuccessStatus.deleted(target.resource, deleted.object))
        }
        let code = !deleted.isGone && options.propagation == .foreground ? 202 : 200
        return try presenter(target.kind).object(Written(unstored: deleted.object), code: code)
    }

    private func patch(_ target: Target, subresource: String?) async throws(Status) -> APIResponse {
        let (patch, duplicates) = try RequestBody.patch(
            request, kind: target.resource.kind, isCustom: target.kind.custom != nil)
        if patch.kind == .apply, request.query["fieldManager"] ?? "" == "" {
            let options = ResourceType(group: "meta.k8s.io", version: "v1", kind: "PatchOptions", plural: "")
            throw .invalid(
                options, name: "", [.required(FieldPath("fieldManager"), "is required for apply patch")])
        }
        let settings = try settings(duplicates)
        if subresource == "scale" {
            return .json(try await registry.patchScale(target, patch, settings))
        }
        try registry.checkChangeable(target.kind, subresource)
        let written = try await registry.patch(target, patch, subresource: subresource, settings)
        return try presenter(target.kind).object(written, code: written.isCreated ? 201 : 200)
    }

    // MARK: Sub-resources

    private func answer(_ target: Target, _ subresource: String) async throws(Status) -> APIResponse {
        switch (request.method, subresource) {
        case ("GET", "log") where target.resource == .pods:
            let stream = try await registry.logs(target, options: try LogOptions(request.query))
            return .stream(stream, contentType: "text/plain")
        case ("PATCH", _):
            guard target.kind.subresources.contains(subresource) else { throw .unknownResource }
            return try await patch(target, subresource: subresource)
        default:
            let body = try RequestBody.object(request, kind: subresource.capitalizedFirst)
            let answer = try await registry.call(
                request.method, target, subresource, body: body?.value, settings(body?.duplicateFields ?? []))
            return .json(answer.value, code: answer.code, warnings: answer.warnings)
        }
    }

    // MARK: Parameters

    private func presenter(_ kind: KindSchema) throws(Status) -> Presenter {
        guard let form = Representation(accept: request.accept) else { throw .notAcceptable }
        return Presenter(
            kind: kind, form: form, includes: request.query["includeObject"] ?? "Metadata", now: registry.now)
    }

    private func body(_ kind: KindSchema) throws(Status) -> RequestBody {
        guard let body = try RequestBody.object(request, kind: kind.resource.kind) else {
            throw .badRequest(
                "the object provided is unrecognized (must be of type \(kind.resource.kind)): "
                    + "couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)")
        }
        return body
    }

    private func settings(_ duplicateFields: [String]) throws(Status) -> WriteSettings {
        var settings = WriteSettings(isDryRun: try isDryRun(), duplicateFields: duplicateFields)
        if let text = request.query["fieldValidation"], !text.isEmpty {
            guard let validation = FieldValidation(rawValue: text) else {
                throw .badRequest("fieldValidation: Unsupported value: \"\(text)\"")
            }
            settings.fieldValidation = validation
        }
        return settings
    }

    private func isDryRun() throws(Status) -> Bool {
        switch request.query["dryRun"] ?? "" {
        case "": return false
        case "All": return true
        case let other: throw .badRequest("dryRun: Unsupported value: \"\(other)\": supported values: \"All\"")
        }
    }

    private func deleteOptions() throws(Status) -> (options: DeleteOptions, isDryRun: Bool) {
        let body = try RequestBody.object(request, kind: "DeleteOptions")?.value
        var options = DeleteOptions(body)
        if let seconds = request.query.int("gracePeriodSeconds") { options.gracePeriodSeconds = seconds }
        if let text = request.query["propagationPolicy"], let propagation = DeleteOptions.Propagation(rawValue: text) {
            options.propagation = propagation
        }
        let bodyIsDryRun = body?["dryRun"]?.array?.contains("All") ?? false
        return (options, try isDryRun() || bodyIsDryRun)
    }
}

extension String {
    fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
