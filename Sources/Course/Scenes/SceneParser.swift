import CourseModel

/// What scenes refer to across files; checked when everything is loaded.
struct SceneReferences {
    var gates: [(LabPath, SourcePlace)] = []
    var detours: [(from: SceneID, to: SceneID, place: SourcePlace)] = []
    /// Every line id of the course and where it was first used.
    var lines: [LineID: SourcePlace] = [:]
}

/// Reads one `.scene` file: a small subset of Yarn Spinner's script.
///
/// Every line that is shown carries `#line:ID`: replays, the back-log and translations find it by that, however much
/// the script around it changes.
struct SceneParser {
    let file: String
    let characters: [StoryCharacter]
    let moods: Set<String>
    let diagnostics: Diagnostics
    var references: SceneReferences
    private var rows: [SceneScript.Row] = []
    private var position = 0
    private(set) var cast: [CharacterID] = []
    /// Variables that have a value somewhere: the program's own and those the scene sets.
    private var variables: Set<String> = Set(SceneVariable.allCases.map(\.rawValue))
    /// What the scene itself sets its own variables to.
    private var valuesSet: [String: Set<SceneValue>] = [:]
    private var scene = SceneID(rawValue: "")

    init(
        file: String, characters: [StoryCharacter], moods: Set<String>, references: SceneReferences,
        diagnostics: Diagnostics
    ) {
        self.file = file
        self.characters = characters
        self.moods = moods
        self.references = references
        self.diagnostics = diagnostics
    }

    mutating func parse(_ text: String) -> Scene {
        let script = SceneScript(text, file: file, diagnostics: diagnostics)
        rows = script.body
        position = 0
        let header = SceneHeader(script, characters: characters, diagnostics: diagnostics)
        cast = header.cast
        scene = header.id
        if let after = header.after { references.gates.append(after) }
        for row in rows {
            guard let (name, text) = Self.assignment(in: row.text), let value = SceneValue(parsing: text) else {
                continue
            }
            variables.insert(name)
            valuesSet[name, default: []].insert(value)
        }
        var items = parseItems(indent: 0)
        while position < rows.count {
            error(
                rows[position], "'\(rows[position].text)' has no '<<if>>' before it",
                hint: "Write '<<if $name>>' above it, or take it out.")
            position += 1
            items += parseItems(indent: 0)
        }
        if rows.isEmpty {
            diagnostics.error(
                SourcePlace(file: file), "the scene says nothing", hint: "Write its lines between '---' and '==='.")
        }
        return Scene(
            id: header.id, week: header.week, title: header.title, setting: header.setting, cast: cast,
            after: header.after?.path, items: items)
    }

    func error(_ row: SceneScript.Row, _ message: String, hint: String? = nil) {
        diagnostics.error(row.place(in: file), message, hint: hint)
    }

    /// Items that are indented by `indent` spaces, up to the end of the block or to a command that closes it.
    private mutating func parseItems(indent: Int) -> [SceneItem] {
        var items: [SceneItem] = []
        while position < rows.count {
            let row = rows[position]
            if row.indent < indent || Self.closesBlock(row.text) { break }
            if row.indent > indent {
                error(row, "this line is indented further than its block", hint: "Begin it at column \(indent + 1).")
            }
            if items.last == .stop {
                error(row, "nothing can be reached after '<<stop>>'", hint: "Move it above, or take '<<stop>>' out.")
                items.append(.wait(.zero))  // Said once.
            }
            if row.text.hasPrefix("->") {
                items.append(.choices(parseChoices(indent: row.indent)))
            } else if row.text.hasPrefix("<<if ") {
                items.append(.branches(parseBranches(indent: row.indent)))
            } else {
                position += 1
                if row.text.hasPrefix("<<") {
                    if let item = parseCommand(row) { items.append(item) }
                } else {
                    items.append(.line(parseLine(row, row.text)))
                }
            }
        }
        return items
    }

    private static func closesBlock(_ text: String) -> Bool {
        text == "<<endif>>" || text == "<<else>>" || text.hasPrefix("<<elseif ")
    }

    private mutating func parseChoices(indent: Int) -> [SceneChoice] {
        var choices: [SceneChoice] = []
        let opening = rows[position]
        while position < rows.count, rows[position].indent == indent, rows[position].text.hasPrefix("->") {
            let row = rows[position]
            position += 1
            var text = String(row.text.dropFirst(2)).trimmed
            var condition: SceneCondition?
            if let start = text.firstRange(of: "<<if "), let end = text.firstRange(of: ">>") {
                condition = parseCondition(String(text[start.upperBound..<end.lowerBound]), row)
                text.removeSubrange(start.lowerBound..<end.upperBound)
            }
            let line = parseLine(row, text, isChoice: true)
            let answer = parseAnswer(TaggedText(text).tags["answer"], row)
            var items: [SceneItem] = []
            if position < rows.count, rows[position].indent > indent {
                items = parseItems(indent: rows[position].indent)
            }
            if answer != nil, items.isEmpty {
                error(
                    row, "this diagnosis has no consequence",
                    hint: "Say below it, indented, why it is right or where it leads.")
            }
            choices.append(SceneChoice(line: line, answer: answer, condition: condition, items: items))
        }
        check(choices, opening)
        return choices
    }

    private func parseAnswer(_ text: String?, _ row: SceneScript.Row) -> SceneAnswer? {
        guard let text else { return nil }
        let known = SceneAnswer.allCases.map(\.rawValue)
        if let answer = SceneAnswer(rawValue: text) { return answer }
        diagnostics.error(
            row.place(of: "#answer:", in: file), "'\(text)' is not a judgement",
            hint: suggestion(for: text, among: known) ?? "Write one of \(known.joined(separator: ", ")).")
        return nil
    }

