import KubeClient
import KubeModel
import ObjectStore

/// A request about objects: finds the verb, reads its parameters, shapes the answer.
struct ResourceRequest {
    let registry: Registry
    let path: ResourcePath
    let request: APIRequest

    func answer() async throws(Status) -> APIResponse {
        let kind: KindSchema
        do throws(Status) {
            kind = try registry.kind(group: path.group, version: path.version, plural: path.plural)
        } catch {
            // A group or version that nobody serves is no place at all.
            let isServed = registry.catalog.kinds.contains {
                ($0.resource.group, $0.resource.version) == (path.group, path.version)
            }
            guard isServed else { return Documents.pageNotFound }
            throw error
        }
        if let name = path.name {
            guard path.namespace != nil || !kind.resource.isNamespaced else { throw .unknownResource }
            if path.subresource == "proxy", kind.subresources.contains("proxy") {
                return try await ProxyRequest(registry: registry, path: path, request: request).answer()
            }
            let target = Target(kind: kind, namespace: path.namespace, name: name)
            if let subresource = path.subresource {
                return try WebSocketStream.wrap(try await answer(target, subresource), request)
            }
            return try await answer(target)
        }
        return try WebSocketStream.wrap(try await answer(kind), request)
    }

    // MARK: Collections

    private func answer(_ kind: KindSchema) async throws(Status) -> APIResponse {
        guard !kind.isComputed || request.method == "GET" else { throw .methodNotAllowed }
        switch request.method {
        case "GET":
            return try await read(kind)
        case "POST":
            guard path.namespace != nil || !kind.resource.isNamespaced else { throw .methodNotAllowed }
            let body = try body(kind)
            if kind.resource == .bindings { return try await bind(body) }
            let written = try await registry.create(
                kind, namespace: path.namespace, body: body.value, settings(body.duplicateFields))
            return try presenter(kind).object(written, code: 201)
        case "DELETE":
            guard kind.verbs.contains("deletecollection") else { throw .methodNotAllowed }
            let options = try options.delete()
            let page = try await registry.deleteCollection(
                kind, namespace: path.namespace, listQuery(kind), options.options, settings(options))
            return try presenter(kind).list(page)
        default: throw .methodNotAllowed
        }
    }

    /// The older way to put a pod on a node: the name is in the body alone.
    private func bind(_ body: RequestBody) async throws(Status) -> APIResponse {
        let name = body.value[["metadata", "name"]]?.string ?? ""
        let pod = Target(kind: try registry.kind(of: .pods), namespace: path.namespace, name: name)
        let warnings = try await registry.bind(pod, body.value, settings(body.duplicateFields))
        return .json(SuccessStatus.created, code: 201, warnings: warnings)
    }

    /// A list or a watch.
    private func read(_ kind: KindSchema) async throws(Status) -> APIResponse {
        let presenter = try presenter(kind)
        let parameters = try ListParameters(request.query)
        let selection = try Selection(
            kind, labelSelector: parameters.labelSelector, fieldSelector: parameters.fieldSelector)
        if kind.isComputed {
            guard !parameters.isWatch else { throw .methodNotAllowed }
            return try presenter.list(
                try await registry.computedList(kind, namespace: path.namespace, selection))
        }
        if parameters.isWatch { return try await watch(kind, parameters, selection, presenter) }
        if parameters.match != "Exact", parameters.continueToken.isEmpty, parameters.limit <= 0 {
            try await registry.waitUntilFresh(parameters.resourceVersion)
        }
        return try presenter.list(
            try await registry.list(kind, namespace: path.namespace, ListQuery(parameters, selection)))
    }

    private func listQuery(_ kind: KindSchema) throws(Status) -> ListQuery {
        let parameters = try ListParameters(request.query)
        return ListQuery(
            parameters,
            try Selection(kind, labelSelector: parameters.labelSelector, fieldSelector: parameters.fieldSelector))
    }

