/// What a swagger document says of one group and version: its paths, and the types that they speak of.
public struct SwaggerPart: Sendable, Equatable {
    public private(set) var paths: JSONObject = [:]
    public private(set) var definitions: JSONObject = [:]

    /// Nil for a document without a word about the group and version.
    public init?(_ document: JSONValue, group: String, version: String) {
        let prefix = "/apis/\(group)/\(version)/"
        for (path, item) in document["paths"]?.object ?? [:] where path.hasPrefix(prefix) { paths[path] = item }
        guard !paths.isEmpty else { return nil }
        var wanted = Self.references(in: .object(paths))
        while let name = wanted.popLast() {
            guard definitions[name] == nil, let definition = document[["definitions", name]] else { continue }
            definitions[name] = definition
            wanted += Self.references(in: definition)
        }
    }

    /// The names of the types that a part of a document refers to.
    private static func references(in value: JSONValue) -> [String] {
        if let elements = value.array { return elements.flatMap(references) }
        return (value.object ?? [:]).flatMap { key, member in
            if key == "$ref", let target = member.string, target.hasPrefix(SwaggerSchema.reference) {
                return [String(target.dropFirst(SwaggerSchema.reference.count))]
            }
            return references(in: member)
        }
    }

    /// Adds what is said here to another document; a type of another's name that is something else gets a number.
    ///
    /// Source: kube-openapi, `pkg/aggregator`.
    public func merge(into document: inout JSONValue) {
        var present = document["definitions"]?.object ?? [:]
        var names: [String: String] = [:]
        for (name, definition) in definitions {
            guard let other = present[name], other != definition else { continue }
            var number = 2
            // Another version of the same server has brought the same type, perhaps.
            while let other = present["\(name)_v\(number)"] ?? definitions["\(name)_v\(number)"], other != definition {
                number += 1
            }
            names[name] = "\(name)_v\(number)"
        }
        for (name, definition) in definitions {
            present[names[name] ?? name] = Self.renaming(names, in: definition)
        }
        var places = document["paths"]?.object ?? [:]
        for (path, item) in paths where places[path] == nil { places[path] = Self.renaming(names, in: item) }
        document["definitions"] = .object(present)
        document["paths"] = .object(places)
    }

    private static func renaming(_ names: [String: String], in value: JSONValue) -> JSONValue {
        if names.isEmpty { return value }
        if let elements = value.array { return .array(elements.map { renaming(names, in: $0) }) }
        guard let members = value.object else { return value }
        var result: JSONObject = [:]
        for (key, member) in members {
            if key == "$ref", let target = member.string, target.hasPrefix(SwaggerSchema.reference),
                let name = names[String(target.dropFirst(SwaggerSchema.reference.count))]
            {
                result[key] = .string(SwaggerSchema.reference + name)
            } else {
                result[key] = renaming(names, in: member)
            }
        }
        return .object(result)
    }
}
