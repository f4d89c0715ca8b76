import ControllerKit
import KubeModel
import Synchronization

/// The kinds that garbage collection follows: those that are always there, and custom ones while they are defined.
final class FollowedKinds: Sendable {
    private let informers: Mutex<[Informer]>
    private let resources: @Sendable (_ apiVersion: String, _ kind: String) -> ResourceType?

    /// - Parameter resources: The resource of a kind that the API serves at the moment.
    init(
        _ informers: [Informer], resources: @escaping @Sendable (_ apiVersion: String, _ kind: String) -> ResourceType?
    ) {
        self.informers = Mutex(informers)
        self.resources = resources
    }

    /// Where an owner is to be looked for; nil for a kind that is not served.
    func resource(of owner: OwnerReference) -> ResourceType? { resources(owner.apiVersion, owner.kind) }

    var all: [Informer] { informers.withLock { $0 } }

    /// Follows one kind more.
    ///
    /// - Returns: Those that were followed before, so that of two new kinds the later one knows of the earlier.
    func add(_ informer: Informer) -> [Informer] {
        informers.withLock { informers in
            defer { informers.append(informer) }
            return informers
        }
    }

    func remove(_ informer: Informer) { informers.withLock { $0.removeAll { $0 === informer } } }

    /// The kind that an owner is of, whichever of its versions the reference names; nil for one that is not followed.
    func kind(of owner: OwnerReference) -> Informer? {
        let parts = owner.apiVersion.split(separator: "/")
        let group = parts.count == 2 ? parts[0] : ""
        return all.first { $0.resource.kind == owner.kind && $0.resource.group == group }
    }
}
