import KubeModel
import ScreenKit

extension BrowserScreen {
    var hints: [KeyHint] {
        switch (prompt, text?.target) {
        case (.delete(let object)?, _): return [KeyHint("y", "delete \(object.title)"), KeyHint("any other key", "no")]
        case (.filter?, _): return [KeyHint("Enter", "keep the filter"), KeyHint("Esc", "show all")]
        case (.kind?, _): return [KeyHint("Enter", "go to that kind"), KeyHint("Esc", "stay")]
        case (nil, .log?):
            return [
                KeyHint("↑↓", "scroll"), KeyHint("End", "follow"), KeyHint("c", "next container"),
                KeyHint("Esc", "back"),
            ]
        case (nil, .object?): return [KeyHint("↑↓", "scroll"), KeyHint("Esc", "back")]
        default: break
        }
        var hints = [KeyHint("←→", "kind"), KeyHint("Enter", "open"), KeyHint("d", "details")]
        if table.resource == .pods { hints += [KeyHint("l", "log"), KeyHint("s", "shell")] }
        return hints + [
            KeyHint("/", "filter"), KeyHint(":", "any kind"), KeyHint("a", namespace == nil ? "one namespace" : "all"),
            KeyHint("Ctrl-D", "delete"), KeyHint("Esc", "back"),
        ]
    }

    func render(in area: Rect, of buffer: inout CellBuffer) {
        if let text {
            text.text.render(in: area.inset(columns: 1), of: &buffer)
            return
        }
        let (head, rest) = area.split(top: area.rows > 10 ? 2 : 1)
        renderKinds(in: head, of: &buffer)
        var body = rest
        if let line = statusLine {
            let bottom: Rect
            (body, bottom) = body.split(bottom: 1)
            buffer.put(
                TextWrap.truncate(line.text, columns: bottom.columns), column: bottom.column, row: bottom.row,
                line.style)
        }
        table.render(in: body, of: &buffer, now: now)
        if table.rows.isEmpty, failure == nil, body.rows > 1 {
            let sentence =
                !table.isLoaded ? "looking ..." : table.filter.isEmpty ? "none" : "nothing matches the filter"
            buffer.put(sentence, column: body.column + 2, row: body.row + 1, .dim, limit: body.endColumn)
        }
    }

    private var statusLine: PageLine? {
        switch prompt {
        case .filter(let word): return PageLine(text: "/\(word)_", style: .bold)
        case .kind(let word): return PageLine(text: ":\(word)_", style: .bold)
        case .delete(let object): return PageLine(text: "Delete \(object.title)?  y / n", style: .warning)
        case nil: break
        }
        if let failure { return PageLine(text: failure, style: .warning) }
        return table.filter.isEmpty
            ? nil : PageLine(text: "/\(table.filter): \(table.rows.count) of \(table.total)", style: .dim)
    }

    /// The kinds in one row, as many around the present one as fit; what is listed stands in front.
    private func renderKinds(in area: Rect, of buffer: inout CellBuffer) {
        let query = queries[queries.count - 1]
        var names = Self.kinds.map { Self.title($0) }
        var place = Self.kinds.firstIndex(of: query.resource)
        if place == nil || query.owner != nil {
            // A kind from outside the row, or the pods of something.
            names = [Self.title(query.resource) + (query.owner.map { " of \($0)" } ?? "")]
            place = 0
        }
        guard let place else { return }
        names[place] += table.isLoaded ? " \(table.total)" : ""
        var first = place
        var used = TextWidth.of(names[place])
        while first > 0, used + TextWidth.of(names[first - 1]) + 2 <= area.columns * 2 / 3 {
            first -= 1
            used += TextWidth.of(names[first]) + 2
        }
        var column = area.column + 1
        for index in first..<names.count {
            guard column + TextWidth.of(names[index]) <= area.endColumn || index == place else { break }
            column =
                buffer.put(
                    names[index], column: column, row: area.row, index == place ? .title : .dim, limit: area.endColumn)
                + 2
        }
    }

    /// `Pods`, `NetworkPolicies`: the kind, with the ending of its plural.
    private static func title(_ resource: ResourceType) -> String {
        let kind = resource.kind
        return resource.plural.hasPrefix(kind.lowercased())
            ? kind + resource.plural.dropFirst(kind.count) : String(kind.dropLast()) + "ies"
    }
}
