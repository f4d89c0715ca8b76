/// Why a patch cannot be applied, in the API server's words.
public struct PatchError: Error, Sendable, Hashable, CustomStringConvertible {
    public let message: String
    /// How the API server reports it.
    public enum Fault: Sendable, Hashable {
        /// As an error of the request: 400.
        case request
        /// As an error of the request about which it says nothing more: 422.
        case unprocessable
        /// As an error of its own: 500.
        case server
    }
    public let fault: Fault

    public init(message: String, fault: Fault = .request) {
        self.message = message
        self.fault = fault
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
        var copied = 0
        for operation in operations { try Self.apply(operation, to: &result, &copied) }
        return result
    }

    /// How many bytes the copies of one patch may come to: each could double the object.
    static let copiedBytesMax = 3 * 1024 * 1024

    private static func apply(
        _ operation: JSONValue, to document: inout JSONValue, _ copied: inout Int
    ) throws(PatchError) {
        let name = operation["op"]?.string ?? ""
        guard let path = operation["path"]?.string else {
            throw PatchError(message: "\(name) operation missing path")
        }
        let pointer = try Pointer(path)
        switch name {
        case "add":
            // A missing value counts as null, as in the real server.
            try pointer.add(operation["value"] ?? .null, to: &document, "add")
        case "remove": try pointer.remove(from: &document, "remove")
        case "replace":
            try pointer.replace(with: operation["value"] ?? .null, in: &document)
        case "test":
            guard (pointer.value(in: document) ?? .null) == (operation["value"] ?? .null) else {
                throw PatchError(message: "testing value \(path) failed: test failed")
            }
        case "move", "copy":
            let from = try Pointer(operation["from"]?.string ?? "")
            guard let value = from.value(in: document) else {
                throw PatchError(
                    message: "\(name) operation does not apply: doc is missing from path: \(from.text): missing value")
            }
            if name == "move" {
                try from.remove(from: &document, "move")
            } else {
                copied += value.encoded.count
                guard copied <= copiedBytesMax else {
                    throw PatchError(
                        message: "Unable to complete the copy, the accumulated size increase of copy is "
                            + "\(copied), exceeding the limit \(copiedBytesMax)")
                }
            }
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
                    guard let index = Self.index(step, of: elements.count) else { return nil }
                    current = elements[index]
                default: return nil
                }
            }
            return current
        }

        /// A position in a list; negative ones count from its end.
        private static func index(_ step: String, of count: Int) -> Int? {
            guard let index = Int(step) else { return nil }
            let place = index < 0 ? index + count : index
            return 0..<count ~= place ? place : nil
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
                    let end = elements.count
                    guard let index = step == "-" ? end : Self.index(step, of: end + 1) else {
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
                if case .array(var elements) = parent, let index = Self.index(step, of: elements.count) {
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
                if case .array(var elements) = parent, let index = Self.index(step, of: elements.count) {
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
                guard let index = Self.index(step, of: elements.count) else { throw missing(operation) }
                try change(&elements[index], steps.dropFirst(), operation, body, whole: whole)
                value = .array(elements)
            default: throw missing(operation)
            }
        }
    }
}
