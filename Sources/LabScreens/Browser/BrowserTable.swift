import KubeModel
import ScreenKit

/// The listed objects as a table, with the columns of `kubectl get`.
struct BrowserTable: Sendable {
    let resource: ResourceType
    private let columns: [PrinterColumn]
    private let showsNamespace: Bool
    private var objects: [KubeObject] = []
    /// Part of a name, a namespace, a label or a cell; empty shows all.
    var filter = "" { didSet { select() } }
    /// What the filter leaves, in order.
    private(set) var rows: [KubeObject] = []
    private(set) var isLoaded = false
    private(set) var selected = 0
    var total: Int { objects.count }

    init(_ query: BrowserQuery) {
        resource = query.resource
        showsNamespace = query.namespace == nil && query.resource.isNamespaced
        columns = KindCatalog.builtIn.kind(query.resource)?.columns ?? [.name, .age]
    }

    var selection: KubeObject? { rows.indices.contains(selected) ? rows[selected] : nil }

    /// Takes the list as it is now; the selected object stays selected.
    mutating func show(_ list: [KubeObject]) {
        isLoaded = true
        // The latest event is the one that is looked for.
        objects =
            resource == .events
            ? list.sorted { KubeObject.seenEarlier($1, $0) } : list.sorted { ObjectKey($0) < ObjectKey($1) }
        select()
    }

    private mutating func select() {
        let key = selection.map(ObjectKey.init)
        let word = filter.lowercased()
        rows = word.isEmpty ? objects : objects.filter { Self.text($0, columns).contains(word) }
        let place = key.flatMap { key in rows.firstIndex { ObjectKey($0) == key } } ?? selected
        selected = max(0, min(place, rows.count - 1))
    }

    private static func text(_ object: KubeObject, _ columns: [PrinterColumn]) -> String {
        let now = Timestamp(seconds: 0)
        let cells = columns.filter { $0.name != "Age" }.map { text($0.cell(object, now)) }
        let labels = object.labels.map { "\($0.key)=\($0.value)" }
        return ([object.namespace ?? ""] + cells + labels).joined(separator: " ").lowercased()
    }

    private static func text(_ cell: JSONValue) -> String { cell.string ?? (cell.isNull ? "" : cell.text) }

    mutating func move(_ step: Int) { selected = max(0, min(rows.count - 1, selected + step)) }

    func render(in area: Rect, of buffer: inout CellBuffer, now: Timestamp) {
        let (head, body) = area.split(top: 1)
        let first = max(0, min(selected - body.rows / 2, rows.count - body.rows))
        let shown = rows.dropFirst(first).prefix(body.rows)
        let layout = Layout(cells(of: shown, now: now), columns: area.columns - 2)
        layout.put(layout.titles, in: head, row: head.row, .dim, of: &buffer)
        for (offset, object) in shown.enumerated() {
            let row = body.row + offset
            let isSelected = first + offset == selected
            let health = ObjectHealth(object, resource)
            if isSelected {
                buffer.fill(Rect(column: body.column, row: row, columns: body.columns, rows: 1), .selected)
                buffer.cursor = .init(column: body.column, row: row)
            }
            buffer.put(health.sign, column: body.column, row: row, isSelected ? .selected : health.style)
            layout.put(layout.rows[offset], in: body, row: row, isSelected ? .selected : health.style, of: &buffer)
        }
    }

    /// Titles and cells of the rows; those of `-o wide` are marked, because they are shown only where there is room.
    private func cells(of shown: ArraySlice<KubeObject>, now: Timestamp) -> [Layout.Column] {
        var cells: [Layout.Column] = []
        if showsNamespace {
            cells.append(Layout.Column(title: "NAMESPACE", isWide: false, cells: shown.map { $0.namespace ?? "" }))
        }
        return cells
            + columns.map { column in
                Layout.Column(
                    title: column.name.uppercased(), isWide: column.priority > 0,
                    cells: shown.map { Self.text(column.cell($0, now)) })
            }
    }
}

/// Columns side by side, as wide as their cells; the name gives way first.
private struct Layout {
    struct Column {
        var title: String
        var isWide: Bool
        var cells: [String]
    }

    private var columns: [(column: Column, width: Int)]
    private static let gap = 2
    private static let nameMin = 16

    init(_ all: [Column], columns room: Int) {
        func measured(_ columns: [Column]) -> [(column: Column, width: Int)] {
            columns.map { column in (column, ([column.title] + column.cells).map(TextWidth.of).max() ?? 0) }
        }
        func width(_ columns: [(column: Column, width: Int)]) -> Int { columns.reduce(0) { $0 + $1.width + Self.gap } }
        columns = measured(all)
        if width(columns) > room { columns = measured(all.filter { !$0.isWide }) }
        let excess = width(columns) - Self.gap - room
        if excess > 0, let name = columns.firstIndex(where: { $0.column.title == "NAME" }) {
            columns[name].width = max(min(Self.nameMin, columns[name].width), columns[name].width - excess)
        }
    }

    var titles: [String] { columns.map(\.column.title) }
    var rows: [[String]] {
        (0..<(columns.first?.column.cells.count ?? 0)).map { row in columns.map { $0.column.cells[row] } }
    }

    func put(_ cells: [String], in area: Rect, row: Int, _ style: Style, of buffer: inout CellBuffer) {
        var column = area.column + 2
        for (cell, width) in zip(cells, columns.map(\.width)) {
            let text = TextWrap.pad(cell, columns: min(width, max(0, area.endColumn - column)))
            column = buffer.put(text, column: column, row: row, style, limit: area.endColumn) + Self.gap
        }
    }
}
