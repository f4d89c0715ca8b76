import CourseModel
import Yams

/// Reads one lab: `lab.yaml`, its phases, starter files, solutions and mutants, and checks that they fit together.
struct LabReader {
    let files: CourseFiles
    let id: LabID
    let diagnostics: Diagnostics

    private var folder: String { "Labs/\(id)" }

    func read() -> Lab? {
        let file = "\(folder)/lab.yaml"
        guard let text = files.text(file) else {
            diagnostics.error(SourcePlace(file: file), "the lab has no 'lab.yaml'")
            return nil
        }
        guard let yaml = YAMLText(text, file: file, diagnostics: diagnostics) else { return nil }
        guard let node = yaml.documents.first,
            var fields = Fields(node, what: "a lab", file: file, diagnostics: diagnostics)
        else { return nil }
        fields.checkVersion()
        let written: LabID = fields.id("id")
        if !written.rawValue.isEmpty, written != id {
            diagnostics.error(
                fields.valuePlace(of: "id"), "the lab is called '\(written)', but its folder '\(id)'",
                hint: "Give both the same name.")
        }
        fields.checkTitle("title")
        let title = fields.text("title")
        let week: WeekID = fields.id("week")
        let mission = fields.text("mission")
        let success = fields.text("success")
        let namespace = fields.text("namespace")
        let starters = files.filesBelow("\(folder)/start").map {
            LabFile(name: $0, text: files.text("\(folder)/start/\($0)") ?? "")
        }
        let listed = fields.ids("phases", as: PhaseID.self)
        if listed.isEmpty { diagnostics.error(fields.place, "a lab needs 'phases'") }
        let phases = listed.compactMap { readPhase($0.id, place: $0.place, starters: starters) }
        fields.finish()
        // A phase that cannot be read is fault enough: what refers to it is not to blame.
        guard phases.count == listed.count else { return nil }
        let solutions = readSolutions(phases: phases)
        for phase in phases where !phase.isDrill && !solutions.contains(where: { $0.phase == phase.id }) {
            diagnostics.error(
                SourcePlace(file: "\(folder)/\(phase.id)/phase.yaml"), "the phase '\(phase.id)' has no solution",
                hint: "Write one into '\(folder)/solution/\(phase.id).yaml'.")
        }
        for phase in phases {
            guard let after = phase.after, !solutions.contains(where: { $0.id == after }) else { continue }
            diagnostics.error(
                SourcePlace(file: "\(folder)/\(phase.id)/phase.yaml"),
                "'after' names the solution '\(after)', which does not exist",
                hint: suggestion(for: after.rawValue, among: solutions.map(\.id.rawValue)))
        }
        return Lab(
            id: id, title: title, week: week, mission: mission, success: success, namespace: namespace, phases: phases,
            solutions: solutions, mutants: readMutants(phases: phases, solutions: solutions), starters: starters)
    }

    private func readPhase(_ phase: PhaseID, place: SourcePlace, starters: [LabFile]) -> Phase? {
        let file = "\(folder)/\(phase)/phase.yaml"
        guard let text = files.text(file) else {
            diagnostics.error(place, "there is no file '\(file)'")
            return nil
        }
        guard let node = YAMLText(text, file: file, diagnostics: diagnostics)?.documents.first else { return nil }
        let operations = SolutionReader(files: files, folder: folder, diagnostics: diagnostics)
        var reader = PhaseReader(file: file, diagnostics: diagnostics, operations: operations)
        let result = reader.read(node, expected: phase)
        for reference in reader.fileReferences where !starters.contains(where: { $0.name == reference.name }) {
            diagnostics.error(
                reference.place, "there is no starter file '\(reference.name)'",
                hint: suggestion(for: reference.name, among: starters.map(\.name))
                    ?? "Put it into '\(folder)/start/'.")
        }
        return result
    }

