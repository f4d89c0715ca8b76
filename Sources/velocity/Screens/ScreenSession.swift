import Checkers
import Cluster
import CourseModel
import Foundation
import KubeClient
import LabScreens
import Progress
import ScreenKit
import Synchronization
import TerminalScreen

/// The shell around the screens: shows frames, reads keys, performs effects and feeds their results back.
///
/// The main thread waits for a key, a message or the next tick, and for nothing else; everything slow runs beside it.
@MainActor
final class ScreenSession {
    let terminal: Terminal
    let inbox: Inbox
    private var app: App
    private let content: CourseContent
    private let store: ProgressStore
    private let learner: Learner
    let cluster: LabCluster
    let tasks = TaskBag()
    private var check: Task<Void, Never>?
    var browsing: Task<Void, Never>?

    /// - Parameters:
    ///   - speed: How fast scenes play; 2 is twice as fast.
    ///   - chosen: The cluster that is worked on; nil takes the embedded one.
    static func run(
        content: CourseContent, store: ProgressStore, learner: Learner, start: App.Start, speed: Double = 1,
        cluster chosen: LabCluster? = nil
    ) async throws {
        let usesColor = Machine.environment["NO_COLOR"].map(\.isEmpty) ?? true
        guard let inbox = Inbox() else { throw ClusterError("A pipe cannot be made.") }
        let cluster = try chosen ?? .embedded()
        guard let terminal = Terminal(usesColor: usesColor) else {
            throw ClusterError(
                "This terminal cannot show screens.", hint: "Use plain text: velocity list, velocity play --plain")
        }
        let session = ScreenSession(
            terminal: terminal, inbox: inbox, content: content, store: store, learner: learner, cluster: cluster,
            app: App(
                content: content, size: terminal.size, start: start, record: try store.story(of: learner),
                speed: speed))
        session.loop()
        terminal.leave()
        session.tasks.cancelAll()
        await session.tasks.finish()
    }

    private init(
        terminal: Terminal, inbox: Inbox, content: CourseContent, store: ProgressStore, learner: Learner,
        cluster: LabCluster, app: App
    ) {
        self.terminal = terminal
        self.inbox = inbox
        self.content = content
        self.store = store
        self.learner = learner
        self.cluster = cluster
        self.app = app
    }

    private func loop() {
        inbox.post(.progress(progress()))
        watchCluster()
        var isOver = false
        while !isOver {
            terminal.show(app.render())
            var messages = inbox.take()
            if messages.isEmpty {
                switch terminal.wait(wake: inbox.wakeDescriptor, timeout: app.tick) {
                case .key(let key): messages = [.key(key)]
                case .resized: messages = [.resized(terminal.size)]
                case .timedOut: messages = [.tick]
                case .woken: messages = inbox.take()
                case .closed: return
                }
            }
            for message in messages {
                for effect in app.update(message) { if perform(effect) { isOver = true } }
            }
        }
    }

    /// True when the session is over.
    private func perform(_ effect: Effect) -> Bool {
        switch effect {
        case .quit: return true
        case .openShell(let lab): openShell(lab)
        case .runCheckpoint(let lab, let phase): runCheckpoint(lab, phase)
        case .cancelCheckpoint: check?.cancel()
        case .startCluster: watchCluster()
        case .beginPhase(let lab, let phase):
            prepare(lab, phase) { try await $0.begin(seed: .random(in: 1..<1_000_000)) }
        case .catchUp(let lab, let phase): prepare(lab, phase) { try await $0.catchUp() }
        case .showHint(let lab, let phase): showHint(lab, phase)
        case .recordPage(let page): keep { try store.record(read: page, learner: learner.id) }
        case .follow(let target): follow(target)
        case .deleteObject(let object): delete(object)
        case .openPodShell(let pod): openShell(in: pod)
        case .recordScene(var play, let isFinished):
            play.started = .now
            play.finished = isFinished ? play.started : nil
            keep { try store.record(play, learner: learner.id) }
        case .keepAnswer(let question, let text):
            keep {
                try store.record(KeptAnswer(question: question, text: text, written: .now), learner: learner.id)
            }
        }
        return false
    }

    /// Records something of the story, and tells the screens what is known now.
    private func keep(_ record: () throws -> Void) {
        do {
            try record()
            inbox.post(.story(try store.story(of: learner)))
        } catch {
            inbox.post(.notice("\(error)"))
        }
    }

    private func watchCluster() {
        let namespace = content.labs.first?.namespace ?? "default"
        let watcher = ClusterWatcher(cluster: cluster, namespace: namespace, inbox: inbox)
        tasks.add { await watcher.run() }
    }

