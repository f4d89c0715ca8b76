import CourseModel

/// Reads one `.page` file: a header, `---`, lines that begin with what they are, `===`.
///
/// `# heading`, `- bullet`, `| figure`, `$ command`, `> filip: quote`, `? id: question` with `= the team's reply` below
/// it, `<<metrics>>`; everything else is a paragraph, up to an empty line. Two spaces continue a bullet, a quote, a
/// question or a reply.
struct PageParser {
    /// The room for a line on a screen of 80 columns.
    static let columns = 76

    let file: String
    let characters: [StoryCharacter]
    let diagnostics: Diagnostics
    private(set) var questions: [QuestionID: SourcePlace]
    private var blocks: [PageBlock] = []
    /// The block that the next line may continue.
    private var canContinue = false

    init(
        file: String, characters: [StoryCharacter], questions: [QuestionID: SourcePlace], diagnostics: Diagnostics
    ) {
        self.file = file
        self.characters = characters
        self.questions = questions
        self.diagnostics = diagnostics
    }

    mutating func parse(_ text: String) -> ReadingPage {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let start = lines.firstIndex(of: "---") ?? lines.count
        let end = lines.lastIndex(of: "===") ?? lines.count
        let header = readHeader(lines.prefix(start))
        let last = SourcePlace(file: file, line: max(1, lines.count))
        if start == lines.count {
            diagnostics.error(last, "the header does not end", hint: "Write '---' between header and text.")
        }
        if end == lines.count {
            diagnostics.error(last, "the page does not end", hint: "Write '===' as the last line.")
        }
        for index in lines.indices where index > start && index < end { read(lines[index], line: index + 1) }
        for index in lines.indices where index > end && !lines[index].trimmed.isEmpty {
            diagnostics.error(
                SourcePlace(file: file, line: index + 1), "nothing can be reached after '==='",
                hint: "Move it above '===', or take it out.")
            break
        }
        if blocks.isEmpty {
            diagnostics.error(SourcePlace(file: file), "the page says nothing", hint: "Write it below '---'.")
        }
        return ReadingPage(
            id: header.id, week: header.week, title: header.title, isAfterLabs: header.isAfterLabs, blocks: blocks)
    }

    // MARK: The header

    private static let keys = ["version", "page", "week", "title", "when"]

    private func readHeader(
        _ lines: some Collection<String>
    ) -> (id: PageID, week: WeekID, title: String, isAfterLabs: Bool) {
        var values: [String: (text: String, place: SourcePlace)] = [:]
        for (index, line) in lines.enumerated() where !line.trimmed.isEmpty && !line.hasPrefix("//") {
            let place = SourcePlace(file: file, line: index + 1)
            let parts = line.split(separator: ":", maxSplits: 1).map { String($0).trimmed }
            guard parts.count == 2, Self.keys.contains(parts[0]), !parts[1].isEmpty else {
                diagnostics.error(
                    place, "a page has no '\(parts.first ?? "")'",
                    hint: suggestion(for: parts.first ?? "", among: Self.keys)
                        ?? "A page has \(Self.keys.joined(separator: ", ")).")
                continue
            }
            values[parts[0]] = (parts[1], place)
        }
        for key in Self.keys.dropLast() where values[key] == nil {
            diagnostics.error(
                SourcePlace(file: file), "the page needs '\(key)' in its header", hint: "Write '\(key): …' above '---'."
            )
        }
        if let version = values["version"], version.text != "1" {
            diagnostics.error(
                version.place, "version '\(version.text)' is not known: this program reads version 1",
                hint: "Write 'version: 1', or update the program.")
        }
        let id = PageID(rawValue: values["page"]?.text ?? "")
        if let member = values["page"], !id.isWellFormed {
            diagnostics.error(
                member.place, "'\(id)' is not an id",
                hint: "Use lower-case letters, digits and hyphens, starting with a letter.")
        }
        let title = values["title"]?.text ?? ""
        if let member = values["title"], TextMeasure.width(title) > 60 {
            diagnostics.error(member.place, "the title is wider than 60 columns", hint: "Say it in fewer words.")
        }
        let when = values["when"]?.text ?? "before"
        if let member = values["when"], !["before", "after"].contains(when) {
            diagnostics.error(
                member.place, "'\(when)' is not a time to read it",
                hint: "Write 'before' or 'after': the labs are meant.")
        }
        return (id, WeekID(rawValue: values["week"]?.text ?? ""), title, when == "after")
    }

    // MARK: The text

