import KubeModel

/// The suffix by which ReplicaSets of one Deployment differ: the same for the same template, wherever it is computed.
enum PodTemplateHash {
    /// No vowels and no digits that look like them, so that no words come about; the alphabet of `generateName`.
    static let alphabet = Array("bcdfghjklmnpqrstvwxz2456789")

    static func of(_ template: JSONValue, collisionCount: Int) -> String {
        var hash: UInt32 = 2_166_136_261  // FNV-1a
        for byte in canonical(template).encoded + Array("\(collisionCount == 0 ? "" : "\(collisionCount)")".utf8) {
            hash = (hash ^ UInt32(byte)) &* 16_777_619
        }
        return String(String(hash).map { alphabet[Int($0.wholeNumberValue ?? 0)] })
    }

    /// Members in the order of their names: equal values have equal text.
    private static func canonical(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let members):
            .object(JSONObject(members.sorted { $0.key < $1.key }.map { ($0.key, canonical($0.value)) }))
        case .array(let elements): .array(elements.map(canonical))
        default: value
        }
    }
}
