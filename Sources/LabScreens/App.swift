public import CourseModel
import KubeModel
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
        case reading(ReadingScreen)
        case map(MapScreen)
        case gallery(GalleryScreen)
        case browser(BrowserScreen)

        /// Whether keys are letters of a text now, and nothing else.
        var isTyping: Bool {
            switch self {
            case .scene(let scene): scene.isTyping
            case .reading(let reading): reading.isTyping
            case .browser(let browser): browser.isTyping
            case .lab(let lab): lab.isTyping
            default: false
            }
        }
    }

    public let content: CourseContent
    public private(set) var size: Size
    var screens: [Screen]
    var cluster: ClusterView
    var progress: [String: PhaseProgress] = [:]
    /// What is recorded about the learner, for the story and the pages.
    var record: StoryRecord
    /// How fast letters appear; 2 is twice as fast.
    private let speed: Double
    var notice: String?
    /// By the last message that said so; ages are counted from here.
    private var now = Timestamp(seconds: 0)
    /// What is done to the lab just now; nil when nothing is.
    var preparation: String?
    var isHelpShown = false

    /// - Parameters:
    ///   - start: A scene to play, or a phase to open, before anything else; nil opens the home screen.
    ///   - record: What is recorded about the learner at the beginning; ``Message/story(_:)`` brings it up to date.
    ///   - speed: How fast scenes play; 2 is twice as fast.
    public init(
        content: CourseContent, size: Size, start: Start = .home, record: StoryRecord = StoryRecord(),
        speed: Double = 1
    ) {
        self.content = content
        self.size = size
        self.record = record
        self.speed = speed
        cluster = ClusterView(state: .starting)
        var home = HomeScreen(content: content)
        home.markNext([:], record)
        screens = [.home(home)]
        switch start {
        case .home: break
        case .scene(let id, let then, let cut):
            if let then, let lab = labScreen(then) { screens.append(.lab(lab)) }
            _ = open(id, cut)
        case .page(let id): _ = open(id)
        case .map: screens.append(.map(MapScreen()))
        case .cluster: screens = [.browser(browser)]
        case .phase(let path):
            if let lab = labScreen(path) { screens.append(.lab(lab)) }
        }
    }

    /// Where to begin.
    public enum Start: Sendable, Hashable {
        case home
        case scene(SceneID, then: LabPath?, cut: ScenePlayback.Cut = .play)
        case phase(LabPath)
        case page(PageID)
        case map
        /// The cluster alone: leaving it ends the screens.
        case cluster
    }

    /// The cluster as it is, in the labs' namespace.
    private var browser: BrowserScreen {
        BrowserScreen(namespace: content.labs.first?.namespace ?? "default", now: now)
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
        case .cluster(let view):
            let wasRunning = cluster.state == .running
            cluster = view
            // A cluster that has come up is looked at anew.
            if !wasRunning, view.state == .running, case .browser(let browser) = screens.last {
                return [.follow(browser.target)]
            }
        case .browsed(let target, let answer, let moment):
            now = moment
            withBrowser { $0.take(answer, of: target, now: moment) }
        case .time(let moment):
            now = moment
            withBrowser { $0.pass(to: moment) }
        case .progress(let progress):
            self.progress = progress
            markNext()
        case .story(let record):
            self.record = record
            for index in screens.indices {
                guard case .scene(var scene) = screens[index] else { continue }
                scene.update(record)
                screens[index] = .scene(scene)
            }
            markNext()
        case .notice(let text): notice = text
        case .preparing(let text): preparation = text
        case .prepared(let text):
            preparation = nil
            notice = text
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

    /// Marks what comes next on the home screen, unless somebody has chosen there already.
    private mutating func markNext() {
        guard case .home(var home) = screens.first else { return }
        home.markNext(progress, record)
        screens[0] = .home(home)
    }

    /// Applies a change to the checkpoint screen, wherever it lies in the stack.
    private mutating func withCheckpoint(_ change: (inout CheckpointScreen) -> Void) {
        for index in screens.indices {
            guard case .checkpoint(var screen) = screens[index] else { continue }
            change(&screen)
            screens[index] = .checkpoint(screen)
        }
    }

    private mutating func withBrowser(_ change: (inout BrowserScreen) -> Void) {
        guard case .browser(var browser) = screens.last else { return }
        change(&browser)
        replaceTop(.browser(browser))
    }

    mutating func replaceTop(_ screen: Screen) { screens[screens.count - 1] = screen }

    private mutating func press(_ key: Key) -> [Effect] {
        notice = nil
        if key == .control("c") { return [.cancelCheckpoint, .quit] }
        if isHelpShown {
            isHelpShown = false
            return []
        }
        let isTyping = screens.last?.isTyping ?? false
        if key == .character("?"), !isTyping {
            isHelpShown = true
            return []
        }
        if key == .character("r"), !isTyping, case .stopped = cluster.state {
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
            scene.limitBacklog(to: 4 * scene.playback.backlog.count + size.columns)
            replaceTop(.scene(scene))
            return perform(action)
        case .lab(var lab):
            let action = lab.press(key, page: max(1, size.rows - 8), record: record)
            replaceTop(.lab(lab))
            return perform(action)
        case .checkpoint(let checkpoint) where key == .character("d") && debrief(of: checkpoint) != nil:
            return debrief(of: checkpoint).map { open($0.id, .play) } ?? []
        case .checkpoint(var checkpoint):
            let action = checkpoint.press(key, page: max(1, size.rows - 6))
            replaceTop(.checkpoint(checkpoint))
            return perform(action)
        case .reading(var reading):
            let area = textArea
            let lines = reading.lines(columns: area.columns, content: content, record: record)
            let last = max(0, lines.count - area.rows)
            let wasAtEnd = reading.isAtEnd(lastLine: last)
            let action = reading.press(key, page: max(1, area.rows - 2), lastLine: last, record: record)
            replaceTop(.reading(reading))
            let isRead = wasAtEnd || reading.isAtEnd(lastLine: last)
            let isNew = !record.pagesRead.contains(reading.page.id)
            return (isRead && isNew ? [.recordPage(reading.page.id)] : []) + perform(action)
        case .map(var map):
            let area = textArea
            let lines = MapText.lines(content, progress: progress, record: record, columns: min(96, area.columns))
            let action = map.press(key, page: max(1, area.rows - 2), lastLine: max(0, lines.count - area.rows))
            replaceTop(.map(map))
            return perform(action)
        case .gallery(var gallery):
            let action = gallery.press(key)
            replaceTop(.gallery(gallery))
            return perform(action)
        case .browser(var browser):
            let action = browser.press(key, page: Size(columns: max(1, size.columns - 2), rows: max(1, size.rows - 2)))
            replaceTop(.browser(browser))
            return perform(action)
        case nil: return []
        }
    }

    /// The first scene that the judged phase has opened and that was not seen yet.
    func debrief(of checkpoint: CheckpointScreen) -> Scene? {
        guard checkpoint.isOver else { return nil }
        return content.orderedScenes.first { scene in
            guard let after = scene.after, after.lab == checkpoint.lab, after.phase == checkpoint.phase.id else {
                return false
            }
            return record.isOpen(scene) && record.timesSeen(scene.id) == 0
        }
    }

    /// Where a page's text stands: below the header, above the footer.
    private var textArea: Rect {
        ReadingScreen.textArea(in: Rect(column: 0, row: 1, columns: size.columns, rows: size.rows - 2))
    }

    /// What a screen asks for when a key was pressed.
    enum Action: Sendable {
        case none
        case say(String)
        case back
        case quit
        case openScene(SceneID, ScenePlayback.Cut)
        case openPage(PageID)
        /// Another page in the place of this one.
        case turnPage(PageID)
        case openMap
        case openGallery
        case keepAnswer(QuestionID, String)
        case openPhase(LabPath)
        case sceneEnded(ScenePlayback, isFinished: Bool)
        case begin(LabID, PhaseID)
        case catchUp(LabID, PhaseID)
        case hint(LabID, PhaseID)
        case shell(LabID)
        case check(LabID, Phase)
        case cancelCheck
        case openCluster
        case follow(BrowserTarget)
        case deleteObject(BrowserObject)
        case podShell(BrowserObject)
    }

    private mutating func perform(_ action: Action) -> [Effect] {
        switch action {
        case .none: return []
        case .say(let sentence):
            notice = sentence
            return []
        case .back:
            guard screens.count > 1 else { return [.cancelCheckpoint, .quit] }
            if case .browser = screens.removeLast() { return [.follow(nil)] }
            return []
        case .quit: return [.cancelCheckpoint, .quit]
        case .openScene(let id, let cut): return open(id, cut)
        case .openPage(let id): return open(id)
        case .turnPage(let id):
            screens.removeLast()
            return open(id)
        case .openMap:
            screens.append(.map(MapScreen()))
            return []
        case .openGallery:
            screens.append(.gallery(GalleryScreen(content: content)))
            return []
        case .keepAnswer(let question, let text): return [.keepAnswer(question, text)]
        case .openPhase(let path):
            if let lab = labScreen(path) { screens.append(.lab(lab)) }
            return []
        case .sceneEnded(let playback, let isFinished):
            screens.removeLast()
            let start = Moment(milliseconds: 0)  // The shell knows what time it is.
            return [.recordScene(playback.record(started: start, finished: nil), isFinished: isFinished)]
        case .begin(let lab, let phase): return prepare(.beginPhase(lab, phase))
        case .catchUp(let lab, let phase): return prepare(.catchUp(lab, phase))
        case .hint(let lab, let phase): return [.showHint(lab, phase)]
        case .shell(let lab): return [.openShell(lab)]
        case .check where preparation != nil:
            notice = "The lab is being prepared; wait until that is done."
            return []
        case .check(let lab, let phase):
            let screen = Screen.checkpoint(CheckpointScreen(lab: lab, phase: phase))
            if case .checkpoint = screens.last { replaceTop(screen) } else { screens.append(screen) }
            return [.runCheckpoint(lab, phase.id)]
        case .cancelCheck: return [.cancelCheckpoint]
        case .openCluster:
            let browser = browser
            screens.append(.browser(browser))
            return [.follow(browser.target)]
        case .follow(let target): return [.follow(target)]
        case .deleteObject(let object): return [.deleteObject(object)]
        case .podShell(let pod): return [.openPodShell(pod)]
        }
    }

    /// One at a time: two would undo each other.
    private mutating func prepare(_ effect: Effect) -> [Effect] {
        guard preparation == nil else {
            notice = "The lab is being prepared already; wait until that is done."
            return []
        }
        preparation = "Preparing the lab ..."
        return [effect]
    }

    private mutating func open(_ id: SceneID, _ cut: ScenePlayback.Cut) -> [Effect] {
        guard let scene = content.scene(id) else { return [] }
        if !record.isOpen(scene), let path = scene.after {
            notice = "This scene opens when \(path) has passed."
        } else if let screen = SceneScreen(scene: scene, cut: cut, content: content, record: record, speed: speed) {
            screens.append(.scene(screen))
        } else {
            notice = "You have not seen this scene yet, so there is nothing to show again; Enter plays it."
        }
        return []
    }

    private mutating func open(_ id: PageID) -> [Effect] {
        if let page = content.page(id) { screens.append(.reading(ReadingScreen(page: page, content: content))) }
        return []
    }
}
