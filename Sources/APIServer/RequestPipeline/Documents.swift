import KubeModel
import Synchronization

/// What the server tells about itself: version, health, discovery, OpenAPI.
final class Documents: Sendable {
    private let catalog: KindCatalog
    /// OpenAPI documents are large and never change, so each is encoded once, when it is first wanted.
    private let encoded = Mutex<[String: [UInt8]]>([:])

    init(catalog: KindCatalog) { self.catalog = catalog }

    func answer(_ route: Route, _ request: APIRequest) throws(Status) -> APIResponse {
        switch route {
        case .health: return .text("ok")
        case .version: return .json(Array(Self.version.utf8))
        case .core: return try discovery(isCore: true, request)
        case .groups: return try discovery(isCore: false, request)
        case .group(let name):
            guard let group = Discovery.group(name, catalog: catalog) else { return Self.pageNotFound }
            return .json(group)
        case .resourceList(let group, let version):
            guard let list = Discovery.resourceList(group: group, version: version, catalog: catalog) else {
                return Self.pageNotFound
            }
            return .json(list)
        case .openAPIv2:
            return APIResponse(
                code: 200, headers: [("Content-Type", OpenAPIDocument.v2MediaType)],
                body: .bytes(OpenAPIDocument.v2Protobuf))
        case .openAPIv3Index: return .json(OpenAPIDocument.v3Index(catalog))
        case .openAPIv3(let group, let version): return openAPI(group, version, request)
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

    private func discovery(isCore: Bool, _ request: APIRequest) throws(Status) -> APIResponse {
        guard let form = Representation(accept: request.accept) else { throw .notAcceptable }
        guard form == .aggregatedDiscovery else {
            return .json(
                isCore ? Discovery.apiVersions(serverAddress: "127.0.0.1") : Discovery.groupList(catalog))
        }
        var response = APIResponse.json(Discovery.aggregated(catalog, isCore: isCore))
        response.headers = [("Content-Type", Discovery.aggregatedMediaType), ("Vary", "Accept")]
        return response
    }

    private func openAPI(_ group: String, _ version: String, _ request: APIRequest) -> APIResponse {
        let key = "\(group)/\(version)"
        let known = encoded.withLock { $0[key] }
        guard let bytes = known ?? OpenAPIDocument.v3(group: group, version: version, catalog: catalog)?.encoded else {
            return Self.pageNotFound
        }
        if known == nil { encoded.withLock { $0[key] = bytes } }
        let tag = "\"\(request.query["hash"] ?? "")\""
        guard request.query["hash"] != nil else { return .json(bytes) }
        // The hash is part of the address, so what is there never changes.
        let headers: [(name: String, value: String)] = [
            ("Cache-Control", "public, immutable"), ("Content-Type", "application/json"), ("ETag", tag),
        ]
        if request.ifNoneMatch == tag { return APIResponse(code: 304, headers: headers, body: .bytes([])) }
        return APIResponse(code: 200, headers: headers, body: .bytes(bytes))
    }
}