    private func readSolutions(phases: [Phase]) -> [Solution] {
        let reader = SolutionReader(files: files, folder: folder, diagnostics: diagnostics)
        var solutions: [Solution] = []
        var chained: [(solution: Solution, fields: Fields)] = []
        for name in files.names(in: "\(folder)/solution") where name.hasSuffix(".yaml") {
            let file = "\(folder)/solution/\(name)"
            guard let node = document(file), let (solution, fields) = reader.read(node, file: file) else { continue }
            if solutions.contains(where: { $0.id == solution.id }) {
                diagnostics.error(fields.valuePlace(of: "id"), "the solution '\(solution.id)' is there already")
            }
            if !phases.contains(where: { $0.id == solution.phase }) {
                diagnostics.error(
                    fields.valuePlace(of: "phase"), "there is no phase '\(solution.phase)'",
                    hint: suggestion(for: solution.phase.rawValue, among: phases.map(\.id.rawValue)))
            }
            solutions.append(solution)
            chained.append((solution, fields))
        }
        for (solution, fields) in chained {
            guard let after = solution.after, !solutions.contains(where: { $0.id == after }) else { continue }
            diagnostics.error(
                fields.valuePlace(of: "after"), "there is no solution '\(after)'",
                hint: suggestion(for: after.rawValue, among: solutions.map(\.id.rawValue)))
        }
        return solutions
    }

    private func readMutants(phases: [Phase], solutions: [Solution]) -> [Mutant] {
        var mutants: [Mutant] = []
        for name in files.names(in: "\(folder)/mutants") where name.hasSuffix(".yaml") {
            let file = "\(folder)/mutants/\(name)"
            let operations = SolutionReader(files: files, folder: folder, diagnostics: diagnostics)
            let reader = MutantReader(file: file, diagnostics: diagnostics, operations: operations)
            guard let node = document(file), let (mutant, fields, fails) = reader.read(node) else { continue }
            if mutants.contains(where: { $0.id == mutant.id }) {
                diagnostics.error(fields.valuePlace(of: "id"), "the mutant '\(mutant.id)' is there already")
            }
            check(mutant, fields: fields, fails: fails, phases: phases, solutions: solutions)
            mutants.append(mutant)
        }
        return mutants
    }

    /// A mutant must change something that its solution applies, and name a check of the solution's phase.
    private func check(_ mutant: Mutant, fields: Fields, fails: Fields?, phases: [Phase], solutions: [Solution]) {
        guard let solution = solutions.first(where: { $0.id == mutant.solution }) else {
            diagnostics.error(
                fields.valuePlace(of: "solution"), "there is no solution '\(mutant.solution)'",
                hint: suggestion(for: mutant.solution.rawValue, among: solutions.map(\.id.rawValue)))
            return
        }
        let checks = phases.first { $0.id == solution.phase }?.checkpoint.checks ?? []
        if let fails, !mutant.fails.check.rawValue.isEmpty, !checks.contains(where: { $0.id == mutant.fails.check }) {
            diagnostics.error(
                fails.valuePlace(of: "check"),
                "the mutant names the check '\(mutant.fails.check)', which the phase '\(solution.phase)' does not have",
                hint: suggestion(for: mutant.fails.check.rawValue, among: checks.map(\.id.rawValue)))
        }
        let chain = solutions.chain(endingWith: solution.id)
        for change in mutant.changes where !chain.contains(where: { $0.canApply(change) }) {
            diagnostics.error(
                fields.place(of: "changes"),
                "the solution has no '\(change.path)' in \(change.kind) '\(change.name)' of '\(change.file)'")
        }
    }

    private func document(_ file: String) -> Node? {
        guard let text = files.text(file) else { return nil }
        guard let yaml = YAMLText(text, file: file, diagnostics: diagnostics) else { return nil }
        if yaml.documents.isEmpty { diagnostics.error(SourcePlace(file: file), "the file is empty") }
        return yaml.documents.first
    }
}
