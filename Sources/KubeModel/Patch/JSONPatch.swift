/// Why a patch cannot be applied, in the API server's words.
public struct PatchError: Error, Sendable, Hashable, CustomStringConvertible {
    public let message: String
    /// Whether the API server reports it as an error of its own (500) rather than of the request (400).
    public let isServerFault: Bool
    public init(message: String, isServerFault: Bool = false) {
        self.message = message
        self.isServerFault = isServerFault
    }
    public var description: String { message }
}

extension JSONValue {
    /// How many operations the API server takes in one JSON patch.
    public static let patchOperationsMax = 10_000

    /// The value after a JSON patch (RFC 6902): a list of add, remove, replace, move, copy and test.
    ///
    /// - Throws: What does not fit, as the library of the real API server words it; nothing has been changed then.
    public func applyingJSONPatch(_ patch: JSONValue) throws(PatchError) -> JSONValue {
        guard case .array(let operations) = patch else {
            throw PatchError(message: "json: cannot unmarshal object into Go value of type jsonpatch.Patch")
        }
        var result = self
        for operation in operations { try Self.apply(operation, to: &result) }
        return result
    }

    private static func apply(_ operation: JSONValue, to document: inout JSONValue) throws(PatchError) {
        let name = operation["op"]?.string ?? ""
        guard let path = operation["path"]?.string else {
            throw PatchError(message: "\(name) operation missing path")
        }
        let pointer = try Pointer(path)
        switch name {
        case "add":
            guard let value = operation["value"] else {
                throw PatchError(message: "add operation does not apply: missing value")
            }
            try pointer.add(value, to: &document, "add")
        case "remove": try pointer.remove(from: &document, "remove")
        case "replace":
            guard let value = operation["value"] else {
                throw PatchError(message: "replace operation does not apply: missing value")
            }
            try pointer.replace(with: value, in: &document)
        case "test":
            // A missing value counts as null, as in the real server.
            guard (pointer.value(in: document) ?? .null) == (operation["value"] ?? .null) else {
                throw PatchError(message: "testing value \(path) failed: test failed")
            }
        case "move", "copy":
            let from = try Pointer(operation["from"]?.string ?? "")
            guard let value = from.value(in: document) else {
                throw PatchError(
                    message: "\(name) operation does not apply: doc is missing from path: \(from.text): missing value")
            }
            if name == "move" { try from.remove(from: &document, "move") }
            try pointer.add(value, to: &document, name)
        default: throw PatchError(message: "Unexpected kind: \(name)")
        }
    }

    /// A JSON pointer (RFC 6901).
    private struct Pointer {
        let text: String
        let steps: [String]

        init(_ text: String) throws(PatchError) {
            self.text = text
            guard text.isEmpty || text.hasPrefix("/") else {
                throw PatchError(message: "unable to parse path \"\(text)\": a path begins with '/'")
            }
            steps = text.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map { step in
                String(step).replacing("~1", with: "/").replacing("~0", with: "~")
            }
        }

        func value(in document: JSONValue) -> JSONValue? {
            var current = document
            for step in steps {
                switch current {
                case .object(let members):
                    guard let member = members[step] else { return nil }
                    current = member
                case .array(let elements):
                    guard let index = Int(step), elements.indices.contains(index) else { return nil }
                    current = elements[index]
                default: return nil
                }
            }
            return current
        }

        private func missing(_ operation: String) -> PatchError {
            PatchError(
                message: "\(operation) operation does not apply: doc is missing path: \"\(text)\": missing value")
        }

        func add(_ value: JSONValue, to document: inout JSONValue, _ operation: String) throws(PatchError) {
            try change(&document, steps[...], operation) { (parent, step) throws(PatchError) in
                switch parent {
                case .object: parent[step] = value
                case .array(var elements):
                    let index = step == "-" ? elements.count : Int(step) ?? -1
                    guard 0...elements.count ~= index else {
                        throw PatchError(
                            message: "\(operation) operation does not apply: doc is missing path: \"\(text)\": "
                                + "Unable to access invalid index: \(step): invalid index referenced")
                    }
                    elements.insert(value, at: index)
                    parent = .array(elements)
                default: throw missing(operation)
                }
            } whole: {
                $0 = value
            }
        }

        func replace(with value: JSONValue, in document: inout JSONValue) throws(PatchError) {
            guard self.value(in: document) != nil else { throw missing("replace") }
            try change(&document, steps[...], "replace") { (parent, step) throws(PatchError) in
                if case .array(var elements) = parent, let index = Int(step) {
                    elements[index] = value
                    parent = .array(elements)
                } else {
                    parent[step] = value
                }
            } whole: {
                $0 = value
            }
        }

        func remove(from document: inout JSONValue, _ operation: String) throws(PatchError) {
            guard value(in: document) != nil else {
                throw PatchError(
                    message: "\(operation) operation does not apply: Unable to remove nonexistent key: "
                        + "\(steps.last ?? ""): missing value")
            }
            try change(&document, steps[...], operation) { (parent, step) throws(PatchError) in
                if case .array(var elements) = parent, let index = Int(step) {
                    elements.remove(at: index)
                    parent = .array(elements)
                } else {
                    parent[step] = nil
                }
            } whole: {
                $0 = .null
            }
        }

        /// Walks to the parent of the last step and changes it there.
        private func change(
            _ value: inout JSONValue, _ steps: ArraySlice<String>, _ operation: String,
            _ body: (inout JSONValue, String) throws(PatchError) -> Void, whole: (inout JSONValue) -> Void
        ) throws(PatchError) {
            guard let step = steps.first else { return whole(&value) }
            if steps.count == 1 { return try body(&value, step) }
            switch value {
            case .object:
                guard var child = value[step] else { throw missing(operation) }
                try change(&child, steps.dropFirst(), operation, body, whole: whole)
                value[step] = child
            case .array(var elements):
                guard let index = Int(step), elements.indices.contains(index) else { throw missing(operation) }
                try change(&elements[index], steps.dropFirst(), operation, body, whole: whole)
                value = .array(elements)
            default: throw missing(operation)
            }
        }
    }
}
