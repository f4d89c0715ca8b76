import KubeClient
import KubeModel

/// What a request carries, read by its media type.
struct RequestBody {
    var value: JSONValue
    /// Members that are given twice, as dotted paths.
    var duplicateFields: [String] = []

    /// The largest body that is read, in bytes; patches and objects alike.
    static let bytesMax = 3 * 1024 * 1024

    private static let objectTypes = ["application/json", "application/yaml", ProtobufBody.mediaType]
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
        case "application/yaml": return try yaml(request.body, kind: kind)
        default: throw .unsupportedMediaType(accepted: objectTypes)
        }
    }

    /// How the body of a PATCH is to be read; 415 for types that no patch has.
    ///
    /// Custom resources have no types by which a strategic merge patch could be told what to merge: `isCustom` refuses it.
    static func patchType(_ request: APIRequest, isCustom: Bool = false) throws(Status) -> ObjectPatch.Kind {
        let types = isCustom ? patchTypes.filter { $0 != .strategic } : patchTypes
        guard let type = ObjectPatch.Kind(rawValue: MediaType(request.contentType ?? "").name), types.contains(type)
        else {
            throw .unsupportedMediaType(accepted: types.map(\.rawValue))
        }
        return type
    }

    /// The body of a PATCH, with the members that it gives twice.
    static func patch(
        _ request: APIRequest, _ type: ObjectPatch.Kind
    ) throws(Status) -> (patch: ObjectPatch, duplicateFields: [String]) {
        var duplicates: [String] = []
        let value: JSONValue
        if type == .apply {
            do throws(YAMLError) {
                value = try JSONValue(parsingYAML: request.body) { duplicates.append($0) }
            } catch {
                throw .badRequest("error decoding patch: \(error.message)")
            }
        } else {
            do throws(JSONError) {
                value = try JSONValue(parsing: request.body) { duplicates.append($0) }
            } catch {
                throw .badRequest((type == .strategic ? "" : "error decoding patch: ") + error.message)
            }
        }
        if let complaint = misfit(value, type) { throw .badRequest(complaint) }
        return (ObjectPatch(type, value), duplicates)
    }

    /// What is wrong with the shape of a patch; nil if nothing is.
    private static func misfit(_ value: JSONValue, _ type: ObjectPatch.Kind) -> String? {
        let found =
            switch value {
            case .null: "null"
            case .bool: "bool"
            case .int, .double: "number"
            case .string: "string"
            case .array: "array"
            case .object: "object"
            }
        func cannot(_ wanted: String) -> String { "json: cannot unmarshal \(found) into Go value of type \(wanted)" }
        switch (type, value) {
        case (.json, .array(let operations)):
            guard let bad = operations.first(where: { $0.object == nil }) else { return nil }
            let name = bad.array == nil ? bad.string == nil ? bad.bool == nil ? "number" : "bool" : "string" : "array"
            return "error decoding patch: json: cannot unmarshal \(name) into Go value of type handlers.jsonPatchOp"
        case (.json, _): return "error decoding patch: " + cannot("[]handlers.jsonPatchOp")
        case (_, .object): return nil
        case (.merge, _): return "error decoding patch: " + cannot("map[string]interface {}")
        case (.strategic, _): return cannot("map[string]interface {}")
        case (.apply, _):
            return "error decoding patch: error unmarshaling JSON: while decoding JSON: "
                + cannot("map[string]interface {}")
        }
    }

    private static func parse(_ bytes: [UInt8]) throws(JSONError) -> RequestBody {
        var duplicates: [String] = []
        let value = try JSONValue(parsing: bytes, onDuplicate: { duplicates.append($0) })
        return RequestBody(value: value, duplicateFields: duplicates)
    }

    private static func yaml(_ bytes: [UInt8], kind: String) throws(Status) -> RequestBody {
        var duplicates: [String] = []
        do throws(YAMLError) {
            let value = try JSONValue(parsingYAML: bytes) { duplicates.append($0) }
            return RequestBody(value: value, duplicateFields: duplicates)
        } catch {
            throw .badRequest(
                "the object provided is unrecognized (must be of type \(kind)): couldn't get version/kind; "
                    + "json parse error: \(error.message)")
        }
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
