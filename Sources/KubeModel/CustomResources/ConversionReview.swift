/// A question to a webhook for objects in another version, and how its answer is read (`apiextensions.k8s.io`).
///
/// Source: apiextensions-apiserver, `pkg/apiserver/conversion/webhook_converter.go`.
public struct ConversionReview: Sendable {
    private let uid: String
    private let apiVersion: String
    private let objects: [KubeObject]
    /// The version that is wanted, for example `stable.example.com/v2`.
    private let wanted: String

    /// - Parameter objects: At least one, none of them in the wanted version.
    public init(_ objects: [KubeObject], to wanted: String, version: String, uid: String) {
        self.objects = objects
        self.wanted = wanted
        self.uid = uid
        apiVersion = "apiextensions.k8s.io/\(version)"
    }

    /// Why objects were not converted.
    public struct Fault: Error, Sendable, Hashable { public let message: String }

    /// What messages are about: the type of the first object.
    private var subject: String {
        "conversion webhook for \(objects.first?.apiVersion ?? ""), Kind=\(objects.first?.kind ?? "")"
    }

    /// That the call itself failed, as the client is told it.
    public func failure(_ why: String) -> Fault { Fault(message: "\(subject) failed: \(why)") }

    /// The body of the call.
    public var bytes: [UInt8] {
        let body: JSONValue = [
            "kind": "ConversionReview", "apiVersion": .string(apiVersion),
            "request": [
                "uid": .string(uid), "desiredAPIVersion": .string(wanted), "objects": .array(objects.map(\.value)),
            ],
        ]
        return body.encoded
    }

    /// The converted objects of an answer, in the order of the question.
    public func converted(_ review: JSONValue) throws(Fault) -> [KubeObject] {
        let values = try objects(in: review)
        guard values.count == objects.count else {
            throw Fault(message: "\(subject) returned \(values.count) objects, expected \(objects.count)")
        }
        var converted: [KubeObject] = []
        for (index, (value, original)) in zip(values, objects).enumerated() {
            do throws(Fault) {
                converted.append(try Self.restoring(KubeObject(value), from: original, wanted))
            } catch {
                throw Fault(message: "\(subject) returned \(place(index, error))")
            }
        }
        return converted
    }

    private func place(_ index: Int, _ fault: Fault) -> String {
        let isMetadata = fault.message.hasPrefix("metadata: ")
        let what = isMetadata ? "metadata" : objects.count == 1 ? "object" : "converted object"
        let isNumbered = objects.count > 1 || fault.message.hasPrefix("invalid ")
        let object = isMetadata && isNumbered ? " in object" : ""
        let text = isMetadata ? String(fault.message.dropFirst("metadata: ".count)) : fault.message
        return "invalid \(what)\(object)\(isNumbered ? " at index \(index)" : ""): \(text)"
    }

    private func objects(in review: JSONValue) throws(Fault) -> [JSONValue] {
        let response = review["response"] ?? .null
        if apiVersion == "apiextensions.k8s.io/v1" {
            let (version, kind) = (review["apiVersion"]?.string ?? "", review["kind"]?.string ?? "")
            guard version == apiVersion, kind == "ConversionReview" else {
                let shown = version.contains("/") ? version : "/\(version)"
                throw failure(
                    "expected webhook response of \(apiVersion), Kind=ConversionReview, got \(shown), Kind=\(kind)")
            }
        }
        guard !response.isNull else { throw failure("no response provided") }
        if apiVersion == "apiextensions.k8s.io/v1" {
            let given = response["uid"]?.string ?? ""
            guard given == uid else {
                throw failure("expected response.uid=\(GoText.quote(uid)), got \(GoText.quote(given))")
            }
        }
        let status = response[["result", "status"]]?.string ?? ""
        guard status == "Success" else {
            let message = response[["result", "message"]]?.string ?? ""
            throw failure(message.isEmpty ? "response.result.status was '\(status)', not 'Success'" : message)
        }
        return response["convertedObjects"]?.array ?? []
    }

    // MARK: What a conversion may change

    /// The converted object with the metadata of the original, except labels and annotations.
    private static func restoring(
        _ converted: KubeObject, from original: KubeObject, _ wanted: String
    ) throws(Fault) -> KubeObject {
        func same(_ what: String, _ left: String, _ right: String) throws(Fault) {
            guard left == right else { throw Fault(message: "must have the same \(what): \(left) != \(right)") }
        }
        guard converted.apiVersion == wanted else {
            throw Fault(message: "invalid groupVersion (expected \(wanted), received \(converted.apiVersion))")
        }
        guard converted.kind == original.kind else {
            throw Fault(message: "invalid kind (expected \(original.kind), received \(converted.kind))")
        }
        try same("name", original.name, converted.name)
        try same("namespace", original.namespace ?? "", converted.namespace ?? "")
        try same("UID", original.uid, converted.uid)
        guard let metadata = converted.value["metadata"] else {
            throw Fault(message: "metadata: missing metadata in converted object")
        }
        guard metadata.object != nil else {
            throw Fault(message: "metadata: invalid metadata of type \(goType(metadata)) in converted object")
        }
        var object = converted
        object.value["metadata"] = original.value["metadata"] ?? [:]
        for field in ["labels", "annotations"] {
            let texts = metadata[field].flatMap { $0.isNull ? nil : $0 }
            if let texts, texts != original.value[["metadata", field]] { try check(texts, field) }
            object.value[["metadata", field]] = texts
        }
        return object
    }

    private static func check(_ texts: JSONValue, _ field: String) throws(Fault) {
        guard let members = texts.object else {
            throw Fault(message: "metadata: invalid metadata.\(field) of type \(goType(texts)) in converted object")
        }
        for (key, value) in members where value.string == nil {
            throw Fault(
                message: "metadata: metadata.\(field)[\(key)] must be a string, but is \(goType(value)) "
                    + "in converted object")
        }
        var errors: [FieldError] = []
        if field == "labels" {
            MetadataRules.labels(texts, at: FieldPath("metadata", "labels"), into: &errors)
        } else {
            MetadataRules.annotations(texts, at: FieldPath("metadata", "annotation"), into: &errors)
        }
        let shown = errors.map(\.description)
        guard let first = shown.first else { return }
        throw Fault(message: "metadata: \(shown.count == 1 ? first : "[\(shown.joined(separator: ", "))]")")
    }

    private static func goType(_ value: JSONValue) -> String {
        switch value {
        case .null: "<nil>"
        case .bool: "bool"
        case .int: "int64"
        case .double: "float64"
        case .string: "string"
        case .array: "[]interface {}"
        case .object: "map[string]interface {}"
        }
    }
}
