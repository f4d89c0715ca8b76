import KubeClient
import KubeModel

/// What a request carries, read by its media type.
struct RequestBody {
    var value: JSONValue
    /// Members that are given twice, as dotted paths.
    var duplicateFields: [String] = []

    /// The largest body that is read, in bytes; patches and objects alike.
    static let bytesMax = 3 * 1024 * 1024

    private static let objectTypes = ["application/json", ProtobufBody.mediaType]
    private static let patchTypes: [ObjectPatch.Kind] = [.json, .merge, .strategic, .apply]

    /// The object of a POST, PUT or DELETE; nil for an empty body.
    static func object(_ request: APIRequest, kind: String) throws(Status) -> RequestBody? {
        guard !request.body.isEmpty else { return nil }
        switch MediaType(request.contentType ?? "application/json").name {
        case ProtobufBody.mediaType:
            do throws(ProtobufError) {
                return RequestBody(value: try ProtobufBody.decode(request.body))
            } catch {
                throw .badRequest("the object provided is unrecognized (must be of type \(kind)): \(error.message)")
            }
        case "application/json", "": return try json(request.body, kind: kind)
        default: throw .unsupportedMediaType(accepted: objectTypes)
        }
    }

    /// The body of a PATCH.
    ///
    /// Custom resources have no types by which a strategic merge patch could be told what to merge: `isCustom` refuses it.
    static func patch(
        _ request: APIRequest, kind: String, isCustom: Bool = false
    ) throws(Status) -> (patch: ObjectPatch, duplicateFields: [String]) {
        let name = MediaType(request.contentType ?? "").name
        let types = isCustom ? patchTypes.filter { $0 != .strategic } : patchTypes
        guard let type = ObjectPatch.Kind(rawValue: name), types.contains(type) else {
            throw .unsupportedMediaType(accepted: types.map(\.rawValue))
        }
        let body: RequestBody
        do throws(JSONError) {
            body = try parse(request.body)
        } catch {
            if type == .apply { throw .badRequest("error decoding YAML: \(error.description)") }
            throw .badRequest("error decoding patch: \(error.description)")
        }
        if type == .merge || type == .strategic, body.value.object == nil {
            throw .badRequest(
                "error decoding patch: json: cannot unmarshal into Go value of type map[string]interface {}")
        }
        return (ObjectPatch(type, body.value), body.duplicateFields)
    }

    private static func parse(_ bytes: [UInt8]) throws(JSONError) -> RequestBody {
        var duplicates: [String] = []
        let value = try JSONValue(parsing: bytes, onDuplicate: { duplicates.append($0) })
        return RequestBody(value: value, duplicateFields: duplicates)
    }

    private static func json(_ bytes: [UInt8], kind: String) throws(Status) -> RequestBody {
        do throws(JSONError) {
            return try parse(bytes)
        } catch {
            // The beginning of the body in hexadecimal, as far as it helps to recognise it.
            let start = bytes.prefix(30).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
            throw .badRequest(
                "the object provided is unrecognized (must be of type \(kind)): couldn't get version/kind; "
                    + "json parse error: \(error.description) (\(start)\(bytes.count > 30 ? " ..." : ""))")
        }
    }
}
