import KubeModel
import NIOCore
import ObjectStore
import Synchronization

/// The last lines of watches, encoded once for all watchers that want the same form.
final class EventLines: Sendable {
    struct Key: Hashable {
        let resource: ResourceType
        let revision: Revision
        let kind: WatchItem.Kind
        let form: Representation
        let includes: TableWriter.Included
    }

    private struct State {
        var lines: [Key: ByteBuffer] = [:]
        /// The keys in the order in which their lines came; a ring.
        var order: [Key] = []
        var oldest = 0
    }

    private let state = Mutex(State())
    private let countMax: Int
    private let lineBytesMax: Int

    /// - Parameters:
    ///   - countMax: So many lines are kept.
    ///   - lineBytesMax: A line longer than this is made for each watcher anew.
    init(countMax: Int = 256, lineBytesMax: Int = 16 * 1024) {
        self.countMax = countMax
        self.lineBytesMax = lineBytesMax
    }

    /// The line of an event, made if nobody has needed it yet.
    func line(_ key: Key, make: () -> ByteBuffer) -> ByteBuffer {
        if let known = state.withLock({ $0.lines[key] }) { return known }
        let line = make()
        guard line.readableBytes <= lineBytesMax else { return line }
        state.withLock { state in
            guard state.lines.updateValue(line, forKey: key) == nil else { return }
            if state.order.count < countMax {
                state.order.append(key)
            } else {
                state.lines[state.order[state.oldest]] = nil
                state.order[state.oldest] = key
                state.oldest = (state.oldest + 1) % countMax
            }
        }
        return line
    }
}
