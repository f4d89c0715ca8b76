import ScreenKit

/// The live line of the cluster: its node, and a row for each pod of the lab.
enum ClusterStrip {
    /// How many rows it takes: a heading, and the pods that fit into a third of the area.
    static func rows(for view: ClusterView, in area: Rect) -> Int {
        guard view.state == .running else { return 2 }
        return min(2 + view.pods.count, max(2, area.rows / 3))
    }

    static func render(_ view: ClusterView, in area: Rect, of buffer: inout CellBuffer) {
        guard area.rows > 0 else { return }
        buffer.put(String(repeating: "─", count: area.columns), column: area.column, row: area.row, .dim)
        var column = buffer.put(" cluster ", column: area.column + 2, row: area.row, .title, limit: area.endColumn)
        if !view.mode.isEmpty { column = buffer.put("\(view.mode) ", column: column, row: area.row, .dim) }
        let lines = area.split(top: 1).rest
        switch view.state {
        case .starting: buffer.put("starting ...", column: lines.column, row: lines.row, .dim, limit: lines.endColumn)
        case .stopped(let sentence):
            buffer.put(
                TextWrap.truncate("✗ \(sentence) Press r to start it again.", columns: lines.columns),
                column: lines.column,
                row: lines.row, .bad)
        case .running:
            for node in view.nodes {
                column = buffer.put(" \(node.name) ", column: column, row: area.row, limit: area.endColumn)
                let sign = node.isReady ? "✓ Ready " : "✗ NotReady "
                column = buffer.put(
                    sign, column: column, row: area.row, node.isReady ? .good : .bad, limit: area.endColumn)
            }
            renderPods(view.pods, in: lines, of: &buffer)
        }
    }

    private static func renderPods(_ pods: [ClusterView.Pod], in area: Rect, of buffer: inout CellBuffer) {
        guard area.rows > 0 else { return }
        if pods.isEmpty {
            buffer.put(
                "no pods in the lab's namespace yet", column: area.column, row: area.row, .dim, limit: area.endColumn)
        }
        let hidden = pods.count > area.rows ? pods.count - area.rows + 1 : 0
        for (index, pod) in pods.prefix(pods.count - hidden).enumerated() {
            let row = area.row + index
            let isGoing = pod.status == "Terminating"
            let style: Style = isGoing ? .dim : pod.isReady ? .good : .warning
            buffer.put(isGoing ? "-" : pod.isReady ? "✓" : "·", column: area.column, row: row, style)
            let nameColumns = max(10, area.columns - 32)
            buffer.put(
                TextWrap.pad(pod.name, columns: nameColumns), column: area.column + 2, row: row, limit: area.endColumn)
            let restarts = pod.restarts > 0 ? "  \(pod.restarts) restart\(pod.restarts == 1 ? "" : "s")" : ""
            buffer.put(
                pod.status + restarts, column: area.column + 3 + nameColumns, row: row, style, limit: area.endColumn)
        }
        if hidden > 0 {
            buffer.put(
                "... and \(hidden) more", column: area.column + 2, row: area.endRow - 1, .dim, limit: area.endColumn)
        }
    }
}
