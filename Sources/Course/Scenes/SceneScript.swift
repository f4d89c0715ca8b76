import CourseModel

/// A scene's file as lines: a header, `---`, the body, `===`.
struct SceneScript {
    /// One line of the body that says something: not empty, not a comment.
    struct Row {
        let number: Int
        /// Spaces before the text.
        let indent: Int
        let text: String

        func place(in file: String, offset: Int = 0) -> SourcePlace {
            SourcePlace(file: file, line: number, column: indent + 1 + offset)
        }

        /// Where a part of the text begins; the place of the row when it is not in it.
        func place(of part: String, in file: String) -> SourcePlace {
            guard let range = text.firstRange(of: part) else { return place(in: file) }
            return place(in: file, offset: text.distance(from: text.startIndex, to: range.lowerBound))
        }
    }

    let file: String
    private(set) var header: [String: (value: String, place: SourcePlace)] = [:]
    private(set) var body: [Row] = []

    init(_ text: String, file: String, diagnostics: Diagnostics) {
        self.file = file
        var part = Part.header
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last?.isEmpty == true { lines.removeLast() }
        for (index, line) in lines.enumerated() {
            let row = Row(number: index + 1, indent: line.prefix { $0 == " " }.count, text: line.trimmed)
            if line.contains("\t") {
                let column = line.prefix { $0 != "\t" }.count + 1
                diagnostics.error(
                    SourcePlace(file: file, line: row.number, column: column), "there is a tab",
                    hint: "Indent with spaces.")
            }
            if row.text.isEmpty || row.text.hasPrefix("//") { continue }
            switch (part, row.text) {
            case (.header, "---"): part = .body
            case (.header, _): readHeader(row, diagnostics)
            case (.body, "==="): part = .end
            case (.body, _): body.append(row)
            case (.end, _):
                diagnostics.error(
                    row.place(in: file), "nothing can be reached after '==='",
                    hint: "Move it above '===', or take it out.")
                return
            }
        }
        let end = SourcePlace(file: file, line: max(1, lines.count))
        if part == .header {
            diagnostics.error(end, "the header does not end", hint: "Write '---' between header and script.")
        }
        if part == .body { diagnostics.error(end, "the scene does not end", hint: "Write '===' as the last line.") }
    }

    private enum Part { case header, body, end }

    private mutating func readHeader(_ row: Row, _ diagnostics: Diagnostics) {
        guard let colon = row.text.firstIndex(of: ":") else {
            diagnostics.error(
                row.place(in: file), "a header line must read 'name: value'",
                hint: "Write for example 'title: A quiet Monday'.")
            return
        }
        let key = String(row.text[..<colon]).trimmed
        if header[key] != nil {
            diagnostics.error(row.place(in: file), "'\(key)' is given twice", hint: "Take one of them out.")
        }
        header[key] = (String(row.text[row.text.index(after: colon)...]).trimmed, row.place(in: file))
    }
}

/// A body line in its parts: what stands before the tags, and the tags `#name:value` at its end.
struct TaggedText {
    let text: String
    private(set) var tags: [String: String] = [:]

    init(_ row: String) {
        var words = row.split(separator: " ", omittingEmptySubsequences: false)
        while let last = words.last {
            if last.isEmpty {
                words.removeLast()
                continue
            }
            guard last.hasPrefix("#"), let colon = last.firstIndex(of: ":") else { break }
            tags[String(last[last.index(after: last.startIndex)..<colon])] = String(last[last.index(after: colon)...])
            words.removeLast()
        }
        text = words.joined(separator: " ")
    }
}

extension SceneText {
    /// Reads `{$name}` places; nil when a brace has no partner or holds something else.
    init?(parsing text: String) {
        var pieces: [Piece] = []
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            if open > rest.startIndex { pieces.append(.text(String(rest[..<open]))) }
            guard let close = rest[open...].firstIndex(of: "}") else { return nil }
            let name = rest[rest.index(after: open)..<close]
            guard name.count > 1, name.hasPrefix("$"), name.dropFirst().allSatisfy({ $0.isLetter || $0 == "_" }) else {
                return nil
            }
            pieces.append(.variable(String(name.dropFirst())))
            rest = rest[rest.index(after: close)...]
        }
        guard !rest.contains("}") else { return nil }
        if !rest.isEmpty || pieces.isEmpty { pieces.append(.text(String(rest))) }
        self.init(pieces: pieces)
    }
}
