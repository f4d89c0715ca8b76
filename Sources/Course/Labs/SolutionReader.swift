import CourseModel
import KubeModel
import Yams

/// Reads a solution's list of operations and the manifests that they apply.
struct SolutionReader {
    let files: CourseFiles
    /// The lab's folder.
    let folder: String
    let diagnostics: Diagnostics

    func read(_ node: Node, file: String) -> (solution: Solution, fields: Fields)? {
        guard var fields = Fields(node, what: "a solution", file: file, diagnostics: diagnostics) else { return nil }
        fields.checkVersion()
        let id: SolutionID = fields.id("id")
        let phase: PhaseID = fields.id("phase")
        let title = fields.text("title")
        let after = fields.optionalText("after").map(SolutionID.init(rawValue:))
        let operations = fields.requiredList("operations").compactMap { readOperation($0, file: file) }
        fields.finish()
        return (Solution(id: id, phase: phase, title: title, after: after, operations: operations), fields)
    }

    func readOperation(_ node: Node, file: String) -> Operation? {
        guard var fields = Fields(node, what: "an operation", file: file, diagnostics: diagnostics) else { return nil }
        defer { fields.finish() }
        if fields.has("apply") {
            let name = fields.text("apply")
            let isServerSide = fields.node("serverSide")?.bool ?? false
            guard let objects = manifest(name, place: fields.valuePlace(of: "apply")) else { return nil }
            return isServerSide
                ? .serverSideApply(file: name, objects: objects) : .apply(file: name, objects: objects)
        }
        if fields.has("run") { return .run(fields.text("run")) }
        if let node = fields.node("create") {
            let value = YAMLValue(node)
            checkObject(value, SourcePlace(node, in: file))
            return .create(value)
        }
        if fields.has("answer") {
            guard var inner = fields.fields("answer", what: "'answer'") else { return nil }
            defer { inner.finish() }
            return .answer(inner.id("question"), inner.text("text"))
        }
        for verb in ["scale", "patch", "delete"] where fields.has(verb) {
            guard var inner = fields.fields(verb, what: "'\(verb)'") else { return nil }
            defer { inner.finish() }
            let target = ObjectRef(
                kind: inner.text("kind"), name: inner.text("name"), namespace: inner.optionalText("namespace"))
            switch verb {
            case "scale": return .scale(target, replicas: inner.int("to", in: 0...100))
            case "delete": return .delete(target)
            default: return inner.node("with").map { .patch(target, YAMLValue($0)) }
            }
        }
        diagnostics.error(
            fields.place, "an operation needs a verb",
            hint: "The verbs are: apply, create, patch, scale, delete, run, answer.")
        return nil
    }

    /// The objects of a manifest: the solution's own file of that name, else the starter file.
    private func manifest(_ name: String, place: SourcePlace) -> [YAMLValue]? {
        let paths = ["\(folder)/solution/manifests/\(name)", "\(folder)/start/\(name)"]
        guard let path = paths.first(where: files.exists), let text = files.text(path) else {
            diagnostics.error(
                place, "there is no manifest '\(name)'", hint: "Put it into '\(paths[1])' or '\(paths[0])'.")
            return nil
        }
        guard let yaml = YAMLText(text, file: path, diagnostics: diagnostics) else { return nil }
        return yaml.documents.map { node in
            let value = YAMLValue(node)
            checkObject(value, SourcePlace(node, in: path))
            return value
        }
    }

    private func checkObject(_ value: YAMLValue, _ place: SourcePlace) {
        guard let kind = value["kind"]?.string, value["apiVersion"]?.string != nil,
            value["metadata"]?["name"]?.string != nil
        else {
            diagnostics.error(place, "an object needs 'apiVersion', 'kind' and 'metadata.name'")
            return
        }
        if ResourceType.ofKind(kind) == nil {
            diagnostics.error(
                place, "there is no kind '\(kind)'", hint: suggestion(for: kind, among: ResourceType.knownKinds))
        }
    }
}

/// Reads a mutant.
struct MutantReader {
    let file: String
    let diagnostics: Diagnostics
    let operations: SolutionReader

    func read(_ node: Node) -> (mutant: Mutant, fields: Fields, fails: Fields?)? {
        guard var fields = Fields(node, what: "a mutant", file: file, diagnostics: diagnostics) else { return nil }
        fields.checkVersion()
        let id: MutantID = fields.id("id")
        let title = fields.text("title")
        let solution: SolutionID = fields.id("solution")
        let changes = fields.list("changes").compactMap(readChange)
        let after = fields.list("then").compactMap { operations.readOperation($0, file: file) }
        if !fields.has("changes"), !fields.has("then") {
            diagnostics.error(
                fields.place, "a mutant needs 'changes' or 'then'",
                hint: "Say what is changed in the solution's files, or what is done after it.")
        }
        let (expectation, fails) = ExpectationReader.read(&fields)
        fields.finish()
        let mutant = Mutant(
            id: id, title: title, solution: solution, changes: changes, operations: after, fails: expectation)
        return (mutant, fields, fails)
    }

    private func readChange(_ node: Node) -> Mutant.Change? {
        guard var fields = Fields(node, what: "a change", file: file, diagnostics: diagnostics) else { return nil }
        let name = fields.text("file")
        let kind = fields.text("kind")
        let object = fields.text("name")
        let path = PathReader.read(&fields, "path")
        let value = fields.node("to").map { YAMLValue($0) }
        let removes = fields.node("remove")?.bool ?? false
        if (value == nil) == !removes {
            diagnostics.error(fields.place, "a change needs either 'to' or 'remove: true'")
        }
        fields.finish()
        return path.map { Mutant.Change(file: name, kind: kind, name: object, path: $0, value: value) }
    }
}

/// Reads `fails`: how a mistake must show.
enum ExpectationReader {
    static func read(_ fields: inout Fields) -> (Mutant.Expectation, Fields?) {
        var expectation = Mutant.Expectation(check: CheckID(rawValue: ""), cause: .other, hint: [])
        guard var inner = fields.fields("fails", what: "'fails'") else { return (expectation, nil) }
        let check: CheckID = inner.id("check")
        let name = inner.text("cause")
        if Cause(rawValue: name) == nil, !name.isEmpty {
            reportUnknownCause(name, inner.valuePlace(of: "cause"), fields.diagnostics)
        }
        let texts = inner.texts("hint")
        if texts.isEmpty {
            fields.diagnostics.error(
                inner.place(of: "hint"), "\(fields.what) needs 'hint'",
                hint: "List the words that the learner must be told.")
        }
        expectation = Mutant.Expectation(check: check, cause: Cause(rawValue: name) ?? .other, hint: texts)
        inner.finish()
        return (expectation, inner)
    }
}
