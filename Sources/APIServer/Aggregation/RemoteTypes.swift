import KubeModel

/// What another API server says of the types that it serves.
///
/// Source: kube-aggregator, `pkg/controllers/openapi` and `openapiv3`.
struct RemoteTypes: Sendable, Equatable {
    /// The address of its document for this group and version; nil for a server that does not have one.
    let address: String?
    /// Its part of `/openapi/v2`; nil for a server that says nothing there.
    let swagger: SwaggerPart?
    /// What the server calls the swagger document that this was read from.
    let tag: String
    /// Of the part; empty without one.
    let swaggerHash: String

    init(address: String?, swagger: SwaggerPart?, tag: String) {
        self.address = address
        self.swagger = swagger
        self.tag = tag
        swaggerHash =
            swagger.map {
                ContentHash.text(JSONValue.object($0.paths).encoded + JSONValue.object($0.definitions).encoded)
            } ?? ""
    }

    /// Where clients find the document for the group and version; nil where there is none.
    func path(of api: RemoteAPI) -> String? {
        let path = "/openapi/v3\(api.path)"
        if let address { return address.hasPrefix(path) ? address : path }
        return swagger == nil ? nil : "\(path)?hash=\(swaggerHash)"
    }

    /// The document for a server that has only the older form.
    var converted: JSONValue? {
        swagger.map { SwaggerConversion.openAPI(paths: $0.paths, definitions: $0.definitions) }
    }
}
