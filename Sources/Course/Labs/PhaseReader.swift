import CourseModel
import Yams

/// Reads `phase.yaml`.
struct PhaseReader {
    let file: String
    let diagnostics: Diagnostics
    /// Where each step names a starter file: checked against the files that there are.
    private(set) var fileReferences: [(name: String, place: SourcePlace)] = []

    init(file: String, diagnostics: Diagnostics) {
        self.file = file
        self.diagnostics = diagnostics
    }

    mutating func read(_ node: Node, expected id: PhaseID) -> Phase? {
        guard var fields = Fields(node, what: "a phase", file: file, diagnostics: diagnostics) else { return nil }
        fields.checkVersion()
        let written: PhaseID = fields.id("id")
        if !written.rawValue.isEmpty, written != id {
            diagnostics.error(
                fields.valuePlace(of: "id"), "the phase is called '\(written)', but its folder '\(id)'",
                hint: "Give both the same name.")
        }
        fields.checkTitle("title")
        let title = fields.text("title")
        let minutes = fields.int("minutes", in: 1...600)
        let objective = fields.text("objective")
        let preparation = readCommands(&fields, "preparation")
        var steps: [Step] = []
        for node in fields.requiredList("steps") {
            if let step = readStep(node, ids: Set(steps.map(\.id))) { steps.append(step) }
        }
        var checkpoint = Checkpoint(title: "", checks: [])
        if var inner = fields.fields("checkpoint", what: "the checkpoint") {
            checkpoint = CheckReader(file: file, diagnostics: diagnostics).readCheckpoint(&inner)
        }
        fields.finish()
        return Phase(
            id: id, title: title, minutes: minutes, objective: objective, preparation: preparation, steps: steps,
            checkpoint: checkpoint)
    }

    private mutating func readStep(_ node: Node, ids: Set<String>) -> Step? {
        guard var fields = Fields(node, what: "a step", file: file, diagnostics: diagnostics) else { return nil }
        let id = fields.text("id")
        if ids.contains(id) { diagnostics.error(fields.valuePlace(of: "id"), "the step '\(id)' is there already") }
        fields.checkTitle("title")
        let title = fields.text("title")
        let text = fields.text("text")
        let files = fields.list("files").compactMap { node -> String? in
            guard let name = node.scalar?.string else { return nil }
            fileReferences.append((name, SourcePlace(node, in: file)))
            return name
        }
        let commands = readCommands(&fields, "commands")
        let snippet = fields.optionalText("snippet")
        fields.finish()
        return Step(id: id, title: title, text: text, files: files, commands: commands, snippet: snippet)
    }

    /// A list of commands: a text, or a mapping with `run`, `note` and `expect`.
    private func readCommands(_ fields: inout Fields, _ key: String) -> [Command] {
        fields.list(key).compactMap { node in
            if let scalar = node.scalar { return Command(run: scalar.string.trimmedEnd) }
            guard var item = Fields(node, what: "a command", file: file, diagnostics: diagnostics) else { return nil }
            let command = Command(
                run: item.text("run"), note: item.optionalText("note"), expect: item.optionalText("expect"))
            item.finish()
            return command
        }
    }
}
