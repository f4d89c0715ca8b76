/// One message type: its fields by number.
final class ProtobufMessage: Sendable {
    let name: String
    let isMapEntry: Bool
    let fields: [Int: ProtobufField]

    init(name: String, isMapEntry: Bool, fields: [Int: ProtobufField]) {
        self.name = name
        self.isMapEntry = isMapEntry
        self.fields = fields
    }

    /// What a map entry holds when the wire leaves its value out.
    var emptyValue: JSONValue { fields.values.first { $0.name == "value" }?.type == 11 ? [:] : "" }
}

struct ProtobufField: Sendable {
    let name: String
    let type: Int
    let isRepeated: Bool
    private let messageName: String?

    /// The type of the field's value, if that is a message.
    var message: ProtobufMessage? { messageName.flatMap { ProtobufTypes.messages[$0] } }

    /// Reads `number:name:type[*][:message]`.
    static func parse(_ text: Substring) -> (number: Int, field: ProtobufField)? {
        let parts = text.split(separator: ":")
        guard parts.count >= 3, let number = Int(parts[0]), let type = Int(parts[2].prefix { $0 != "*" }) else {
            return nil
        }
        let field = ProtobufField(
            name: jsonName(parts[1]), type: type,
            isRepeated: parts[2].hasSuffix("*"),
            messageName: parts.count > 3 ? String(parts[3]) : nil)
        return (number, field)
    }

    /// Some messages name their fields as Go does; `Port` is called so in JSON as well.
    private static func jsonName(_ name: Substring) -> String {
        switch name {
        case "aPIGroup": "apiGroup"
        case "Port": "Port"
        default: name.prefix(1).lowercased() + name.dropFirst()
        }
    }
}

/// The messages of ``ProtobufTable``, read when the first body arrives.
enum ProtobufTypes {
    static let messages: [String: ProtobufMessage] = {
        var messages: [String: ProtobufMessage] = [:]
        for line in ProtobufTable.text.split(separator: "\n") {
            var words = line.split(separator: " ")
            let title = words.removeFirst()
            let isMapEntry = title.hasSuffix("@")
            let name = String(isMapEntry ? title.dropLast() : title)
            let fields = words.compactMap(ProtobufField.parse)
            messages[name] = ProtobufMessage(
                name: name, isMapEntry: isMapEntry,
                fields: Dictionary(fields.map { ($0.number, $0.field) }, uniquingKeysWith: { first, _ in first }))
        }
        return messages
    }()

    /// The message of a kind: `apps/v1`, `Deployment` is `apps.v1.Deployment`.
    static func message(apiVersion: String, kind: String) -> ProtobufMessage? {
        if kind == "DeleteOptions" { return messages["meta.DeleteOptions"] }
        // Evictions are still taken as they were before version 1.
        let apiVersion = kind == "Eviction" && apiVersion == "policy/v1beta1" ? "policy/v1" : apiVersion
        let parts = apiVersion.split(separator: "/")
        guard let version = parts.last else { return nil }
        let group = parts.count == 1 ? "core" : parts[0].split(separator: ".").first.map(String.init) ?? ""
        return messages["\(group).\(version).\(kind)"]
    }
}
