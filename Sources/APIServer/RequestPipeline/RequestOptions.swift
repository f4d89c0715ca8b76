import KubeClient
import KubeModel

/// The parameters of a write, held against the rules for `CreateOptions`, `UpdateOptions`, `PatchOptions` and `DeleteOptions`.
struct RequestOptions {
    let request: APIRequest

    private static func type(_ kind: String) -> ResourceType {
        ResourceType(group: "meta.k8s.io", version: "v1", kind: kind, plural: "")
    }

    // MARK: Writes

    /// - Parameter patch: What a PATCH carries; nil for other methods.
    func settings(_ duplicateFields: [String], patch: ObjectPatch.Kind? = nil) throws(Status) -> WriteSettings {
        var errors: [FieldError] = []
        let manager = request.query["fieldManager"] ?? ""
        if patch == .apply {
            if manager.isEmpty {
                errors.append(.required(FieldPath("fieldManager"), "is required for apply patch"))
            }
        } else if patch != nil, request.query["force"] != nil {
            errors.append(.forbidden(FieldPath("force"), "may not be specified for non-apply patch"))
        }
        Self.checkManager(manager, at: FieldPath("fieldManager"), into: &errors)
        let isDryRun = dryRun(request.query.all("dryRun"), &errors)
        let text = request.query["fieldValidation"] ?? ""
        let validation = text.isEmpty ? .warn : FieldValidation(rawValue: text)
        if validation == nil {
            errors.append(
                .notSupported(FieldPath("fieldValidation"), .string(text), ["", "Ignore", "Strict", "Warn"]))
        }
        guard errors.isEmpty else {
            let kind =
                switch request.method {
                case "POST": "CreateOptions"
                case "PATCH": "PatchOptions"
                default: "UpdateOptions"
                }
            throw .invalid(Self.type(kind), name: "", errors)
        }
        return WriteSettings(
            isDryRun: isDryRun, fieldValidation: validation ?? .warn, caller: request.user,
            duplicateFields: duplicateFields,
            fieldManager: manager.isEmpty ? Self.manager(userAgent: request.origin.userAgent) : manager,
            isForced: request.query.flag("force"), open: request.open)
    }

    private func dryRun(_ values: [String], _ errors: inout [FieldError]) -> Bool {
        let wanted = values.filter { !$0.isEmpty }
        if wanted.contains(where: { $0 != "All" }) {
            let shown = "[]string{\(wanted.map(GoText.quote).joined(separator: ", "))}"
            errors.append(
                FieldError(.notSupported, FieldPath("dryRun"), shownValue: shown, "supported values: \"All\""))
        }
        return !wanted.isEmpty
    }

    static let managerBytesMax = 128

    static func checkManager(_ manager: String, at path: FieldPath, into errors: inout [FieldError]) {
        if manager.utf8.count > managerBytesMax { errors.append(.tooLong(path, bytesMax: managerBytesMax)) }
        var position = 0
        for scalar in manager.unicodeScalars {
            if !isPrintable(scalar) {
                let digits = String(scalar.value, radix: 16, uppercase: true)
                let code = "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
                errors.append(.invalid(path, .string(manager), "invalid character \(code) (at position \(position))"))
            }
            position += UTF8.width(scalar)
        }
    }

    private static func isPrintable(_ scalar: UnicodeScalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        case .spaceSeparator: scalar == " "
        default: true
        }
    }

    /// Who a program is by its `User-Agent`: what stands before the first slash.
    static func manager(userAgent: String) -> String {
        var name = ""
        for scalar in userAgent.prefix(while: { $0 != "/" }).unicodeScalars where isPrintable(scalar) {
            if name.utf8.count + UTF8.width(scalar) > managerBytesMax { break }
            name.unicodeScalars.append(scalar)
        }
        return name
    }

    // MARK: Deletes

    /// Options stand in the body, or else in the parameters.
    func delete() throws(Status) -> (options: DeleteOptions, isDryRun: Bool) {
        var errors: [FieldError] = []
        let body = try deleteBody()
        let propagation: String?
        let wantsOrphans: Bool?
        let isDryRun: Bool
        var options: DeleteOptions
        if let body {
            options = DeleteOptions(body)
            propagation = body["propagationPolicy"]?.string
            wantsOrphans = body["orphanDependents"]?.bool
            isDryRun = dryRun(body["dryRun"]?.array?.compactMap(\.string) ?? [], &errors)
        } else {
            let query = request.query
            options = DeleteOptions(
                gracePeriodSeconds: try Self.number(query["gracePeriodSeconds"]),
                uid: query["preconditions.uid"], resourceVersion: query["preconditions.resourceVersion"])
            propagation = query["propagationPolicy"].flatMap { $0.isEmpty ? nil : $0 }
            wantsOrphans = query.optionalFlag("orphanDependents")
            isDryRun = dryRun(query.all("dryRun"), &errors)
        }
        let path = FieldPath("propagationPolicy")
        options.propagation = propagation.flatMap(DeleteOptions.Propagation.init(rawValue:))
        options.orphanDependents = wantsOrphans
        if wantsOrphans != nil, let propagation {
            errors.insert(
                .invalid(
                    path, .string(propagation), "orphanDependents and deletionPropagation cannot be both set"), at: 0)
        }
        if let propagation, options.propagation == nil {
            let allowed = ["Foreground", "Background", "Orphan", "nil"]
            errors.insert(.notSupported(path, .string(propagation), allowed), at: errors.isEmpty ? 0 : 1)
        }
        guard errors.isEmpty else { throw .invalid(Self.type("DeleteOptions"), name: "", errors) }
        return (options, isDryRun)
    }

    private func deleteBody() throws(Status) -> JSONValue? {
        guard let body = try RequestBody.object(request, kind: "DeleteOptions")?.value else { return nil }
        let kind = body["kind"]?.string ?? ""
        guard kind.isEmpty || kind == "DeleteOptions" else {
            throw .badRequest("decoded object cannot be converted to DeleteOptions")
        }
        do throws(DecodeError) {
            return try Self.deleteOptions.decode(body).object.value
        } catch {
            throw .badRequest(error.message)
        }
    }

    /// `DeleteOptions` as they come in a body.
    private static let deleteOptions = KindSchema(
        type("DeleteOptions"),
        root: .object(
            "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions", doc: "How to delete.",
            [
                .field("apiVersion", .string, doc: "The version of these options."),
                .field("kind", .string, doc: "Always DeleteOptions."),
                .field("dryRun", .stringList, doc: "All, to try the deletion without doing it."),
                .field("gracePeriodSeconds", .int64, keepsZero: true, doc: "Seconds the object gets to end."),
                .field("orphanDependents", .bool, keepsZero: true, doc: "The older way to keep dependents."),
                .field(
                    "preconditions",
                    .object(
                        "io.k8s.apimachinery.pkg.apis.meta.v1.Preconditions", doc: "What the object must be.",
                        [
                            .field("resourceVersion", .string, doc: "The revision it must have."),
                            .field("uid", .string, doc: "The uid it must have."),
                        ]), doc: "What must hold for the deletion to happen."),
                .field(
                    "propagationPolicy", .string.named("v1.DeletionPropagation"), doc: "What becomes of dependents."),
            ]))

    private static func number(_ text: String?) throws(Status) -> Int? {
        guard let text, !text.isEmpty else { return nil }
        guard let number = Int(text) else {
            throw .badRequest("strconv.ParseInt: parsing \(GoText.quote(text)): invalid syntax")
        }
        return number
    }
}