    private func watch(
        _ kind: KindSchema, _ parameters: ListParameters, _ selection: Selection, _ presenter: Presenter
    ) async throws(Status) -> APIResponse {
        guard Negotiation(accept: request.accept)?.encoding == .json else { throw .streamNotAcceptable }
        var query = WatchQuery(
            selection: selection, resourceVersion: parameters.resourceVersion,
            sendsInitialEvents: parameters.sendsInitialEvents, allowsBookmarks: parameters.allowsBookmarks)
        var failure: Status?
        if parameters.sendsInitialEvents == true {
            do throws(Status) {
                try await registry.waitUntilFresh(parameters.resourceVersion)
            } catch {
                // A watch that is understood tells its failures as events.
                guard error.code == 504 else { throw error }
                failure = error
                query.sendsInitialEvents = false
            }
        }
        var cursor = try await WatchCursor(registry, kind, namespace: path.namespace, query)
        if let failure { cursor.fail(failure) }
        let timeout = parameters.timeoutSeconds.flatMap { $0 > 0 ? $0 : nil }
        let stream = WatchStream(
            cursor, resource: kind.resource, presenter: presenter, sendsBookmarks: query.allowsBookmarks,
            timeout: .seconds(timeout ?? Int.random(in: 1800...3600)))
        return .watch(stream)
    }

    // MARK: Objects

    private func answer(_ target: Target) async throws(Status) -> APIResponse {
        let kind = target.kind
        if kind.isComputed {
            guard request.method == "GET" else { throw .methodNotAllowed }
            return try presenter(kind).object(Written(unstored: try await registry.computedObject(target)))
        }
        switch request.method {
        case "GET":
            let presenter = try presenter(kind)
            try await registry.waitUntilFresh(request.query["resourceVersion"])
            return try presenter.object(Written(try await registry.get(target)))
        case "PUT":
            let body = try body(kind)
            let written = try await registry.update(
                target, body: body.value, subresource: nil, settings(body.duplicateFields))
            return try presenter(kind).object(written, code: written.isCreated ? 201 : 200)
        case "PATCH": return try await patch(target, subresource: nil)
        case "DELETE":
            let options = try options.delete()
            let deleted = try await registry.delete(target, options.options, settings(options))
            return try answer(deleted, target, options.options)
        default: throw .methodNotAllowed
        }
    }

    /// Resources whose DELETE answers with the object although it is gone.
    private static let returnsDeleted: Set<ResourceType> = [
        .pods, .services, .serviceAccounts, .podTemplates, .resourceQuotas, .persistentVolumes,
        .persistentVolumeClaims,
    ]

    private func answer(_ deleted: Deleted, _ target: Target, _ options: DeleteOptions) throws(Status) -> APIResponse {
        if deleted.isGone, !Self.returnsDeleted.contains(target.resource) {
            return .json(SuccessStatus.deleted(target.resource, deleted.object))
        }
        let code = !deleted.isGone && options.orphanDependents == false ? 202 : 200
        return try presenter(target.kind).object(Written(unstored: deleted.object), code: code)
    }

    private func patch(_ target: Target, subresource: String?) async throws(Status) -> APIResponse {
        let type = try RequestBody.patchType(request, isCustom: target.kind.custom != nil)
        var settings = try options.settings([], patch: type)
        let patch: ObjectPatch
        do throws(Status) {
            (patch, settings.duplicateFields) = try RequestBody.patch(request, type)
        } catch {
            // An object that is not there comes first, unless the patch could make it.
            if type != .apply { _ = try await registry.get(target) }
            throw error
        }
        if subresource == "scale" {
            return .json(try await registry.patchScale(target, patch, settings))
        }
        try registry.checkChangeable(target.kind, subresource)
        let written = try await registry.patch(target, patch, subresource: subresource, settings)
        return try presenter(target.kind).object(written, code: written.isCreated ? 201 : 200)
    }

    // MARK: Sub-resources

    private func answer(_ target: Target, _ subresource: String) async throws(Status) -> APIResponse {
        if target.resource == .pods, StreamRequest.subresources.contains(subresource) {
            return try await StreamRequest(registry: registry, target: target, request: request).answer(subresource)
        }
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
        var includes = TableWriter.Included.metadata
        if case .table = form { includes = try TableWriter.Included(request.query["includeObject"]) }
        return Presenter(
            kind: kind, form: form, includes: includes, now: registry.now, lineCache: registry.eventLines)
    }

    private func body(_ kind: KindSchema) throws(Status) -> RequestBody {
        guard let body = try RequestBody.object(request, kind: kind.resource.kind) else {
            throw .badRequest(
                "the object provided is unrecognized (must be of type \(kind.resource.kind)): "
                    + "couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)")
        }
        return body
    }

    private var options: RequestOptions { RequestOptions(request: request) }

    private func settings(_ deletion: (options: DeleteOptions, isDryRun: Bool)) -> WriteSettings {
        WriteSettings(deletion.options, isDryRun: deletion.isDryRun, caller: request.user, request.open)
    }

    private func settings(_ duplicateFields: [String]) throws(Status) -> WriteSettings {
        try options.settings(duplicateFields)
    }
}

extension String {
    fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
