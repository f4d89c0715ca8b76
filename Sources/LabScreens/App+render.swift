import CourseModel
public import ScreenKit

extension App {
    /// The frame for the present state: a header, the screen, the cluster strip where there is room, a notice, the key hints.
    public func render() -> CellBuffer {
        var buffer = CellBuffer(size)
        let (header, body) = buffer.bounds.split(top: 1)
        let (main, footer) = body.split(bottom: 1)
        var area = main
        drawHeader(in: header, of: &buffer)
        let hints = hints
        buffer.footer(screens.last?.isTyping ?? false ? hints : hints + [KeyHint("?", "help")], in: footer)
        if let notice = notice ?? preparation {
            let line: Rect
            (area, line) = area.split(bottom: min(4, TextWrap.lines(notice, columns: area.columns).count))
            buffer.paragraph(notice, in: line, .warning)
        }
        if showsStrip {
            let strip: Rect
            (area, strip) = area.split(bottom: ClusterStrip.rows(for: cluster, in: area))
            ClusterStrip.render(cluster, in: strip, of: &buffer)
        }
        switch screens.last {
        case .home(let home): home.render(in: area, of: &buffer, progress: progress, record: record)
        case .scene(let scene): scene.render(in: area, of: &buffer, content: content)
        case .lab(let lab): lab.render(in: area, of: &buffer, progress: progress, drill: cluster.drill, record: record)
        case .checkpoint(let checkpoint): checkpoint.render(in: area, of: &buffer)
        case .reading(let reading): reading.render(in: area, of: &buffer, content: content, record: record)
        case .map(let map): map.render(in: area, of: &buffer, content: content, progress: progress, record: record)
        case .gallery(let gallery): gallery.render(in: area, of: &buffer, record: record)
        case .browser(let browser): browser.render(in: area, of: &buffer)
        case nil: break
        }
        if isHelpShown { renderHelp(hints + furtherHints, of: &buffer) }
        return buffer
    }

    /// What is read or watched has the screen to itself.
    private var showsStrip: Bool {
        switch screens.last {
        case .home, .lab, .checkpoint: size.rows >= 14
        case .scene, .reading, .map, .gallery, .browser, nil: false
        }
    }

    private var hints: [KeyHint] {
        var hints: [KeyHint] =
            switch screens.last {
            case .home: HomeScreen.hints
            case .scene(let scene): scene.hints
            case .lab(let lab): lab.keys
            case .checkpoint(let checkpoint):
                (debrief(of: checkpoint) == nil ? [] : [KeyHint("d", "the story goes on")]) + checkpoint.hints
            case .reading(let reading): reading.hints
            case .map: MapScreen.hints
            case .gallery: GalleryScreen.hints
            case .browser(let browser): browser.hints
            case nil: []
            }
        if case .stopped = cluster.state { hints.append(KeyHint("r", "start the cluster")) }
        return hints
    }

    private var furtherHints: [KeyHint] {
        if case .lab = screens.last { LabScreen.furtherHints } else { [] }
    }

    private func drawHeader(in area: Rect, of buffer: inout CellBuffer) {
        let place: String =
            switch screens.last {
            case .home, nil: "home"
            case .scene(let scene): scene.title
            case .lab(let lab): lab.place
            case .checkpoint(let checkpoint): checkpoint.place
            case .reading(let reading): reading.page.title
            case .map: "map"
            case .gallery: "gallery"
            case .browser(let browser): browser.place
            }
        let end = buffer.put("VelocityLab", column: area.column, row: area.row, .title)
        buffer.put(
            TextWrap.truncate(place, columns: max(0, area.columns - end - 2)), column: end + 2, row: area.row, .dim)
    }

    private func renderHelp(_ hints: [KeyHint], of buffer: inout CellBuffer) {
        let lines = hints + [KeyHint("?", "this help"), KeyHint("Ctrl-C", "quit at once")]
        let width = min(buffer.size.columns, 60)
        let height = min(buffer.size.rows, lines.count + 4)
        let area = Rect(
            column: (buffer.size.columns - width) / 2, row: (buffer.size.rows - height) / 2, columns: width,
            rows: height)
        buffer.fill(area)
        let inside = buffer.box(area, title: "Keys here").inset(columns: 1)
        for (index, hint) in lines.enumerated() where index < inside.rows {
            buffer.put(hint.keys, column: inside.column, row: inside.row + index, .bold, limit: inside.endColumn)
            buffer.put(hint.does, column: inside.column + 12, row: inside.row + index, limit: inside.endColumn)
        }
        if inside.rows > lines.count {
            buffer.put(
                "any key closes this", column: inside.column, row: inside.endRow - 1, .dim, limit: inside.endColumn)
        }
    }
}