    /// Brings the lab to another state beside the screens, which hear what is done.
    private func prepare(
        _ lab: LabID, _ phase: PhaseID, _ work: @escaping @Sendable (PhaseBeginning) async throws -> Void
    ) {
        guard let lab = content.lab(lab), let phase = lab.phase(phase) else { return }
        let (inbox, store, learner, content) = (inbox, store, learner, content)
        let beginning = PhaseBeginning(lab: lab, phase: phase, cluster: cluster, learner: learner, store: store) {
            inbox.post(.preparing($0))
        }
        tasks.add {
            do {
                try await work(beginning)
                let next = phase.isDrill ? "The drill has begun; the clock runs." : "'\(phase.title)' can begin."
                inbox.post(.prepared(next))
            } catch {
                inbox.post(.prepared("\(error)"))
            }
            if let progress = try? store.phaseProgress(of: learner.id, content: content) {
                inbox.post(.progress(progress))
            }
        }
    }

    private func showHint(_ lab: LabID, _ phase: PhaseID) {
        guard let lab = content.lab(lab), let phase = lab.phase(phase) else { return }
        do {
            inbox.post(.notice(try NextHint.show(phase, of: lab, learner, store).joined(separator: ": ")))
        } catch {
            inbox.post(.notice("\(error)"))
        }
    }

    private func openShell(_ id: LabID) {
        guard let lab = content.lab(id) else { return }
        do {
            let shell = try LabShell(lab: lab, cluster: cluster)
            terminal.suspended {
                for line in shell.greeting { Output.remark(line) }
                _ = shell.run()
            }
            inbox.post(.resized(terminal.size))
            if let fault = CourseAccess.manifestFaults(lab).first { inbox.post(.notice(fault)) }
        } catch {
            inbox.post(.notice("\(error)"))
        }
    }

    private func runCheckpoint(_ lab: LabID, _ phase: PhaseID) {
        guard let lab = content.lab(lab), let phase = lab.phase(phase) else { return }
        try? store.open(lab.id, phase.id, learner: learner.id)
        let (inbox, store, learner, cluster, content) = (inbox, store, learner, cluster, content)
        check?.cancel()
        check = tasks.add {
            do {
                let client = try cluster.client()
                let lock = try cluster.lock()
                var options = cluster.checkOptions
                options.answers = try store.answers(of: learner.id).mapValues(\.text)
                let engine = CheckEngine(client: client, options: options)
                let result = await engine.run(phase, of: lab) { progress in
                    switch progress {
                    case .judged(let result): inbox.post(.checkJudged(result))
                    case .started(let check): inbox.post(.checkWaits(check, "looking ..."))
                    case .waiting(let check, _, _, _), .acted(let check, _):
                        if let line = progress.line { inbox.post(.checkWaits(check, line)) }
                    }
                }
                _ = consume lock
                guard !Task.isCancelled else { return }
                try store.record(result, learner: learner.id, cluster: cluster.name)
                inbox.post(.checkpointFinished(result))
                // Not by way of this object: its thread waits for keys.
                inbox.post(.progress(try store.phaseProgress(of: learner.id, content: content)))
                inbox.post(.story(try store.story(of: learner)))
            } catch {
                inbox.post(.checkpointBroken("\(error)"))
            }
        }
    }

    private func progress() -> [String: PhaseProgress] {
        (try? store.phaseProgress(of: learner.id, content: content)) ?? [:]
    }
}

/// Messages on their way to the screens; a byte in a pipe wakes the thread that waits for keys.
final class Inbox: Sendable {
    let wakeDescriptor: Int32
    private let writeDescriptor: Int32
    private let messages = Mutex<[Message]>([])

    init?() {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        (wakeDescriptor, writeDescriptor) = (ends[0], ends[1])
    }

    func post(_ message: Message) {
        messages.withLock { $0.append(message) }
        var byte: UInt8 = 1
        _ = write(writeDescriptor, &byte, 1)
    }

    func take() -> [Message] {
        var buffer = [UInt8](repeating: 0, count: 256)
        while read(wakeDescriptor, &buffer, buffer.count) > 0 {}
        return messages.withLock { messages in
            defer { messages = [] }
            return messages
        }
    }
}

/// The tasks that effects started: they end with the session.
@MainActor
final class TaskBag {
    private var tasks: [Task<Void, Never>] = []

    @discardableResult
    func add(_ work: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        let task = Task { @concurrent in await work() }
        tasks.append(task)
        return task
    }

    func cancelAll() { for task in tasks { task.cancel() } }

    /// Waits for all of them: a check undoes what it changed before the program ends.
    func finish() async { for task in tasks { await task.value } }
}
