import KubeClient
import KubeModel

/// What a DELETE does to one object: takes it away at once, or marks it and waits for others.
///
/// An object with finalizers stays, marked, until the last is removed. A pod that runs somewhere stays until its kubelet has
/// ended it. A namespace stays until its content is gone.
enum Deletion: Equatable {
    case remove(KubeObject)
    /// Write this, and the object goes later.
    case mark(KubeObject)
    /// It is already on its way, and this request does not make it go faster.
    case keep

    static func plan(_ object: KubeObject, _ resource: ResourceType, _ options: DeleteOptions, now: Timestamp)
        -> Deletion
    {
        if resource == .pods { return planPod(object, options, now: now) }
        var marked = object
        setFinalizers(of: &marked, resource, options)
        if resource == .namespaces { return planNamespace(marked, was: object, now: now) }
        guard marked.finalizers.isEmpty else { return marking(marked, was: object, now: now) }
        return .remove(marked)
    }

    /// The object as it is to be written; nil when nothing is.
    var outcome: KubeObject? {
        switch self {
        case .remove(let object), .mark(let object): object
        case .keep: nil
        }
    }

    /// Whether the object goes now.
    var isFinal: Bool { if case .remove = self { true } else { false } }

    /// Whether nothing holds a marked object back any more.
    static func isComplete(_ object: KubeObject, _ resource: ResourceType) -> Bool {
        guard object.isBeingDeleted, object.finalizers.isEmpty else { return false }
        if resource == .namespaces { return object.value[["spec", "finalizers"]]?.array?.isEmpty ?? true }
        return object.deletionGracePeriodSeconds ?? 0 == 0
    }

    /// Marks an object that waits for its finalizers.
    private static func marking(_ marked: KubeObject, was object: KubeObject, now: Timestamp) -> Deletion {
        var marked = marked
        if !object.isBeingDeleted, object.generation > 0 { marked.generation += 1 }
        if object.deletionTimestamp.map({ now < $0 }) ?? true {
            marked.value[["metadata", "deletionTimestamp"]] = .string(now.text)
        }
        marked.value[["metadata", "deletionGracePeriodSeconds"]] = 0
        return marked == object ? .keep : .mark(marked)
    }

    private static func planNamespace(_ marked: KubeObject, was object: KubeObject, now: Timestamp) -> Deletion {
        var marked = marked
        if !object.isBeingDeleted {
            marked.value[["metadata", "deletionTimestamp"]] = .string(now.text)
            marked.value[["status", "phase"]] = "Terminating"
        }
        if isComplete(marked, .namespaces) { return .remove(marked) }
        return marked == object ? .keep : .mark(marked)
    }

    // MARK: Pods

    private static func planPod(_ pod: KubeObject, _ options: DeleteOptions, now: Timestamp) -> Deletion {
        if pod.isBeingDeleted {
            let had = pod.deletionGracePeriodSeconds ?? 0
            if had > 0 { return shorten(pod, had: had, options, now: now) }
            var marked = pod
            setFinalizers(of: &marked, .pods, options)
            guard !marked.finalizers.isEmpty else { return .remove(marked) }
            return marked == pod ? .keep : .mark(marked)
        }
        let grace = podGrace(pod, options)
        var marked = pod
        marked.value[["metadata", "deletionTimestamp"]] = .string((now + .seconds(grace)).text)
        marked.value[["metadata", "deletionGracePeriodSeconds"]] = JSONValue(grace)
        if marked.generation > 0 { marked.generation += 1 }
        setFinalizers(of: &marked, .pods, options)
        return isComplete(marked, .pods) ? .remove(marked) : .mark(marked)
    }

    /// A repeated deletion can make the time that a pod has shorter, never longer.
    private static func shorten(
        _ pod: KubeObject, had: Int, _ options: DeleteOptions, now: Timestamp
    ) -> Deletion {
        guard var wanted = options.gracePeriodSeconds.map({ $0 < 0 ? 1 : $0 }), wanted < had else { return .keep }
        var marked = pod
        if let end = pod.deletionTimestamp {
            var sooner = end + .seconds(wanted - had)
            if sooner < now {
                // The time is over already: whoever waits for it gets the least there is, and removes the pod then.
                sooner = now
                if wanted != 0 { wanted = 1 }
            }
            marked.value[["metadata", "deletionTimestamp"]] = .string(sooner.text)
        }
        marked.value[["metadata", "deletionGracePeriodSeconds"]] = JSONValue(wanted)
        setFinalizers(of: &marked, .pods, options)
        return isComplete(marked, .pods) ? .remove(marked) : .mark(marked)
    }

    private static let graceDefault = 30

    /// The seconds that a pod has to end: none where nothing runs.
    private static func podGrace(_ pod: KubeObject, _ options: DeleteOptions) -> Int {
        let isBound = pod.value[["spec", "nodeName"]]?.string?.isEmpty == false
        let phase = pod.value[["status", "phase"]]?.string
        guard isBound, phase != "Succeeded", phase != "Failed" else { return 0 }
        let wanted =
            options.gracePeriodSeconds ?? pod.value[["spec", "terminationGracePeriodSeconds"]]?.int ?? graceDefault
        return wanted < 0 ? 1 : wanted
    }

    // MARK: Dependents

    static let orphan = "orphan"
    static let foreground = "foregroundDeletion"

    /// Kinds whose dependents stay unless the request says otherwise, as they did in the first versions of Kubernetes.
    private static let orphaning: Set<ResourceType> = [.replicationControllers, .jobs]

    static func orphansByDefault(_ resource: ResourceType) -> Bool { orphaning.contains(resource) }

    /// Foreground and orphan are finalizers that the garbage collector works off.
    ///
    /// What the request says counts first, then a finalizer that is there, then what is usual for the kind.
    private static func setFinalizers(
        of object: inout KubeObject, _ resource: ResourceType, _ options: DeleteOptions
    ) {
        guard resource != .events else { return }
        let present = object.finalizers
        let wish: DeleteOptions.Propagation
        if let orphans = options.orphanDependents {
            wish = orphans ? .orphan : .background
        } else if let propagation = options.propagation {
            wish = propagation
        } else if let standing = present.first(where: { $0 == orphan || $0 == foreground }) {
            wish = standing == orphan ? .orphan : .foreground
        } else {
            wish = orphansByDefault(resource) ? .orphan : .background
        }
        var finalizers = present.filter { $0 != orphan && $0 != foreground }
        switch wish {
        case .background: break
        case .foreground: finalizers.append(foreground)
        case .orphan: finalizers.append(orphan)
        }
        if Set(finalizers) != Set(present) { object.finalizers = finalizers }
    }
}
