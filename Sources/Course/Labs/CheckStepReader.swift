import CourseModel
import KubeModel
import Yams

/// Reads one step of a check: a mapping with one verb and what belongs to it.
struct CheckStepReader {
    var fields: Fields
    let questions: [LabQuestion]
    /// The names that `as` has given so far.
    var names: Set<String>

    private static let verbs = [
        "delete", "scale", "patch", "restart", "load", "object", "absent", "count", "ready", "podReady", "replaced",
        "endpoints", "http", "log", "dns", "lost", "exec", "answer",
    ]
    private static let actions: Set = ["delete", "scale", "patch", "restart", "load"]

    private var diagnostics: Diagnostics { fields.diagnostics }
    private var file: String { fields.place.file }

    init(fields: Fields, questions: [LabQuestion], names: Set<String>) {
        self.fields = fields
        self.questions = questions
        self.names = names
    }

    mutating func read() -> CheckStep? {
        let present = Self.verbs.filter { fields.has($0) }
        guard present.count == 1, let verb = present.first else {
            diagnostics.error(
                fields.place, "a step of a check needs exactly one verb",
                hint: "The verbs are: \(Self.verbs.joined(separator: ", ")).")
            return nil
        }
        let step = Self.actions.contains(verb) ? readAction(verb) : readExpectation(verb)
        fields.finish()
        return step
    }

    private mutating func readAction(_ verb: String) -> CheckStep? {
        guard var inner = fields.fields(verb, what: "'\(verb)'") else { return nil }
        defer { inner.finish() }
        switch verb {
        case "scale":
            let target = ObjectRef(kind: "Deployment", name: inner.text("deployment"))
            return .act(.scale(target, replicas: inner.int("to", in: 0...100)))
        case "restart": return .act(.restart(ObjectRef(kind: "Deployment", name: inner.text("deployment"))))
        case "patch":
            let target = readReference(&inner)
            return inner.node("with").map { .act(.patch(target, YAMLValue($0))) }
        case "load":
            guard case .answers(let http)? = readHTTP(&inner) else { return nil }
            let name = fields.optionalText("as") ?? "load"
            names.insert(name)
            return .act(.load(http, name: name))
        default: break
        }
        let selection = readSelection(&inner)
        let name = fields.optionalText("as") ?? "deleted"
        names.insert(name)
        return .act(.delete(selection, name: name))
    }

    private mutating func readExpectation(_ verb: String) -> CheckStep? {
        let isStatic = ["object", "absent", "count", "answer"].contains(verb)
        let limit = fields.duration("within", or: isStatic ? .zero : CheckReader.defaultLimit)
        guard let condition = readCondition(verb) else { return nil }
        return .expect(condition, within: limit)
    }

    private mutating func readCondition(_ verb: String) -> ClusterCondition? {
        if verb == "replaced" {
            let name = fields.text(verb)
            checkName(name, fields.valuePlace(of: verb), "deletes")
            return .replaced(name: name)
        }
        guard var inner = fields.fields(verb, what: "'\(verb)'") else { return nil }
        defer { inner.finish() }
        switch verb {
        case "object": return .object(readReference(&inner), readRequirements())
        case "absent": return .absent(readReference(&inner))
        case "count":
            let selection = readSelection(&inner)
            let requirements = readRequirements()
            guard let comparison = ComparisonReader.read(&fields) else {
                diagnostics.error(fields.place, "'count' needs 'equals', 'atLeast' or 'atMost'")
                return nil
            }
            return .count(selection, requirements, comparison)
        case "ready":
            let deployment = ObjectRef(kind: "Deployment", name: inner.text("deployment"))
            return .ready(deployment: deployment, count: inner.int("count", in: 0...100))
        case "podReady": return .podReady(ObjectRef(kind: "Pod", name: inner.text("pod")))
        case "log": return readLog(&inner)
        case "exec": return readExec(&inner)
        case "answer": return readAnswer(&inner)
        case "dns": return .resolves(name: inner.text("name"))
        case "lost":
            let load = inner.text("load")
            checkName(load, inner.valuePlace(of: "load"), "sends the load")
            return .lost(load: load, atMost: inner.int("atMost", in: 0...1_000_000))
        case "endpoints":
            let service = ObjectRef(kind: "Service", name: inner.text("service"))
            return .endpoints(service: service, atLeast: inner.int("atLeast", in: 1...100))
        default: return readHTTP(&inner)
        }
    }

    private func checkName(_ name: String, _ place: SourcePlace, _ verb: String) {
        guard !names.contains(name) else { return }
        diagnostics.error(
            place, "no step before this one \(verb) '\(name)'", hint: suggestion(for: name, among: names.sorted()))
    }

    private func readLog(_ inner: inout Fields) -> ClusterCondition? {
        readContainer(&inner, "log").map { .logged($0, text: inner.text("contains")) }
    }

    /// A pod's container, or one of a Deployment's pods: one of both is named.
    private func readContainer(_ inner: inout Fields, _ verb: String) -> ContainerRef? {
        guard inner.has("pod") != inner.has("deployment") else {
            diagnostics.error(inner.place, "'\(verb)' needs either 'pod' or 'deployment'")
            return nil
        }
        let kind = inner.has("pod") ? "Pod" : "Deployment"
        let object = ObjectRef(kind: kind, name: inner.text(kind.lowercased()))
        return ContainerRef(object: object, container: inner.optionalText("container"))
    }

