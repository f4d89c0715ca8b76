import KubeModel
import ObjectStore

/// One event of a watch, for any transport.
struct WatchItem: Sendable {
    enum Kind: String, Sendable {
        case added = "ADDED"
        case modified = "MODIFIED"
        case deleted = "DELETED"
        case bookmark = "BOOKMARK"
    }

    let kind: Kind
    private let content: Content

    private enum Content {
        case stored(StoredObject)
        case made(KubeObject)
    }

    init(_ kind: Kind, _ stored: StoredObject) {
        self.kind = kind
        content = .stored(stored)
    }

    init(_ kind: Kind, _ object: KubeObject) {
        self.kind = kind
        content = .made(object)
    }

    var object: KubeObject {
        switch content {
        case .stored(let stored): stored.object
        case .made(let object): object
        }
    }

    /// The object as it is stored, if it is told as it is.
    var stored: StoredObject? { if case .stored(let stored) = content { stored } else { nil } }

    /// Says that everything up to a revision has been seen; `endsInitialEvents` closes the present objects of a watch list.
    static func bookmark(_ resource: ResourceType, _ revision: Revision, endsInitialEvents: Bool = false) -> WatchItem {
        var metadata: JSONValue = ["resourceVersion": .string("\(revision.rawValue)"), "creationTimestamp": nil]
        if endsInitialEvents { metadata["annotations"] = ["k8s.io/initial-events-end": "true"] }
        return WatchItem(
            .bookmark,
            KubeObject([
                "kind": .string(resource.kind), "apiVersion": .string(resource.apiVersion), "metadata": metadata,
            ]))
    }

    /// What a change of the store is for somebody who sees only the objects of a selection; nil if it is nothing.
    ///
    /// An object that begins to match is added, one that no longer matches is deleted.
    init?(_ event: StoreEvent, _ selection: Selection) {
        guard !selection.isEverything else {
            self.init(event.kind.item, event.object)
            return
        }
        let matches = event.kind != .deleted && selection.matches(event.object)
        let matched = event.previous.map { selection.matches($0) } ?? false
        switch (matched, matches) {
        case (false, false): return nil
        case (false, true): self.init(.added, event.object)
        case (true, true): self.init(.modified, event.object)
        case (true, false) where event.kind == .deleted: self.init(.deleted, event.object)
        case (true, false):
            // As it was when it still matched, at the revision at which it left.
            var object = event.previous?.object ?? event.object.object
            object.resourceVersion = event.object.object.resourceVersion
            self.init(.deleted, object)
        }
    }
}

extension StoreEvent.Kind {
    fileprivate var item: WatchItem.Kind {
        switch self {
        case .added: .added
        case .modified: .modified
        case .deleted: .deleted
        }
    }
}
