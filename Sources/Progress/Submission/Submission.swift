public import CourseModel
import Crypto
import Foundation
public import KubeModel

/// What a learner hands in for a lab: one JSON file.
///
/// **What its integrity protects, and what not.** The digest (HMAC-SHA256 with a key that is part of this program,
/// over the canonical content) and the hash chain of the attempts show that a file was edited, shortened or damaged
/// after it was written, and that a row in the learner's database was changed without recomputing all that follow.
/// They do not prove who did the work: whoever owns the machine can read the key in the source, or do the whole lab
/// in somebody else's name. The answer to that is to look at the evidence and to run the lab again, not a stronger
/// hash.
public struct Submission: Sendable {
    /// Unique: importing the same file twice changes nothing.
    public let id: String
    public let created: Moment
    public let learner: Learner
    public let lab: LabID
    /// All attempts at the lab, oldest first.
    public let attempts: [Attempt]
    public let hints: [HintShown]
    /// The learner's objects in the lab's namespace at the end, without what the cluster adds.
    public let manifests: [JSONValue]
    /// Over the canonical content.
    public let digest: String

    static let format = "velocitylab-submission"
    static let version = 1

    private struct Envelope: Codable {
        var id: String
        var created: Moment
        var learner: Learner
        var lab: LabID
        var attempts: [Attempt]
        var hints: [HintShown]
    }

    init(
        id: String, created: Moment, learner: Learner, lab: LabID, attempts: [Attempt], hints: [HintShown],
        manifests: [JSONValue]
    ) throws {
        self.id = id
        self.created = created
        self.learner = learner
        self.lab = lab
        self.attempts = attempts
        self.hints = hints
        self.manifests = manifests
        let envelope = Envelope(
            id: id, created: created, learner: learner, lab: lab, attempts: attempts, hints: hints)
        digest = Self.digest(of: try Self.content(envelope, manifests))
    }

    private static func content(_ envelope: Envelope, _ manifests: [JSONValue]) throws -> JSONValue {
        var content = try CanonicalJSON.value(envelope)
        content["manifests"] = .array(manifests)
        return content
    }

    /// The text of the file: readable, one member to a line.
    public func fileText() throws(ProgressError) -> String {
        do {
            let envelope = Envelope(
                id: id, created: created, learner: learner, lab: lab, attempts: attempts, hints: hints)
            let file: JSONValue = [
                "format": .string(Self.format), "version": JSONValue(Self.version),
                "content": try Self.content(envelope, manifests),
                "integrity": ["algorithm": "HMAC-SHA256", "digest": .string(digest)],
            ]
            return file.indented + "\n"
        } catch {
            throw .submission(reason: "The submission cannot be written: \(error).", hint: nil)
        }
    }

    /// Reads a file and refuses one that was edited.
    ///
    /// - Throws: `ProgressError.submission` with what is wrong.
    public init(parsing text: String) throws(ProgressError) {
        let unreadable = ProgressError.submission(
            reason: "This file is not a submission of VelocityLab.",
            hint: "Ask for the file that 'velocity submit' has written.")
        guard let file = try? JSONValue(parsing: text), file["format"]?.string == Self.format else { throw unreadable }
        guard let version = file["version"]?.int, version == Self.version else {
            let given = file["version"]?.text ?? "?"
            throw .submission(
                reason: "This submission has version \(given), and this program reads version \(Self.version).",
                hint: "Update VelocityLab.")
        }
        guard let content = file["content"], let given = file[["integrity", "digest"]]?.string,
            file.object?.count == 4, file["integrity"]?.object?.count == 2
        else { throw unreadable }
        guard Self.digest(of: content) == given else {
            throw .submission(
                reason: "This submission was changed after it was written.",
                hint: "Ask the learner to hand in again with 'velocity submit'.")
        }
        let envelope: Envelope
        do { envelope = try CanonicalJSON.decode(Envelope.self, from: content) } catch { throw unreadable }
        guard let isBroken = try? HashChain.firstBreak(in: envelope.attempts) != nil else { throw unreadable }
        let isForeign = envelope.attempts.contains { $0.learner != envelope.learner.id || $0.lab != envelope.lab }
        guard !isBroken, !isForeign else {
            throw .submission(
                reason:
                    "The attempts in this submission do not fit together: some were changed, removed or taken from elsewhere.",
                hint: "Ask the learner how the record came about.")
        }
        id = envelope.id
        created = envelope.created
        learner = envelope.learner
        lab = envelope.lab
        attempts = envelope.attempts
        hints = envelope.hints
        manifests = content["manifests"]?.array ?? []
        digest = given
    }

    // MARK: Integrity

    /// Everybody can read this key; see the type's description for what that means.
    private static var key: SymmetricKey {
        SymmetricKey(data: SHA256.hash(data: Data("velocitylab submission, version 1".utf8)))
    }

    static func digest(of content: JSONValue) -> String {
        HashChain.hexadecimal(HMAC<SHA256>.authenticationCode(for: Data(CanonicalJSON.bytes(content)), using: key))
    }
}

extension JSONValue {
    /// The value with two spaces of indentation for each level.
    var indented: String { indented(by: "") }

    private func indented(by margin: String) -> String {
        let inner = margin + "  "
        switch self {
        case .array(let elements) where !elements.isEmpty:
            return "[\n" + elements.map { inner + $0.indented(by: inner) }.joined(separator: ",\n") + "\n\(margin)]"
        case .object(let members) where !members.isEmpty:
            let lines = members.map { "\(inner)\(JSONValue.string($0.key).text): \($0.value.indented(by: inner))" }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(margin)}"
        default: return text
        }
    }
}