    /// `contains` and `equals` stand beside the verb and are about standard output.
    private mutating func readExec(_ inner: inout Fields) -> ClusterCondition? {
        let command = inner.texts("command")
        if command.isEmpty {
            diagnostics.error(
                inner.place(of: "command"), "'exec' needs 'command'",
                hint: "List the program and its arguments, for example [pg_isready, -U, prod_user].")
        }
        let exitCode = inner.optionalInt("exitCode", in: 0...255) ?? 0
        let (text, whole) = (fields.optionalText("contains"), fields.optionalText("equals"))
        return readContainer(&inner, "exec").map {
            .executed($0, CommandExpectation(command: command, exitCode: exitCode, contains: text, equals: whole))
        }
    }

    private func readAnswer(_ inner: inout Fields) -> ClusterCondition? {
        let id: QuestionID = inner.id("question")
        guard let question = questions.first(where: { $0.id == id }) else {
            if !id.rawValue.isEmpty {
                diagnostics.error(
                    inner.valuePlace(of: "question"), "no step of this phase asks '\(id)'",
                    hint: suggestion(for: id.rawValue, among: questions.map(\.id.rawValue))
                        ?? "Put it under 'questions' of a step.")
            }
            return nil
        }
        return .answered(question)
    }

    private mutating func readHTTP(_ inner: inout Fields) -> ClusterCondition? {
        var origin: HTTPExpectation.Origin?
        switch inner.text("from") {
        case "inside": origin = .inside
        case "outside": origin = .outside
        case let other:
            diagnostics.error(inner.valuePlace(of: "from"), "'from' must be 'inside' or 'outside', not '\(other)'")
        }
        let url = inner.text("url")
        let status = inner.optionalInt("status", in: 100...599) ?? 200
        let sends = inner.node("sends").map { YAMLValue($0) }
        let method = inner.optionalText("method") ?? (sends == nil ? "GET" : "POST")
        var body: [Requirement] = []
        if let node = fields.node("body") { body = [.matches(YAMLValue(node))] }
        let text = fields.optionalText("contains")
        guard let address = HTTPAddress(parsing: url) else {
            diagnostics.error(
                inner.valuePlace(of: "url"), "'\(url)' is not a plain URL",
                hint: "Write for example 'http://payment-gateway-service/health'.")
            return nil
        }
        guard let origin else { return nil }
        return .answers(
            HTTPExpectation(
                origin: origin, method: method, url: address, sends: sends, status: status, body: body, text: text))
    }

    private func readReference(_ inner: inout Fields) -> ObjectRef {
        let kind = inner.text("kind")
        checkKind(kind, inner.valuePlace(of: "kind"))
        return ObjectRef(kind: kind, name: inner.text("name"), namespace: inner.optionalText("namespace"))
    }

    private func readSelection(_ inner: inout Fields) -> Selection {
        let kind = inner.text("kind")
        checkKind(kind, inner.valuePlace(of: "kind"))
        return Selection(
            kind: kind, selector: inner.optionalText("selector"), namespace: inner.optionalText("namespace"))
    }

    private func checkKind(_ kind: String, _ place: SourcePlace) {
        guard !kind.isEmpty, ResourceType.ofKind(kind) == nil else { return }
        diagnostics.error(
            place, "there is no kind '\(kind)'", hint: suggestion(for: kind, among: ResourceType.knownKinds))
    }

    /// `matches` and `where`, which stand beside the verb.
    private mutating func readRequirements() -> [Requirement] {
        var requirements: [Requirement] = []
        if let node = fields.node("matches") { requirements.append(.matches(YAMLValue(node))) }
        for node in fields.list("where") {
            guard var item = Fields(node, what: "an element of 'where'", file: file, diagnostics: diagnostics) else {
                continue
            }
            let path = PathReader.read(&item, "path")
            let comparison = ComparisonReader.read(&item)
            if comparison == nil {
                diagnostics.error(
                    item.place, "an element of 'where' needs a comparison",
                    hint: "The comparisons are: \(ComparisonReader.names.joined(separator: ", ")).")
            }
            item.finish()
            if let path, let comparison { requirements.append(.value(path, comparison)) }
        }
        return requirements
    }
}

/// Reads a path such as `spec.replicas`.
enum PathReader {
    static func read(_ fields: inout Fields, _ key: String) -> ValuePath? {
        let text = fields.text(key)
        guard !text.isEmpty else { return nil }
        do throws(ValuePath.Fault) {
            return try ValuePath(parsing: text)
        } catch {
            let place = fields.valuePlace(of: key)
            fields.diagnostics.error(
                SourcePlace(file: place.file, line: place.line, column: place.column + error.offset), error.message,
                hint: "Write for example 'spec.ports[name=http].nodePort'.")
            return nil
        }
    }
}

/// Reads the comparison that stands in a mapping.
enum ComparisonReader {
    static let names = ["equals", "differs", "atLeast", "atMost", "contains", "oneOf", "matches", "exists"]

    static func read(_ fields: inout Fields) -> Comparison? {
        for name in names {
            guard let node = fields.node(name) else { continue }
            switch name {
            case "equals": return .equals(YAMLValue(node))
            case "matches": return .matches(YAMLValue(node))
            case "differs": return .differs(YAMLValue(node))
            case "atLeast": if let number = node.float { return .atLeast(number) }
            case "atMost": if let number = node.float { return .atMost(number) }
            case "contains": if let text = node.scalar?.string { return .contains(text) }
            case "oneOf": if let values = node.sequence { return .oneOf(values.map { YAMLValue($0) }) }
            default: if let isThere = node.bool { return isThere ? .exists : .missing }
            }
            fields.diagnostics.error(SourcePlace(node, in: fields.place.file), "'\(name)' cannot have this value")
            return .exists
        }
        return nil
    }
}
