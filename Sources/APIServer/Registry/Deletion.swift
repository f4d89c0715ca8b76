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
        var marked = object
        applyPropagation(options.propagation, to: &marked)
        if object.isBeingDeleted {
            guard resource == .pods else {
                return isComplete(marked, resource) ? .remove(marked) : changed(marked, object)
            }
            return shorten(marked, was: object, options)
        }
        let grace = resource == .pods ? podGrace(object, options) : 0
        marked.value[["metadata", "deletionTimestamp"]] = .string((now + .seconds(grace)).text)
        if resource == .namespaces {
            marked.value[["status", "phase"]] = "Terminating"
        } else {
            marked.value[["metadata", "deletionGracePeriodSeconds"]] = JSONValue(grace)
        }
        if marked.generation > 0 { marked.generation += 1 }
        return isComplete(marked, resource) ? .remove(marked) : .mark(marked)
    }

    /// Whether nothing holds a marked object back any more.
    static func isComplete(_ object: KubeObject, _ resource: ResourceType) -> Bool {
        guard object.isBeingDeleted, object.finalizers.isEmpty else { return false }
        if resource == .namespaces { return object.value[["spec", "finalizers"]]?.array?.isEmpty ?? true }
        return object.deletionGracePeriodSeconds ?? 0 == 0
    }

    private static func changed(_ marked: KubeObject, _ object: KubeObject) -> Deletion {
        marked == object ? .keep : .mark(marked)
    }

    /// A repeated deletion can make the time that a pod has shorter, never longer.
    private static func shorten(_ marked: KubeObject, was object: KubeObject, _ options: DeleteOptions) -> Deletion {
        let had = object.deletionGracePeriodSeconds ?? 0
        guard let wanted = options.gracePeriodSeconds.map({ $0 < 0 ? 1 : $0 }), wanted < had else {
            return isComplete(marked, .pods) ? .remove(marked) : changed(marked, object)
        }
        var marked = marked
        if let end = object.deletionTimestamp {
            marked.value[["metadata", "deletionTimestamp"]] = .string((end + .seconds(wanted - had)).text)
        }
        marked.value[["metadata", "deletionGracePeriodSeconds"]] = JSONValue(wanted)
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

    /// Foreground and orphan are finalizers that the garbage collector works off.
    private static func applyPropagation(_ propagation: DeleteOptions.Propagation?, to object: inout KubeObject) {
        guard let propagation else { return }
        var finalizers = object.finalizers.filter { $0 != "orphan" && $0 != "foregroundDeletion" }
        switch propagation {
        case .background: break
        case .foreground: finalizers.append("foregroundDeletion")
        case .orphan: finalizers.append("orphan")
        }
        if Set(finalizers) != Set(object.finalizers) { object.finalizers = finalizers }
    }
}
