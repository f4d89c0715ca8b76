import CourseModel
import Yams

/// Reads the checks of a checkpoint.
struct CheckReader {
    let file: String
    let diagnostics: Diagnostics
    /// The questions of the phase, which its checks may judge.
    var questions: [LabQuestion] = []

    /// The waits that an author leaves out.
    static let defaultLimit = Duration.seconds(60)

    func readCheckpoint(_ fields: inout Fields) -> Checkpoint {
        fields.checkTitle("title")
        let title = fields.text("title")
        var checks: [Check] = []
        var places: [CheckID: SourcePlace] = [:]
        var needs: [(check: CheckID, needed: CheckID, place: SourcePlace)] = []
        for node in fields.requiredList("checks") {
            guard var item = Fields(node, what: "a check", file: file, diagnostics: diagnostics) else { continue }
            let check = read(&item, &needs)
            if let first = places[check.id] {
                diagnostics.error(item.valuePlace(of: "id"), "the check '\(check.id)' is there already, at \(first)")
            }
            places[check.id] = item.valuePlace(of: "id")
            checks.append(check)
        }
        fields.finish()
        checkNeeds(needs, order: checks.map(\.id))
        return Checkpoint(title: title, checks: checks)
    }

    private func checkNeeds(_ needs: [(check: CheckID, needed: CheckID, place: SourcePlace)], order: [CheckID]) {
        for need in needs {
            guard let needed = order.firstIndex(of: need.needed) else {
                diagnostics.error(
                    need.place, "'needs' names the check '\(need.needed)', which does not exist",
                    hint: suggestion(for: need.needed.rawValue, among: order.map(\.rawValue)))
                continue
            }
            if let own = order.firstIndex(of: need.check), needed >= own {
                diagnostics.error(
                    need.place, "the check '\(need.needed)' does not come before '\(need.check)', which needs it",
                    hint: "Put a check below those that it needs.")
            }
        }
    }

    private func read(
        _ fields: inout Fields, _ needs: inout [(check: CheckID, needed: CheckID, place: SourcePlace)]
    ) -> Check {
        let id: CheckID = fields.id("id")
        fields.checkTitle("title")
        let title = fields.text("title")
        let needed = fields.ids("needs", as: CheckID.self)
        needs += needed.map { (id, $0.id, $0.place) }
        let needsEmbedded = fields.optionalText("embeddedOnly")
        let points = fields.optionalInt("points", in: 0...100) ?? 1
        var steps: [CheckStep] = []
        var names: Set<String> = []
        for node in fields.requiredList("steps") {
            guard let item = Fields(node, what: "a step of a check", file: file, diagnostics: diagnostics) else {
                continue
            }
            var reader = CheckStepReader(fields: item, questions: questions, names: names)
            if let step = reader.read() { steps.append(step) }
            names = reader.names
        }
        let hints = readHints(&fields)
        fields.finish()
        return Check(
            id: id, title: title, needs: needed.map(\.id), needsEmbedded: needsEmbedded, points: points, steps: steps,
            hints: hints)
    }

    private func readHints(_ fields: inout Fields) -> [Hint] {
        guard fields.has("hints") else {
            diagnostics.error(
                fields.place, "a check needs 'hints'", hint: "Say where to look, in a hint without a 'cause'.")
            return []
        }
        let hints = fields.requiredList("hints").compactMap { node -> Hint? in
            guard var item = Fields(node, what: "a hint", file: file, diagnostics: diagnostics) else { return nil }
            var cause: Cause?
            let name = item.optionalText("cause")
            if let name {
                cause = Cause(rawValue: name)
                if cause == nil { reportUnknownCause(name, item.valuePlace(of: "cause"), diagnostics) }
            }
            let hint = Hint(cause: cause, text: item.text("text"))
            item.finish()
            return name != nil && cause == nil ? nil : hint
        }
        if !hints.isEmpty, !hints.contains(where: { $0.cause == nil }) {
            diagnostics.error(
                fields.place(of: "hints"), "every hint has a 'cause'",
                hint: "Add one without, for a learner whose mistake nobody thought of.")
        }
        return hints
    }
}

func reportUnknownCause(_ name: String, _ place: SourcePlace, _ diagnostics: Diagnostics) {
    let causes = Cause.allCases.map(\.rawValue)
    diagnostics.error(
        place, "there is no cause '\(name)'",
        hint: suggestion(for: name, among: causes) ?? "The causes are: \(causes.joined(separator: ", ")).")
}

extension Fields {
    /// Titles stand on one line of an 80-column screen, with a mark before them.
    func checkTitle(_ key: String) {
        guard let title = title(key), TextMeasure.width(title) > 70 else { return }
        diagnostics.error(
            place(of: key), "'\(key)' is wider than 70 columns", hint: "Titles stand on one line of 80x24.")
    }

    private func title(_ key: String) -> String? {
        var copy = self
        return copy.node(key)?.scalar?.string
    }
}
