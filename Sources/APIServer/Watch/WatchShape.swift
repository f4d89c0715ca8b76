import KubeModel
import ObjectStore

/// What the watchers have in common that are told the same bytes.
struct WatchShape: Hashable {
    let range: KeyRange
    private let selection: Selection
    private let resource: ResourceType
    private let form: Representation
    private let includes: TableWriter.Included
    /// Custom kinds can change between two watchers, so nobody shares with them.
    private let loner: ObjectIdentifier?

    init(_ stream: WatchStream, of watcher: LoopWatcher) {
        range = stream.cursor.range
        selection = stream.cursor.selection
        resource = stream.resource
        form = stream.presenter.form
        includes = stream.presenter.includes
        loner = stream.presenter.kind.custom == nil ? nil : ObjectIdentifier(watcher)
    }
}

/// The watchers of one shape on one event loop.
final class WatchGroup {
    /// Speaks for all of them: they differ in where they are, not in what they see.
    let stream: WatchStream
    var members: [ObjectIdentifier: LoopWatcher] = [:]
    /// The changes of the pass that is being put together.
    var events: [StoreEvent] = []

    init(_ stream: WatchStream) { self.stream = stream }
}
