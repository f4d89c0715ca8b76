import KubeModel
import NIOCore
import ObjectStore

/// One watch on its event loop: where it is, and the way to its client.
///
/// Lives on the loop of its connection only.
final class LoopWatcher {
    private let presenter: Presenter
    private let resource: ResourceType
    private var cursor: WatchCursor
    private let wire: WatchWire
    private var isFirst = true
    private var rings = WatchSchedule.Rings()
    /// The client does not read, or what is there already has not all been told: what comes is not told with the others.
    private(set) var isBehind = true
    private(set) var isOver = false
    var alarm: Scheduled<Void>?
    private let whenOver: (LoopWatcher) -> Void

    /// - Parameter whenOver: Called once, at the end of the watch.
    init(_ stream: WatchStream, _ wire: WatchWire, whenOver: @escaping (LoopWatcher) -> Void) {
        presenter = stream.presenter
        resource = stream.resource
        cursor = stream.cursor
        self.wire = wire
        self.whenOver = whenOver
    }

    func begin() {
        wire.whenWritable { [weak self] in
            guard let self, isBehind else { return }
            catchUp()
        }
        catchUp()
    }

    /// Lets go of the connection: nothing more is told.
    func finish() {
        guard !isOver else { return }
        isOver = true
        alarm?.cancel()
        alarm = nil
        wire.whenWritable(nil)
        whenOver(self)
    }

    /// Tells what is there already, as much as the client takes; at the end it is with the others.
    private func catchUp() {
        isBehind = true
        while !isOver, wire.isWritable {
            do throws(Status) {
                let (items, mayHaveMore) = try cursor.present()
                if !items.isEmpty { send(presenter.lines(items, isFirst: isFirst)) }
                if mayHaveMore || !wire.isWritable { continue }
                isBehind = false
                answerRings(seen: cursor.revision)
                return
            } catch {
                if error != .cancelled { wire.send(ByteBuffer(bytes: Presenter.errorEvent(error))) }
                finish()
            }
        }
    }

    /// Looks for itself what comes after what it was told with the others.
    ///
    /// - Parameter seen: Up to here those who are not behind have been told everything.
    func goAlone(seen: Revision) {
        guard !isOver, !isBehind else { return }
        cursor.skip(to: seen)
        catchUp()
    }

    /// Tells what all of the shape are told, unless it knows it already.
    func tell(_ batch: WatchBatch) {
        guard !isOver, !isBehind, batch.last > cursor.revision else { return }
        let knowsPart = batch.first <= cursor.revision
        // The first row of a table has the columns.
        if batch.isLong || knowsPart || isFirst && presenter.isTable {
            goAlone(seen: Revision(batch.first.rawValue - 1))
            return
        }
        cursor.skip(to: batch.last)
        guard !batch.isEmpty else { return }
        isFirst = false
        wire.sendFramed(batch.bytes(isChunked: wire.isChunked))
        if !wire.isWritable { isBehind = true }
    }

    func ring(_ ring: WatchSchedule.Ring) { rings.add(ring) }

    /// Does what the clock has asked for, now or when it is no longer behind.
    func answerRings(seen: Revision) {
        guard !isOver, !isBehind else { return }
        let due = rings
        rings = WatchSchedule.Rings()
        cursor.skip(to: seen)
        if due.bookmark { send(presenter.lines([.bookmark(resource, cursor.revision)], isFirst: isFirst)) }
        if due.end { finish() }
    }

    private func send(_ lines: ByteBuffer) {
        isFirst = false
        wire.send(lines)
    }
}
