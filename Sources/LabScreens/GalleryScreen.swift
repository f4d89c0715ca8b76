import CourseModel
import ScreenKit

/// Every scene of the course: which are open, how often they were seen, and how they can be seen again.
struct GalleryScreen: Sendable {
    static let hints = [
        KeyHint("↑↓", "choose"), KeyHint("Enter", "play"), KeyHint("y", "as it happened to you"),
        KeyHint("w", "as written"), KeyHint("Esc", "back"),
    ]

    private let scenes: [Scene]
    private var selected = 0

    init(content: CourseContent) {
        scenes = content.orderedScenes
    }

    mutating func press(_ key: Key) -> App.Action {
        switch key {
        case .up, .character("k"): selected = max(0, selected - 1)
        case .down, .character("j"): selected = max(0, min(scenes.count - 1, selected + 1))
        case .enter, .character(" "): return open(.play)
        case .character("y"): return open(.asItHappened)
        case .character("w"): return open(.authorsCut)
        case .escape, .character("q"), .left: return .back
        default: return .say("That key does nothing here; ? shows the keys that do.")
        }
        return .none
    }

    private func open(_ cut: ScenePlayback.Cut) -> App.Action {
        scenes.indices.contains(selected) ? .openScene(scenes[selected].id, cut) : .none
    }

    func render(in area: Rect, of buffer: inout CellBuffer, record: StoryRecord) {
        var page = area.inset(columns: 1, rows: area.rows > 12 ? 1 : 0)
        buffer.put(
            "The gallery: every scene, to be seen again", column: page.column, row: page.row, .title,
            limit: page.endColumn)
        page = page.split(top: 2).rest
        let first = max(0, min(selected - page.rows / 2, scenes.count - page.rows))
        for (offset, scene) in scenes.dropFirst(first).prefix(page.rows).enumerated() {
            let isSelected = first + offset == selected
            let state = Self.state(of: scene, record)
            let room = max(0, page.columns - TextWidth.of(state) - 1)
            let isOpen = record.isOpen(scene)
            buffer.put(
                TextWrap.pad("\(isSelected ? "▸" : " ") \(scene.title)", columns: room),
                column: page.column, row: page.row + offset, isSelected ? .selected : isOpen ? .plain : .dim,
                limit: page.endColumn)
            buffer.put(state, column: page.endColumn - TextWidth.of(state), row: page.row + offset, .dim)
            if isSelected { buffer.cursor = .init(column: page.column, row: page.row + offset) }
        }
    }

    /// What is known about a scene: locked, new, or how often and how much of it was seen.
    static func state(of scene: Scene, _ record: StoryRecord) -> String {
        guard record.isOpen(scene) else { return "opens after \(scene.after?.description ?? "")" }
        let times = record.timesSeen(scene.id)
        let all = Set(scene.allLines.map(\.id))
        let share = all.isEmpty ? 0 : all.intersection(record.seenLines).count * 100 / all.count
        if times == 0 { return share == 0 ? "new" : "begun, \(share)% of its lines" }
        return "seen \(times == 1 ? "once" : "\(times) times"), \(share)% of its lines"
    }
}
