/// Why a server-side apply cannot be done.
public enum ApplyError: Error, Sendable, Equatable {
    /// Fields that others own would change.
    case conflicts([ApplyConflict])
    /// The configuration does not fit the kind; carries what the API server says.
    case untyped(String)
    case badRequest(String)
}

/// One field that another manager owns.
public struct ApplyConflict: Sendable, Hashable {
    /// The other manager as messages name it: `"kubectl" using apps/v1`.
    public let manager: String
    /// For example `.spec.replicas`.
    public let field: String

    init(_ entry: ManagedFields.Entry, _ path: [String]) {
        var manager = GoText.quote(entry.manager)
        if !entry.subresource.isEmpty { manager += " with subresource \(GoText.quote(entry.subresource))" }
        if entry.operation == .update { manager += " using \(entry.apiVersion)" }
        self.manager = manager
        field = PathElement.show(path)
    }
}

extension Status {
    /// 409: what an apply would take from others.
    public static func applyConflict(_ conflicts: [ApplyConflict]) -> Status {
        let causes = conflicts.map { conflict -> JSONValue in
            [
                "reason": "FieldManagerConflict", "message": .string("conflict with \(conflict.manager)"),
                "field": .string(conflict.field),
            ]
        }
        let message: String
        if conflicts.count == 1 {
            message = "Apply failed with 1 conflict: conflict with \(conflicts[0].manager): \(conflicts[0].field)"
        } else {
            var byManager: [String: [String]] = [:]
            for conflict in conflicts { byManager[conflict.manager, default: []].append(conflict.field) }
            let parts = byManager.sorted { $0.key < $1.key }.map { manager, fields in
                (["conflicts with \(manager):"] + fields.map { "- \($0)" }).joined(separator: "\n")
            }
            message = "Apply failed with \(conflicts.count) conflicts: \(parts.joined(separator: "\n"))"
        }
        return Status(
            code: 409, reason: "Conflict", message: message, details: ["causes": .array(causes)])
    }
}
