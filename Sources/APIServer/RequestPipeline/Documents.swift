import KubeModel
import Synchronization

/// What the server tells about itself: version, health, discovery, OpenAPI.
final class Documents: Sendable {
    /// A document as it goes over the wire, and the name of exactly this content.
    private struct Encoded {
        let bytes: [UInt8]
        let tag: String
    }

    private struct Shared {
        /// Of the catalog that the documents describe.
        var generation = -1
        var documents: [String: Encoded] = [:]
        /// OpenAPI documents by path and hash: those of groups that did not change outlive a change of the catalog.
        var openAPI: [String: Encoded] = [:]
        var openAPIHashes: [String: String] = [:]
    }

    private let registry: Registry
    private let shared = Mutex(Shared())
    private let swagger = SwaggerPages()

    init(_ registry: Registry) { self.registry = registry }

    /// What other servers serve.
    private var apis: [RemoteAPI] { registry.aggregator.apis(in: registry.store) }

    func answer(_ route: Route, _ request: APIRequest) async throws(Status) -> APIResponse {
        let (catalog, generation) = registry.liveCatalog.snapshot
        switch route {
        case .health: return .text("ok")
        case .version: return .json(Array(Self.version.utf8))
        case .core: return try discovery(isCore: true, request, catalog, generation)
        case .groups: return try discovery(isCore: false, request, catalog, generation)
        case .group(let name):
            guard
                let group = AggregatedDiscovery.group(name, own: Discovery.group(name, catalog: catalog), apis)
            else { return Self.pageNotFound }
            return .json(group)
        case .resourceList(let group, let version):
            guard let list = Discovery.resourceList(group: group, version: version, catalog: catalog) else {
                return Self.pageNotFound
            }
            return .json(list)
        case .openAPIv2: return try swagger.answer(request, catalog, generation, remoteTypes.map(\.types))
        case .openAPIv3Index: return openAPIIndex(request, catalog, generation)
        case .openAPIv3(let group, let version):
            if let api = registry.aggregator.api(group: group, version: version, in: registry.store) {
                return try await openAPI(of: api, request)
            }
            return openAPI(group, version, request, catalog, generation)
        case .resource, .unknown: return Self.pageNotFound
        }
    }

    static let pageNotFound = APIResponse.text("404 page not found\n", code: 404)

    /// kubectl chooses its own version by the minor version here.
    private static let version = """
        {
          "major": "1",
          "minor": "32",
          "gitVersion": "v1.32.4",
          "gitCommit": "",
          "gitTreeState": "clean",
          "buildDate": "2026-01-01T00:00:00Z",
          "goVersion": "",
          "compiler": "swift",
          "platform": "linux/amd64"
        }
        """

    // MARK: Discovery

    private func discovery(
        isCore: Bool, _ request: APIRequest, _ catalog: KindCatalog, _ generation: Int
    ) throws(Status) -> APIResponse {
        guard let form = Representation(accept: request.accept) else { throw .notAcceptable }
        guard form == .aggregatedDiscovery else {
            return .json(
                isCore
                    ? Discovery.apiVersions(serverAddress: registry.serverAddress?.text ?? ServerAddress.host)
                    : AggregatedDiscovery.groupList(Discovery.groupList(catalog), apis))
        }
        let headers = [("Content-Type", Discovery.aggregatedMediaType), ("Vary", "Accept")]
        if !isCore, !apis.isEmpty {
            let own = Discovery.aggregated(catalog, isCore: false)
            let bytes = AggregatedDiscovery.aggregated(own, apis) { registry.aggregator.resources(of: $0) }.encoded
            return answer(Encoded(bytes: bytes, tag: ContentHash.text(bytes)), request, headers)
        }
        let document = document(isCore ? "api" : "apis", generation) {
            Discovery.aggregated(catalog, isCore: isCore).encoded
        }
        return answer(document, request, headers)
    }

    /// A document that is made once for each state of the catalog.
    private func document(_ name: String, _ generation: Int, _ make: () -> [UInt8]) -> Encoded {
        let known = shared.withLock { shared in
            if shared.generation != generation {
                shared.generation = generation
                shared.documents = [:]
                shared.openAPIHashes = [:]
            }
            return shared.documents[name]
        }
        if let known { return known }
        let bytes = make()
        let encoded = Encoded(bytes: bytes, tag: ContentHash.text(bytes))
        shared.withLock { if $0.generation == generation { $0.documents[name] = encoded } }
        return encoded
    }

