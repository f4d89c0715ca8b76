import KubeModel
import Synchronization

/// `/openapi/v2` in the forms that clients ask for.
///
/// Nothing is made before somebody asks, and only compressed bytes are kept: the document is some megabytes long.
final class SwaggerPages: Sendable {
    private enum Form: String {
        case json = "application/json"
        case protobuf = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"

        /// The names by which clients ask for the form.
        var names: [String] {
            switch self {
            case .json: [rawValue]
            case .protobuf: ["application/com.github.proto-openapi.spec.v2@v1.0+protobuf", rawValue]
            }
        }
    }

    private struct Page {
        let compressed: [UInt8]
        let tag: String
    }

    private struct Pages {
        var edition: Edition?
        var pages: [Form: Page] = [:]
    }

    /// What the pages describe: a catalog, and parts of other servers' documents.
    private struct Edition: Equatable {
        let generation: Int
        let parts: [String]
    }

    private let shared = Mutex(Pages())

    /// - Parameter others: What other servers say of their types.
    func answer(
        _ request: APIRequest, _ catalog: KindCatalog, _ generation: Int, _ others: [RemoteTypes]
    ) throws(Status) -> APIResponse {
        guard let form = Self.form(request.accept) else {
            return APIResponse(code: 406, headers: [("Vary", "Accept")], body: .bytes([]))
        }
        let page = try page(form, catalog, generation, others)
        var headers: [(name: String, value: String)] = [
            ("Content-Type", form.rawValue), ("Vary", "Accept"), ("ETag", "\"\(page.tag)\""),
        ]
        if request.knows(tag: page.tag) { return APIResponse(code: 304, headers: headers, body: .bytes([])) }
        if request.values(of: "accept-encoding").contains(where: { AnswerShape.names("gzip", in: $0) }) {
            headers += [("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]
            return APIResponse(code: 200, headers: headers, body: .bytes(page.compressed))
        }
        guard let bytes = Gzip.expand(page.compressed) else { throw Self.noMemory }
        return APIResponse(code: 200, headers: headers, body: .bytes(bytes))
    }

    private static let noMemory = Status.internalError("there is no memory for the OpenAPI document")

    /// The first form of an `Accept` header that there is; nil if there is none.
    private static func form(_ accept: String?) -> Form? {
        guard let accept, !accept.isEmpty else { return .json }
        for type in MediaType.accepted(accept) {
            if let form = [Form.json, .protobuf].first(where: { $0.names.contains(where: type.allows) }) {
                return form
            }
        }
        return nil
    }

    private func page(
        _ form: Form, _ catalog: KindCatalog, _ generation: Int, _ others: [RemoteTypes]
    ) throws(Status) -> Page {
        let edition = Edition(generation: generation, parts: others.map(\.swaggerHash))
        let known = shared.withLock { $0.edition == edition ? $0.pages[form] : nil }
        if let known { return known }
        var document = SwaggerDocument.make(catalog)
        for part in others.compactMap(\.swagger) { part.merge(into: &document) }
        let bytes = form == .json ? document.encoded : SwaggerProtobuf.encode(document)
        guard let compressed = Gzip.compress(bytes) else { throw Self.noMemory }
        let page = Page(compressed: compressed, tag: ContentHash.text(bytes))
        shared.withLock { shared in
            if shared.edition != edition { shared = Pages(edition: edition) }
            shared.pages[form] = page
        }
        return page
    }
}
