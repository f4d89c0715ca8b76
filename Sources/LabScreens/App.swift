public import CourseModel
public import ScreenKit

/// The whole of the screens as a value: messages go in, effects come out, a frame can be drawn at any time.
///
/// Nothing here waits, reads or writes: the shell in `velocity` performs the effects and feeds the answers back.
public struct App: Sendable {
    /// What is on top; the rest waits below it.
    enum Screen: Sendable {
        case home(HomeScreen)
        case scene(SceneScreen)
        case lab(LabScreen)
        case checkpoint(CheckpointScreen)
    }

    public let content: CourseContent
    public private(set) var size: Size
    var screens: [Screen]
    var cluster: ClusterView
    var progress: [String: PhaseProgress] = [:]
    var notice: String?
    var isHelpShown = false

    /// - Parameters:
    ///   - start: A scene to play, or a phase to open, before anything else; nil opens the home screen.
    ///   - firstPhase: Where "to the lab" leads after the scene.
    public init(content: CourseContent, size: Size, start: Start = .home) {
        self.content = content
        self.size = size
        cluster = ClusterView(state: .starting)
        screens = [.home(HomeScreen(content: content))]
        switch start {
        case .home: break
        case .scene(let id, let then):
            if let scene = content.scene(id) {
                if let then, let lab = labScreen(then) { screens.append(.lab(lab)) }
                screens.append(.scene(SceneScreen(scene: scene)))
            }
        case .phase(let path):
            if let lab = labScreen(path) { screens.append(.lab(lab)) }
        }
    }

    /// Where to begin.
    public enum Start: Sendable, Hashable {
        case home
        case scene(SceneID, then: LabPath?)
        case phase(LabPath)
    }

    func labScreen(_ path: LabPath) -> LabScreen? {
        guard let lab = content.lab(path.lab) else { return nil }
        let index = path.phase.flatMap { id in lab.phases.firstIndex { $0.id == id } } ?? 0
        return lab.phases.isEmpty ? nil : LabScreen(lab: lab, phaseIndex: index)
    }

    /// How long until the next ``Message/tick`` is wanted; nil when nothing moves by itself.
    public var tick: Duration? {
        if case .scene(let scene) = screens.last, !isHelpShown { return scene.tick }
        return nil
    }

    /// Takes one message in and says what is to be done.
    public mutating func update(_ message: Message) -> [Effect] {
        switch message {
        case .resized(let size): self.size = size
        case .cluster(let view): cluster = view
        case .progress(let progress): self.progress = progress
        case .notice(let text): notice = text
        case .checkpointBroken(let sentence):
            notice = sentence
            withCheckpoint { $0.end() }
        case .checkWaits(let check, let line): withCheckpoint { $0.waits(check, line) }
        case .checkJudged(let result): withCheckpoint { $0.judged(result) }
        case .checkpointFinished(let result): withCheckpoint { $0.finished(result) }
        case .tick:
            if case .scene(var scene) = screens.last {
                scene.advance()
                replaceTop(.scene(scene))
            }
        case .key(let key): return press(key)
        }
        return []
    }

    /// Applies a change to the checkpoint screen, wherever it lies in the stack.
    private mutating func withCheckpoint(_ change: (inout CheckpointScreen) -> Void) {
        for index in screens.indices {
            guard case .checkpoint(var screen) = screens[index] else { continue }
            change(&screen)
            screens[index] = .checkpoint(screen)
        }
    }

    mutating func replaceTop(_ screen: Screen) { screens[screens.count - 1] = screen }

    private mutating func press(_ key: Key) -> [Effect] {
        notice = nil
        if key == .control("c") { return [.cancelCheckpoint, .quit] }
        if isHelpShown {
            isHelpShown = false
            return []
        }
        if key == .character("?") {
            isHelpShown = true
            return []
        }
        if key == .character("r"), case .stopped = cluster.state {
            cluster.state = .starting
            return [.startCluster]
        }
        switch screens.last {
        case .home(var home):
            let action = home.press(key)
            replaceTop(.home(home))
            return perform(action)
        case .scene(var scene):
            let action = scene.press(key)
            replaceTop(.scene(scene))
            return perform(action)
        case .lab(var lab):
            let action = lab.press(key, page: max(1, size.rows - 8))
            replaceTop(.lab(lab))
            return perform(action)
        case .checkpoint(var checkpoint):
            let action = checkpoint.press(key, page: max(1, size.rows - 6))
            replaceTop(.checkpoint(checkpoint))
            return perform(action)
        case nil: return []
        }
    }

    /// What a screen asks for when a key was pressed.
    enum Action: Sendable {
        case none
        case say(String)
        case back
        case quit
        case openScene(SceneID)
        case openPhase(LabPath)
        case sceneEnded(SceneID, choices: [LineID])
        case shell(LabID)
        case check(LabID, Phase)
        case cancelCheck
    }

    private mutating func perform(_ action: Action) -> [Effect] {
        switch action {
        case .none: return []
        case .say(let sentence):
            notice = sentence
            return []
        case .back:
            if screens.count > 1 { screens.removeLast() }
            return []
        case .quit: return [.cancelCheckpoint, .quit]
        case .openScene(let id):
            if let scene = content.scene(id) { screens.append(.scene(SceneScreen(scene: scene))) }
            return []
        case .openPhase(let path):
            if let lab = labScreen(path) { screens.append(.lab(lab)) }
            return []
        case .sceneEnded(let id, let choices):
            screens.removeLast()
            return [.recordScene(id, choices: choices)]
        case .shell(let lab): return [.openShell(lab)]
        case .check(let lab, let phase):
            let screen = Screen.checkpoint(CheckpointScreen(lab: lab, phase: phase))
            if case .checkpoint = screens.last { replaceTop(screen) } else { screens.append(screen) }
            return [.runCheckpoint(lab, phase.id)]
        case .cancelCheck: return [.cancelCheckpoint]
        }
    }
}