    private mutating func read(_ line: String, line number: Int) {
        let place = SourcePlace(file: file, line: number)
        if line.hasPrefix("//") { return }
        if let tab = line.firstIndex(of: "\t") {
            let column = line.distance(from: line.startIndex, to: tab) + 1
            diagnostics.error(
                SourcePlace(file: file, line: number, column: column), "there is a tab", hint: "Use spaces.")
        }
        if line == "|" || line.hasPrefix("| ") { return addFigure(String(line.dropFirst(2)), place) }
        let text = line.trimmed
        if text.isEmpty {
            canContinue = false
            return
        }
        if line.hasPrefix("  "), canContinue { return extend(text) }
        let isOpen = canContinue
        canContinue = true
        let rest = String(text.dropFirst(2)).trimmed
        switch text.prefix(2) {
        case "# ": blocks.append(.heading(rest))
        case "- ": blocks.append(.bullet(rest))
        case "$ ": addCommand(rest, place)
        case "> ": addQuote(rest, place)
        case "? ": addQuestion(rest, place)
        case "= ": addReply(rest, place)
        case "<<": addCommandBlock(text, place)
        default:
            if case .paragraph(let before)? = blocks.last, isOpen {
                blocks[blocks.count - 1] = .paragraph(before + " " + text)
            } else {
                blocks.append(.paragraph(text))
            }
        }
    }

    /// Adds a line that is indented to the block above it.
    private mutating func extend(_ text: String) {
        switch blocks.last {
        case .bullet(let before): blocks[blocks.count - 1] = .bullet("\(before) \(text)")
        case .paragraph(let before): blocks[blocks.count - 1] = .paragraph("\(before) \(text)")
        case .quote(let speaker, let before):
            blocks[blocks.count - 1] = .quote(speaker: speaker, text: "\(before) \(text)")
        case .question(let question):
            let isReply = !question.reply.isEmpty
            blocks[blocks.count - 1] = .question(
                PageQuestion(
                    id: question.id, text: isReply ? question.text : "\(question.text) \(text)",
                    reply: isReply ? "\(question.reply) \(text)" : ""))
        default: blocks.append(.paragraph(text))
        }
    }

    private mutating func addFigure(_ line: String, _ place: SourcePlace) {
        let width = TextMeasure.width(line)
        if width > Self.columns {
            diagnostics.error(
                SourcePlace(file: file, line: place.line, column: Self.columns + 3),
                "this line of the figure is \(width) columns wide, and \(Self.columns) fit on a screen of 80",
                hint: "Draw it narrower.")
        }
        if case .figure(let lines)? = blocks.last, !canContinue {
            blocks[blocks.count - 1] = .figure(lines + [line])
        } else {
            blocks.append(.figure([line]))
        }
        canContinue = false
    }

    private mutating func addCommand(_ text: String, _ place: SourcePlace) {
        if TextMeasure.width(text) > Self.columns - 4 {
            diagnostics.error(
                place, "this command is wider than \(Self.columns - 4) columns",
                hint: "Break it with '\\', or shorten it.")
        }
        blocks.append(.command(text))
    }

    private mutating func addQuote(_ text: String, _ place: SourcePlace) {
        let parts = text.split(separator: ":", maxSplits: 1).map { String($0).trimmed }
        guard parts.count == 2, let speaker = characters.first(where: { $0.id.rawValue == parts[0].lowercased() })
        else {
            diagnostics.error(
                place, "nobody in Content/characters.yaml says this",
                hint: suggestion(for: parts.first ?? "", among: characters.map(\.id.rawValue))
                    ?? "Write '> filip: what he says'.")
            return
        }
        blocks.append(.quote(speaker: speaker.id, text: parts[1]))
    }

    private mutating func addQuestion(_ text: String, _ place: SourcePlace) {
        let parts = text.split(separator: ":", maxSplits: 1).map { String($0).trimmed }
        let id = QuestionID(rawValue: parts.first ?? "")
        guard parts.count == 2, id.isWellFormed else {
            diagnostics.error(place, "this question has no id", hint: "Write '? w06-surprise: What surprised you?'.")
            return
        }
        if let first = questions[id] {
            diagnostics.error(place, "the question '\(id)' is there already, at \(first)", hint: "Give it another id.")
        }
        questions[id] = place
        blocks.append(.question(PageQuestion(id: id, text: parts[1], reply: "")))
    }

    private mutating func addReply(_ text: String, _ place: SourcePlace) {
        guard case .question(let question)? = blocks.last, question.reply.isEmpty else {
            diagnostics.error(place, "this reply has no question", hint: "Write '? id: question' above it.")
            return
        }
        blocks[blocks.count - 1] = .question(PageQuestion(id: question.id, text: question.text, reply: text))
    }

    private mutating func addCommandBlock(_ text: String, _ place: SourcePlace) {
        guard text == "<<metrics>>" else {
            diagnostics.error(
                place, "there is no command '\(text)' on a page", hint: "There is only '<<metrics>>'.")
            return
        }
        blocks.append(.metrics)
    }
}
