import CourseModel

extension SceneParser {
    /// Reads what is said or told in one row, with its speaker and its tags.
    mutating func parseLine(_ row: SceneScript.Row, _ source: String, isChoice: Bool = false) -> SceneLine {
        let tagged = TaggedText(source)
        for tag in tagged.tags.keys.sorted() where !["line", "mood", "answer"].contains(tag) {
            diagnostics.error(
                row.place(of: "#\(tag):", in: file), "there is no tag '#\(tag)'",
                hint: suggestion(for: tag, among: ["line", "mood", "answer"]) ?? "There are #line, #mood and #answer.")
        }
        if let mood = tagged.tags["mood"], !moods.contains(mood) {
            diagnostics.error(
                row.place(of: "#mood:", in: file), "there is no mood '\(mood)'",
                hint: suggestion(for: mood, among: moods.sorted()) ?? "Content/characters.yaml lists the moods.")
        }
        let (speaker, spoken) = isChoice ? (nil, tagged.text) : split(tagged.text, row)
        let id = lineID(tagged, row)
        guard let text = SceneText(parsing: spoken) else {
            error(row, "a '{' or '}' has no partner", hint: "Write '{$name}' for the value of a variable.")
            return SceneLine(id: id, speaker: speaker, text: SceneText(spoken), mood: tagged.tags["mood"])
        }
        text.variables.forEach { checkVariable($0, row) }
        checkLayout(widest(text), isChoice: isChoice, row)
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

    /// The text with its facts as long as they may well become.
    private func widest(_ text: SceneText) -> String {
        text.filled(
            with: SceneVariable.filled([
                SceneVariable.learner.rawValue: .text(String(repeating: "M", count: 24)),
                SceneVariable.recoverySeconds.rawValue: .number(123.4),
                SceneVariable.mendingSeconds.rawValue: .number(12345.6),
                SceneVariable.scalingSeconds.rawValue: .number(123.4),
                SceneVariable.downtimeSeconds.rawValue: .number(123.4),
            ]))
    }

    /// A line must fit the box that an 80x24 terminal has for it.
    private func checkLayout(_ text: String, isChoice: Bool, _ row: SceneScript.Row) {
        if text.isEmpty { error(row, "this line says nothing", hint: "Write its text before the tags.") }
        let columns = 72
        let rowsMax = isChoice ? 2 : 4
        let count = TextMeasure.wrap(text, columns: columns).count
        if count > rowsMax {
            error(
                row, "this text takes \(count) rows of \(columns) columns, and \(rowsMax) fit on a screen of 80x24",
                hint: "Split it into two lines, or say less.")
        }
        if let word = text.split(separator: " ").first(where: { TextMeasure.width(String($0)) > columns }) {
            error(row, "the word '\(word.prefix(20))…' is wider than \(columns) columns", hint: "Break it up.")
        }
    }
}
