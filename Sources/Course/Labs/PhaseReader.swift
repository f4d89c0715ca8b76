import CourseModel
import Yams

/// Reads `phase.yaml`.
struct PhaseReader {
    let file: String
    let diagnostics: Diagnostics
    let operations: SolutionReader
    /// Where each step names a starter file: checked against the files that there are.
    private(set) var fileReferences: [(name: String, place: SourcePlace)] = []

    init(file: String, diagnostics: Diagnostics, operations: SolutionReader) {
        self.file = file
        self.diagnostics = diagnostics
        self.operations = operations
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
            checkpoint = CheckReader(file: file, diagnostics: diagnostics, questions: steps.flatMap(\.questions))
                .readCheckpoint(&inner)
        }
        let after = fields.optionalText("after").map(SolutionID.init(rawValue:))
        let isReview = fields.node("review")?.bool ?? false
        let faults = readFaults(&fields, checkpoint: checkpoint)
        fields.finish()
        return Phase(
            id: id, title: title, minutes: minutes, objective: objective, preparation: preparation, steps: steps,
            checkpoint: checkpoint, after: after, faults: faults, isReview: isReview)
    }

    /// What a drill breaks: each fault with the way back and the failure that it must show as.
    private func readFaults(_ fields: inout Fields, checkpoint: Checkpoint) -> [Fault] {
        var faults: [Fault] = []
        for node in fields.list("faults") {
            guard var item = Fields(node, what: "a fault", file: file, diagnostics: diagnostics) else { continue }
            let id: MutantID = item.id("id")
            if faults.contains(where: { $0.id == id.rawValue }) {
                diagnostics.error(item.valuePlace(of: "id"), "the fault '\(id)' is there already")
            }
            let title = item.text("title")
            let breaking = item.requiredList("break").compactMap { operations.readOperation($0, file: file) }
            let mending = item.requiredList("mend").compactMap { operations.readOperation($0, file: file) }
            let (fails, inner) = ExpectationReader.read(&item)
            if let inner, !fails.check.rawValue.isEmpty, checkpoint.check(fails.check) == nil {
                diagnostics.error(
                    inner.valuePlace(of: "check"), "the fault names the check '\(fails.check)', which does not exist",
                    hint: suggestion(for: fails.check.rawValue, among: checkpoint.checks.map(\.id.rawValue)))
            }
            item.finish()
            faults.append(Fault(id: id.rawValue, title: title, breaking: breaking, mending: mending, fails: fails))
        }
        return faults
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
        let questions = fields.list("questions").compactMap { readQuestion($0) }
        fields.finish()
        return Step(
            id: id, title: title, text: text, files: files, commands: commands, snippet: snippet, questions: questions)
    }

    private func readQuestion(_ node: Node) -> LabQuestion? {
        guard var fields = Fields(node, what: "a question", file: file, diagnostics: diagnostics) else { return nil }
        let id: QuestionID = fields.id("id")
        let text = fields.text("text")
        let answers = fields.texts("answers")
        if answers.isEmpty {
            diagnostics.error(
                fields.place(of: "answers"), "a question needs 'answers'", hint: "List every answer that is right.")
        }
        fields.finish()
        return LabQuestion(id: id, text: text, answers: answers)
    }

    private func readEdited(_ name: String, _ place: SourcePlace) -> LabFile? {
        let path = "\(operations.folder)/solution/manifests/\(name)"
        guard let text = operations.files.text(path) else {
            diagnostics.error(
                place, "there is no file '\(path)'", hint: "Write there what the learner's file should be by now.")
            return nil
        }
        return LabFile(name: name, text: text)
    }

    /// A list of commands: a text, or a mapping with `run`, `note` and `expect`.
    private func readCommands(_ fields: inout Fields, _ key: String) -> [Command] {
        fields.list(key).compactMap { node in
            if let scalar = node.scalar { return Command(run: scalar.string.trimmedEnd) }
            guard var item = Fields(node, what: "a command", file: file, diagnostics: diagnostics) else { return nil }
            let run = item.text("run")
            let (note, expect) = (item.optionalText("note"), item.optionalText("expect"))
            let prints = item.texts("prints")
            let endings: [String: Command.Ending] = ["failure": .failure, "interrupt": .interrupt]
            var ending = Command.Ending.success
            if let name = item.optionalText("ends") {
                if let known = endings[name] {
                    ending = known
                } else {
                    diagnostics.error(
                        item.valuePlace(of: "ends"), "'ends' must be 'failure' or 'interrupt', not '\(name)'",
                        hint: "Leave it out for a command that succeeds by itself.")
                }
            }
            var edited: LabFile?
            if let name = item.optionalText("edited") { edited = readEdited(name, item.valuePlace(of: "edited")) }
            let command = Command(
                run: run, note: note, expect: expect, prints: prints, ending: ending, needs: item.optionalText("needs"),
                edited: edited)
            item.finish()
            return command
        }
    }
}
