import KubeClient
import NIOCore
import Synchronization

/// Where the output of one program comes together, and from where it goes to its log and to everyone who is attached.
///
/// It is full as soon as one of its readers is behind: then the program waits, as it would for a slow terminal.
final class OutputHub: Sendable {
    private struct State {
        var queues: [ObjectIdentifier: OutputQueue] = [:]
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isEnded = false
        /// What came before the first reader, who is to have it; nil when nobody is.
        var early: [SessionOutput]?
    }

    private let state = Mutex(State())
    private let record: @Sendable (_ bytes: [UInt8], _ isErrorOutput: Bool) -> Void

    private static let earlyBytesMax = 64 << 10

    /// - Parameters:
    ///   - keepsEarly: The first reader gets what was written before it came, too, if that is little.
    ///   - record: Called with each piece, before readers have it.
    init(
        keepsEarly: Bool = false,
        record: @escaping @Sendable (_ bytes: [UInt8], _ isErrorOutput: Bool) -> Void = { _, _ in }
    ) {
        self.record = record
        state.withLock { $0.early = keepsEarly ? [] : nil }
    }

    // MARK: Readers

    /// A reader of everything that is written from now on.
    func attach(output: Bool, errorOutput: Bool) -> OutputQueue {
        let queue = OutputQueue(wants: { $0 ? errorOutput : output }, hasRoom: { [weak self] in self?.resume() })
        let isEnded = state.withLock { state in
            for piece in state.early ?? [] { queue.append(piece) }
            state.early = nil
            if !state.isEnded { state.queues[ObjectIdentifier(queue)] = queue }
            return state.isEnded
        }
        if isEnded { queue.finish() }
        return queue
    }

    /// Lets a reader go; what it has not taken is dropped.
    func detach(_ queue: OutputQueue) {
        state.withLock { _ = $0.queues.removeValue(forKey: ObjectIdentifier(queue)) }
        queue.discard()
    }

    /// Lets a reader have what was written until now, and nothing more.
    func dismiss(_ queue: OutputQueue) {
        state.withLock { _ = $0.queues.removeValue(forKey: ObjectIdentifier(queue)) }
        queue.finish()
        resume()
    }

    private func resume() {
        for channel in state.withLock({ Array($0.channels.values) }) { channel.read() }
    }

    // MARK: Sources

    var isFull: Bool { state.withLock { $0.queues.values.contains { $0.isFull } } }

    func add(_ channel: any Channel) { state.withLock { $0.channels[ObjectIdentifier(channel)] = channel } }

    func remove(_ channel: any Channel) {
        state.withLock { _ = $0.channels.removeValue(forKey: ObjectIdentifier(channel)) }
    }

    func receive(_ bytes: [UInt8], isErrorOutput: Bool) {
        record(bytes, isErrorOutput)
        let piece = SessionOutput(bytes: bytes, isErrorOutput: isErrorOutput)
        let queues = state.withLock { state in
            state.early?.append(piece)
            if (state.early ?? []).reduce(0, { $0 + $1.bytes.count }) > Self.earlyBytesMax { state.early = nil }
            return Array(state.queues.values)
        }
        for queue in queues { queue.append(piece) }
    }

    /// The program has ended, and all its output is here.
    func finish() {
        let queues = state.withLock { state in
            state.isEnded = true
            defer { state.queues = [:] }
            return Array(state.queues.values)
        }
        for queue in queues { queue.finish() }
    }

    var isEnded: Bool { state.withLock { $0.isEnded } }
}