    /// The document, or 304 for a client that has it already.
    private func answer(
        _ document: Encoded, _ request: APIRequest, _ headers: [(name: String, value: String)]
    ) -> APIResponse {
        let headers = headers + [("ETag", "\"\(document.tag)\"")]
        if request.knows(tag: document.tag) {
            return APIResponse(code: 304, headers: headers, body: .bytes([]))
        }
        return APIResponse(code: 200, headers: headers, body: .bytes(document.bytes))
    }

    // MARK: OpenAPI

    private func openAPIIndex(_ request: APIRequest, _ catalog: KindCatalog, _ generation: Int) -> APIResponse {
        let headers = [("Cache-Control", "no-cache, private"), ("Content-Type", "application/json")]
        let others = remoteTypes
        guard !others.isEmpty else {
            return answer(
                document("openapi/v3", generation) { OpenAPIDocument.v3Index(catalog).encoded }, request, headers)
        }
        var index = OpenAPIDocument.v3Index(catalog)
        for (api, types) in others {
            guard let path = types.path(of: api) else { continue }
            index[["paths", String(api.path.dropFirst())]] = ["serverRelativeURL": .string(path)]
        }
        let bytes = index.encoded
        return answer(Encoded(bytes: bytes, tag: ContentHash.text(bytes)), request, headers)
    }

    /// The servers that say something of their types.
    private var remoteTypes: [(api: RemoteAPI, types: RemoteTypes)] {
        apis.compactMap { api in registry.aggregator.types(of: api).map { (api, $0) } }
    }

    /// What another server says of its types: in its own words, unless it has only the older ones.
    private func openAPI(of api: RemoteAPI, _ request: APIRequest) async throws(Status) -> APIResponse {
        if let types = registry.aggregator.types(of: api), types.address == nil {
            guard let document = types.converted else { return Self.pageNotFound }
            let path = types.path(of: api) ?? ""
            return answer(Encoded(bytes: document.encoded, tag: types.swaggerHash), path, request)
        }
        var request = request
        // Who may read the documents of this server may read those of all.
        request.user = UserInfo(name: "system:aggregator")
        return try await AggregatedRequest(registry: registry, api: api, request: request).answer()
    }

    private func hash(_ group: String, _ version: String, _ catalog: KindCatalog, _ generation: Int) -> String? {
        let key = "\(group)/\(version)"
        let known = shared.withLock { $0.generation == generation ? $0.openAPIHashes[key] : nil }
        guard let hash = known ?? OpenAPIDocument.hash(group: group, version: version, catalog: catalog) else {
            return nil
        }
        if known == nil { shared.withLock { if $0.generation == generation { $0.openAPIHashes[key] = hash } } }
        return hash
    }

    private func openAPI(
        _ group: String, _ version: String, _ request: APIRequest, _ catalog: KindCatalog, _ generation: Int
    ) -> APIResponse {
        guard let hash = hash(group, version, catalog, generation) else { return Self.pageNotFound }
        let path = group.isEmpty ? "api/\(version)" : "apis/\(group)/\(version)"
        let address = "/openapi/v3/\(path)?hash=\(hash)"
        let key = "\(group)/\(version)"
        let known = shared.withLock { $0.openAPI[key].flatMap { $0.tag == hash ? $0 : nil } }
        guard
            let bytes = known?.bytes
                ?? OpenAPIDocument.v3(group: group, version: version, catalog: catalog)?.encoded
        else { return Self.pageNotFound }
        let document = Encoded(bytes: bytes, tag: hash)
        if known == nil { shared.withLock { $0.openAPI[key] = document } }
        return answer(document, address, request)
    }

    /// A document whose address, as the index gives it, contains its hash.
    private func answer(_ document: Encoded, _ address: String, _ request: APIRequest) -> APIResponse {
        if let asked = request.query["hash"], asked != document.tag {
            // The content has changed since the index was read: on to the address of the present one.
            return APIResponse(code: 301, headers: [("Location", address)], body: .bytes([]))
        }
        var headers: [(name: String, value: String)] = [("Content-Type", "application/json")]
        if request.query["hash"] == nil {
            headers.append(("Cache-Control", "no-cache, private"))
        } else {
            // The hash is part of the address, so what is there never changes.
            headers.append(("Cache-Control", "public, immutable"))
        }
        return answer(document, request, headers)
    }
}

extension APIRequest {
    /// Whether the client has the content of this name already.
    func knows(tag: String) -> Bool {
        let tag = "\"\(tag)\""
        let known = ifNoneMatch?.split(separator: ",").map { $0.drop { $0 == " " } } ?? []
        return known.contains { $0 == tag || $0 == "W/\(tag)" }
    }
}
