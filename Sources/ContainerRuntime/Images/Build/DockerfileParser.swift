import KubeModel

/// Splits a Dockerfile into instructions.
struct DockerfileParser {
    private let lines: [Substring]
    private let name: String
    private(set) var escape: Character = "\\"
    private var index = 0

    init(_ text: String, name: String) {
        var text = text
        if text.hasPrefix("\u{FEFF}") { text.removeFirst() }
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.last == "\r" ? line.dropLast() : line
        }
        // Swift takes CR LF for one character.
        .flatMap { $0.split(separator: "\r\n", omittingEmptySubsequences: false) }
        self.name = name
    }

    mutating func parse() throws(ImageError) -> [Dockerfile.Instruction] {
        try readDirectives()
        var instructions: [Dockerfile.Instruction] = []
        while index < lines.count {
            let line = index + 1
            let text = nextLogicalLine()
            guard !text.isEmpty else { continue }
            instructions.append(try instruction(text, line: line))
        }
        return instructions
    }

    /// `# syntax=` and `# escape=`: comments that mean something, at the very top only.
    private mutating func readDirectives() throws(ImageError) {
        while index < lines.count {
            let line = Self.trimmed(lines[index])
            guard line.hasPrefix("#"), let equals = line.firstIndex(of: "=") else { return }
            let key = Self.trimmed(line[line.index(after: line.startIndex)..<equals]).lowercased()
            let value = Self.trimmed(line[line.index(after: equals)...])
            guard ["syntax", "escape", "check"].contains(key) else { return }
            if key == "escape" {
                guard value == "\\" || value == "`" else {
                    throw failure(index + 1, "the escape character is \\ or `, not '\(value)'", "Write: # escape=`")
                }
                escape = value == "`" ? "`" : "\\"
            }
            index += 1
        }
    }

    /// One instruction's text: lines that end in the escape character go on; comments between them are left out.
    private mutating func nextLogicalLine() -> String {
        var text = ""
        var isContinued = false
        while index < lines.count {
            let line = lines[index]
            let bare = Self.trimmed(line)
            index += 1
            if bare.hasPrefix("#") || (bare.isEmpty && isContinued) { if isContinued { continue } else { return "" } }
            var piece = line
            while let last = piece.last, last == " " || last == "\t" { piece.removeLast() }
            if piece.last == escape {
                text += piece.dropLast()
                isContinued = true
                continue
            }
            text += line
            break
        }
        return Self.trimmed(text[...])
    }

    private mutating func instruction(_ text: String, line: Int) throws(ImageError) -> Dockerfile.Instruction {
        let word = text.prefix { !$0.isWhitespace }
        guard let keyword = Dockerfile.Keyword(rawValue: word.uppercased()) else {
            let nearest = Dockerfile.Keyword.allCases.min {
                Self.distance($0.rawValue, word.uppercased()) < Self.distance($1.rawValue, word.uppercased())
            }
            let isNear = nearest.map { Self.distance($0.rawValue, word.uppercased()) <= 2 } ?? false
            throw failure(
                line, "there is no instruction '\(word)'",
                isNear
                    ? "Did you mean '\(nearest?.rawValue ?? "")'?"
                    : "A line that goes on ends in '\(escape)'; an instruction begins with a word like RUN or COPY.")
        }
        var rest = Self.trimmed(text[word.endIndex...])
        var flags: [Dockerfile.Flag] = []
        while rest.hasPrefix("--"), keyword != .cmd, keyword != .entrypoint {
            let flag = rest.prefix { !$0.isWhitespace }
            let parts = flag.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            flags.append(.init(name: String(parts[0]), value: parts.count > 1 ? String(parts[1]) : ""))
            rest = Self.trimmed(rest[flag.endIndex...])
        }
        guard !rest.isEmpty else {
            throw failure(line, "\(keyword.rawValue) says nothing", Self.example(keyword))
        }
        var instruction = Dockerfile.Instruction(
            line: line, keyword: keyword, flags: flags, rest: rest, list: try list(rest, keyword, line), text: text)
        if [.run, .copy, .add].contains(keyword), instruction.list == nil {
            instruction.documents = try documents(rest, line)
        }
        return instruction
    }

    /// The exec form; a text that begins like one and is none is a mistake worth a word, except in a shell's command.
    private func list(_ text: String, _ keyword: Dockerfile.Keyword, _ line: Int) throws(ImageError) -> [String]? {
        guard text.hasPrefix("["), [.run, .cmd, .entrypoint, .copy, .add, .volume, .shell].contains(keyword) else {
            return nil
        }
        if let value = try? JSONValue(parsing: text), let items = value.array {
            let texts = items.compactMap(\.string)
            if texts.count == items.count { return texts }
        }
        // `[ -f x ] && y` is a command of a shell.
        if keyword == .run || !text.hasSuffix("]") || text.hasPrefix("[ ") && !text.contains(",") { return nil }
        let quotes = text.contains("'") ? "with double quotes, not single ones" : "with commas between quoted words"
        throw failure(line, "the list \(text) is no JSON", "Write it \(quotes): [\"python\", \"app.py\"]")
    }

    private mutating func documents(_ text: String, _ line: Int) throws(ImageError) -> [Dockerfile.HereDocument] {
        var found: [Dockerfile.HereDocument] = []
        for word in text.split(whereSeparator: \.isWhitespace) {
            let mark = word.drop { $0.isNumber }
            guard mark.hasPrefix("<<"), !mark.hasPrefix("<<<") else { continue }
            var name = mark.dropFirst(2)
            let stripsTabs = name.hasPrefix("-")
            if stripsTabs { name = name.dropFirst() }
            let isQuoted = (name.hasPrefix("\"") || name.hasPrefix("'")) && name.count > 2 && name.last == name.first
            if isQuoted { name = name.dropFirst().dropLast() }
            guard let first = name.first, first.isLetter || first == "_",
                name.allSatisfy({ $0.isLetter || $0.isNumber || "_.-".contains($0) })
            else { continue }
            var body = ""
            while true {
                guard index < lines.count else {
                    throw failure(line, "the text after '\(word)' has no end", "End it with a line '\(name)'.")
                }
                let next = stripsTabs ? lines[index].drop { $0 == "\t" } : lines[index]
                index += 1
                if next == name { break }
                body += String(next) + "\n"
            }
            found.append(.init(name: String(name), text: body, expands: !isQuoted))
        }
        return found
    }

    private func failure(_ line: Int, _ what: String, _ hint: String?) -> ImageError {
        ImageError("\(name):\(line): \(what).", hint: hint)
    }

    private static func example(_ keyword: Dockerfile.Keyword) -> String {
        switch keyword {
        case .from: "Name a base: FROM alpine"
        case .copy, .add: "Name what and where to: \(keyword.rawValue) app.py /app/"
        case .cmd, .entrypoint: "Name the program: \(keyword.rawValue) [\"python\", \"app.py\"]"
        case .env: "Name and value: ENV PORT=8080"
        default: "See: https://docs.docker.com/reference/dockerfile/#\(keyword.rawValue.lowercased())"
        }
    }

    static func trimmed(_ text: Substring) -> String {
        String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }

    /// How many letters have to change to make one word of the other.
    static func distance(_ one: String, _ other: String) -> Int {
        let other = Array(other)
        var row = Array(0...other.count)
        for (index, letter) in one.enumerated() {
            var next = [index + 1]
            for (column, candidate) in other.enumerated() {
                next.append(min(row[column] + (letter == candidate ? 0 : 1), row[column + 1] + 1, next[column] + 1))
            }
            row = next
        }
        return row[other.count]
    }
}
