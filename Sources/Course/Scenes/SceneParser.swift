import CourseModel

/// What scenes refer to across files; checked when everything is loaded.
struct SceneReferences {
    var gates: [(LabPath, SourcePlace)] = []
    var detours: [(SceneID, SourcePlace)] = []
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
    private var cast: [CharacterID] = []
    /// Variables that have a value somewhere: the program's own and those the scene sets.
    private var variables: Set<String> = Set(SceneVariable.allCases.map(\.rawValue))

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
        for row in rows { if let (name, _) = Self.assignment(in: row.text) { variables.insert(name) } }
        var items = parseItems(indent: 0)
        while position < rows.count {
            error(rows[position], "'\(rows[position].text)' has no '<<if>>' before it")
            position += 1
            items += parseItems(indent: 0)
        }
        if rows.isEmpty { diagnostics.error(SourcePlace(file: file), "the scene says nothing") }
        return Scene(
            id: header.id, week: header.week, title: header.title, setting: header.setting, cast: cast, items: items)
    }

    private func error(_ row: SceneScript.Row, _ message: String, hint: String? = nil) {
        diagnostics.error(row.place(in: file), message, hint: hint)
    }

    /// Items that are indented by `indent` spaces, up to the end of the block or to a command that closes it.
    private mutating func parseItems(indent: Int) -> [SceneItem] {
        var items: [SceneItem] = []
        while position < rows.count {
            let row = rows[position]
            if row.indent < indent || Self.closesBlock(row.text) { break }
            if row.indent > indent { error(row, "this line is indented further than its block") }
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
            let answer = TaggedText(text).tags["answer"]
            var items: [SceneItem] = []
            if position < rows.count, rows[position].indent > indent {
                items = parseItems(indent: rows[position].indent)
            }
            choices.append(SceneChoice(line: line, answer: answer, condition: condition, items: items))
        }
        return choices
    }

    private mutating func parseBranches(indent: Int) -> [SceneBranch] {
        let opening = rows[position]
        var branches: [SceneBranch] = []
        var hasElse = false
        while position < rows.count {
            let row = rows[position]
            position += 1
            if row.text == "<<endif>>" { return branches }
            if hasElse { error(row, "nothing can be reached after '<<else>>'") }
            var condition: SceneCondition?
            if row.text == "<<else>>" {
                hasElse = true
            } else {
                let prefix = row.text.hasPrefix("<<if ") ? "<<if " : "<<elseif "
                condition = parseCondition(String(row.text.dropFirst(prefix.count).dropLast(2)), row)
            }
            let inner = position < rows.count ? max(indent, rows[position].indent) : indent
            branches.append(SceneBranch(condition: condition, items: parseItems(indent: inner)))
            guard position < rows.count, Self.closesBlock(rows[position].text) else { break }
        }
        error(opening, "this '<<if>>' has no '<<endif>>'")
        return branches
    }

    private func parseCondition(_ text: String, _ row: SceneScript.Row) -> SceneCondition? {
        guard let condition = SceneCondition(parsing: text) else {
            error(row, "'\(text)' is not a condition", hint: "Write for example '$attempts > 2' or 'not $seen'.")
            return nil
        }
        checkVariable(condition.variable, row)
        return condition
    }

    private func checkVariable(_ name: String, _ row: SceneScript.Row) {
        guard !variables.contains(name) else { return }
        error(row, "'$\(name)' never has a value", hint: suggestion(for: name, among: variables.sorted()))
    }

    /// The parts of `<<set $name = value>>`.
    private static func assignment(in text: String) -> (name: String, value: String)? {
        guard text.hasPrefix("<<set "), text.hasSuffix(">>") else { return nil }
        let parts = text.dropFirst(6).dropLast(2).split(separator: "=", maxSplits: 1).map { String($0).trimmed }
        guard parts.count == 2, parts[0].hasPrefix("$"), parts[0].count > 1 else { return nil }
        return (String(parts[0].dropFirst()), parts[1])
    }

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
                references.gates.append((path, row.place(in: file)))
                return .gate(path)
            }
            error(row, "'\(words[1])' is not a checkpoint", hint: "Write 'LAB/PHASE' or 'LAB/PHASE/CHECK'.")
        case ("detour", 2):
            let scene = SceneID(rawValue: words[1])
            references.detours.append((scene, row.place(in: file)))
            return .detour(scene)
        case (let name, _):
            error(
                row, "there is no command '\(name)' of this form",
                hint: suggestion(for: name, among: ["wait", "set", "gate", "detour", "if", "elseif", "else", "endif"]))
        }
        return nil
    }

    private mutating func parseLine(_ row: SceneScript.Row, _ source: String, isChoice: Bool = false) -> SceneLine {
        let tagged = TaggedText(source)
        for tag in tagged.tags.keys.sorted() where !["line", "mood", "answer"].contains(tag) {
            error(row, "there is no tag '#\(tag)'", hint: suggestion(for: tag, among: ["line", "mood", "answer"]))
        }
        if let mood = tagged.tags["mood"], !moods.contains(mood) {
            error(row, "there is no mood '\(mood)'", hint: suggestion(for: mood, among: moods.sorted()))
        }
        let (speaker, spoken) = isChoice ? (nil, tagged.text) : split(tagged.text, row)
        let id = lineID(tagged, row)
        checkLayout(spoken, isChoice: isChoice, row)
        guard let text = SceneText(parsing: spoken) else {
            error(row, "a '{' or '}' has no partner", hint: "Write '{$name}' for the value of a variable.")
            return SceneLine(id: id, speaker: speaker, text: SceneText(spoken), mood: tagged.tags["mood"])
        }
        text.variables.forEach { checkVariable($0, row) }
        return SceneLine(id: id, speaker: speaker, text: text, mood: tagged.tags["mood"])
    }

    /// One word and a colon before the text name the speaker; `\:` is a colon that does not.
    private func split(_ text: String, _ row: SceneScript.Row) -> (CharacterID?, String) {
        let plain = text.replacing("\\:", with: ":")
        guard let colon = text.firstIndex(of: ":"), colon > text.startIndex else { return (nil, plain) }
        let name = text[..<colon]
        guard name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" }) else { return (nil, plain) }
        let spoken = String(text[text.index(after: colon)...]).trimmed.replacing("\\:", with: ":")
        let wanted = name.lowercased()
        guard let character = characters.first(where: { $0.id.rawValue == wanted || $0.name.lowercased() == wanted })
        else {
            error(
                row, "there is nobody called '\(name)' in Content/characters.yaml",
                hint: suggestion(for: wanted, among: characters.map(\.id.rawValue))
                    ?? "Write '\\:' if '\(name):' is not a speaker.")
            return (nil, spoken)
        }
        if !cast.contains(character.id) {
            error(row, "'\(character.id)' speaks but is not in the cast", hint: "Add '\(character.id)' to 'cast:'.")
        }
        return (character.id, spoken)
    }

    private mutating func lineID(_ tagged: TaggedText, _ row: SceneScript.Row) -> LineID {
        guard let text = tagged.tags["line"] else {
            error(row, "this line has no id", hint: "Add ' #line:\(freeID(for: tagged.text))' at its end.")
            return LineID(rawValue: "\(file):\(row.number)")
        }
        let id = LineID(rawValue: text)
        if !id.isWellFormed {
            error(row, "'\(id)' is not a line id", hint: "Use lower-case letters, digits and hyphens.")
        }
        if let first = references.lines[id] {
            error(
                row, "the line id '\(id)' is used already, at \(first)",
                hint: "Change this one to '#line:\(freeID(for: tagged.text))'.")
        } else {
            references.lines[id] = row.place(in: file)
        }
        return id
    }

    /// An id that no line has yet, the same on every run.
    private func freeID(for text: String) -> String {
        var hash: UInt32 = 2_166_136_261
        for byte in text.utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        while true {
            let digits = String(hash % 0x100000, radix: 16)
            let id = "l" + String(repeating: "0", count: 5 - digits.count) + digits
            if references.lines[LineID(rawValue: id)] == nil { return id }
            hash &+= 1
        }
    }

    /// A line must fit the box that an 80x24 terminal has for it.
    private func checkLayout(_ text: String, isChoice: Bool, _ row: SceneScript.Row) {
        if text.isEmpty { error(row, "this line says nothing") }
        let columns = 72
        let rowsMax = isChoice ? 2 : 4
        let count = TextMeasure.wrap(text, columns: columns).count
        if count > rowsMax {
            error(
                row, "this text takes \(count) rows of \(columns) columns, and \(rowsMax) fit on a screen of 80x24",
                hint: "Split it into two lines, or say less.")
        }
        if let word = text.split(separator: " ").first(where: { TextMeasure.width(String($0)) > columns }) {
            error(row, "the word '\(word.prefix(20))…' is wider than \(columns) columns")
        }
    }
}