    /// A group of answers must fit the screen, and diagnoses must have a right one.
    private func check(_ choices: [SceneChoice], _ opening: SceneScript.Row) {
        if choices.count > 5 {
            error(opening, "\(choices.count) answers do not fit on a screen of 80x24", hint: "Offer 5 at most.")
        }
        if choices.contains(where: { $0.answer != nil }), !choices.contains(where: { $0.answer == .good }) {
            error(opening, "none of these diagnoses is good", hint: "Mark the right one with '#answer:good'.")
        }
    }

    private mutating func parseBranches(indent: Int) -> [SceneBranch] {
        let opening = rows[position]
        var branches: [SceneBranch] = []
        var hasElse = false
        while position < rows.count {
            let row = rows[position]
            position += 1
            if row.text == "<<endif>>" { return branches }
            if hasElse {
                error(row, "nothing can be reached after '<<else>>'", hint: "Move '<<else>>' to the end.")
            }
            var condition: SceneCondition?
            if row.text == "<<else>>" {
                hasElse = true
            } else {
                let prefix = row.text.hasPrefix("<<if ") ? "<<if " : "<<elseif "
                condition = parseCondition(String(row.text.dropFirst(prefix.count).dropLast(2)), row)
                if let condition, branches.contains(where: { $0.condition == condition }) {
                    error(
                        row, "nothing below this can be reached: the same condition stands above",
                        hint: "Change the condition, or take the branch out.")
                }
            }
            let inner = position < rows.count ? max(indent, rows[position].indent) : indent
            branches.append(SceneBranch(condition: condition, items: parseItems(indent: inner)))
            guard position < rows.count, Self.closesBlock(rows[position].text) else { break }
        }
        error(opening, "this '<<if>>' has no '<<endif>>'", hint: "Write '<<endif>>' below its last branch.")
        return branches
    }

    private func parseCondition(_ text: String, _ row: SceneScript.Row) -> SceneCondition? {
        guard let condition = SceneCondition(parsing: text) else {
            error(row, "'\(text)' is not a condition", hint: "Write for example '$attempts > 2' or 'not $seen'.")
            return nil
        }
        checkVariable(condition.variable, row)
        checkReachable(condition, row)
        return condition
    }

    /// A text that no `<<set>>` gives the variable can never be equal to it.
    private func checkReachable(_ condition: SceneCondition, _ row: SceneScript.Row) {
        guard condition.comparison == .equal, !condition.isNegated, case .text(let text)? = condition.value,
            !text.isEmpty, SceneVariable(rawValue: condition.variable) == nil,
            let values = valuesSet[condition.variable], !values.contains(.text(text))
        else { return }
        diagnostics.error(
            row.place(of: "\"\(text)\"", in: file),
            "nothing below this can be reached: no '<<set>>' makes '$\(condition.variable)' \"\(text)\"",
            hint: suggestion(for: text, among: values.map(\.description).sorted())
                ?? "It can be \(values.map(\.description).sorted().joined(separator: ", ")).")
    }

    func checkVariable(_ name: String, _ row: SceneScript.Row) {
        guard !variables.contains(name) else { return }
        diagnostics.error(
            row.place(of: "$\(name)", in: file), "'$\(name)' never has a value",
            hint: suggestion(for: name, among: variables.sorted())
                ?? "Give it one with '<<set $\(name) = …>>', or use a fact that Content/README.md lists.")
    }

    /// The parts of `<<set $name = value>>`.
    private static func assignment(in text: String) -> (name: String, value: String)? {
        guard text.hasPrefix("<<set "), text.hasSuffix(">>") else { return nil }
        let parts = text.dropFirst(6).dropLast(2).split(separator: "=", maxSplits: 1).map { String($0).trimmed }
        guard parts.count == 2, parts[0].hasPrefix("$"), parts[0].count > 1 else { return nil }
        return (String(parts[0].dropFirst()), parts[1])
    }

    private static let commands = ["wait", "set", "gate", "detour", "stop", "if", "elseif", "else", "endif"]

    private mutating func parseCommand(_ row: SceneScript.Row) -> SceneItem? {
        guard row.text.hasSuffix(">>") else {
            error(row, "this command does not end", hint: "Write '>>' at its end.")
            return nil
        }
        let words = row.text.dropFirst(2).dropLast(2).split(separator: " ").map(String.init)
        switch (words.first ?? "", words.count) {
        case ("wait", 2):
            if let duration = Duration(parsing: words[1]), duration <= .seconds(10) { return .wait(duration) }
            error(row, "'\(words[1])' is not a pause", hint: "Write the seconds, from 0 to 10.")
        case ("set", _):
            if let (name, text) = Self.assignment(in: row.text), let value = SceneValue(parsing: text) {
                return .set(variable: name, value: value)
            }
            error(row, "this is not an assignment", hint: "Write '<<set $name = value>>'.")
        case ("gate", 2):
            if let path = LabPath(parsing: words[1]), path.phase != nil {
                references.gates.append((path, row.place(of: words[1], in: file)))
                return .gate(path)
            }
            error(row, "'\(words[1])' is not a checkpoint", hint: "Write 'LAB/PHASE' or 'LAB/PHASE/CHECK'.")
        case ("detour", 2):
            let scene = SceneID(rawValue: words[1])
            references.detours.append((self.scene, scene, row.place(of: words[1], in: file)))
            return .detour(scene)
        case ("stop", 1): return .stop
        case (let name, _):
            error(
                row, "there is no command '\(name)' of this form",
                hint: suggestion(for: name, among: Self.commands)
                    ?? "There are \(Self.commands.joined(separator: ", ")).")
        }
        return nil
    }
}
