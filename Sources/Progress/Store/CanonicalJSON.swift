import CourseModel
import Crypto
import Foundation
import KubeModel

/// One spelling for each value, so that hashes agree: compact JSON, members sorted by name.
enum CanonicalJSON {
    static func value(_ record: some Encodable) throws -> JSONValue {
        try JSONValue(parsing: Array(try JSONEncoder().encode(record)))
    }

    static func decode<T: Decodable>(_ type: T.Type, from value: JSONValue) throws -> T {
        try JSONDecoder().decode(type, from: Data(value.encoded))
    }

    static func text(_ record: some Encodable) throws -> String { sorted(try value(record)).text }

    static func decode<T: Decodable>(_ type: T.Type, from text: String) throws -> T {
        try JSONDecoder().decode(type, from: Data(text.utf8))
    }

    static func bytes(_ value: JSONValue) -> [UInt8] { sorted(value).encoded }

    private static func sorted(_ value: JSONValue) -> JSONValue {
        switch value {
        case .array(let elements): .array(elements.map(sorted))
        case .object(let members):
            .object(JSONObject(members.sorted { $0.key < $1.key }.map { ($0.key, sorted($0.value)) }))
        default: value
        }
    }
}

/// Hashes that tie the attempts of a learner in a lab together: changing, removing or inserting one breaks all that
/// follow.
enum HashChain {
    /// What stands before the first attempt.
    static func start(learner: String, lab: String) -> String { sha256("velocitylab\n\(learner)\n\(lab)") }

    /// The hash of an attempt, from everything in it but the hash itself.
    static func hash(of attempt: Attempt) throws -> String {
        var open = attempt
        open.hash = ""
        return sha256(try CanonicalJSON.text(open))
    }

    /// The first place where a chain is broken, as an index; nil when it is sound.
    ///
    /// Attempts must be oldest first.
    static func firstBreak(in attempts: [Attempt]) throws -> Int? {
        var previous: [String: String] = [:]
        for (index, attempt) in attempts.enumerated() {
            let chain = "\(attempt.learner)/\(attempt.lab)"
            let before = previous[chain] ?? start(learner: attempt.learner.rawValue, lab: attempt.lab.rawValue)
            guard attempt.previousHash == before, try hash(of: attempt) == attempt.hash else { return index }
            previous[chain] = attempt.hash
        }
        return nil
    }

    static func sha256(_ text: String) -> String { hexadecimal(SHA256.hash(data: Data(text.utf8))) }

    static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef")
        return bytes.reduce(into: "") { text, byte in
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
    }
}
