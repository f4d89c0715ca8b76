extension KindSchema {
    /// Readies an object that is about to be created: nobody but the server says what its status is.
    ///
    /// Called after `applyDefaults`. The server sets uid, creation time and resource version itself.
    public func prepareForCreate(_ object: inout KubeObject) {
        if hasStatus, !behavior.keepsStatusOfNewObjects { object.value["status"] = nil }
        object.value[["metadata", "deletionTimestamp"]] = nil
        object.value[["metadata", "deletionGracePeriodSeconds"]] = nil
        object.value[["metadata", "selfLink"]] = nil
        object.value[["metadata", "generation"]] = behavior.countsGenerations ? 1 : nil
        if let status = behavior.initialStatus { object.value["status"] = status }
        behavior.prepareForCreate(&object)
    }

    /// Readies an object that is about to replace `old`.
    ///
    /// A change of the object leaves the status alone, a change of the status leaves everything else alone. Bumps the
    /// generation when the wish changed. `subresource` is nil, `status`, or another sub-resource through which the change came.
    public func prepareForUpdate(_ object: inout KubeObject, old: KubeObject, subresource: String?) {
        keepSystemMetadata(&object, old: old)
        if object.value[["metadata", "selfLink"]] != nil { object.value[["metadata", "selfLink"]] = nil }
        if subresource == "status" {
            keepAllButStatus(&object, old: old)
        } else if hasStatus, subresource == nil || subresource == "scale" {
            object.value["status"] = old.value["status"]
        }
        behavior.prepareForUpdate(&object, old, subresource)
        guard behavior.countsGenerations else { return }
        object.value[["metadata", "generation"]] = old.value[["metadata", "generation"]]
        // The revision of a Deployment is written with its status, and is nobody's wish.
        if subresource != "status", changesWish(object, old: old) { object.generation = old.generation + 1 }
    }

    private func keepSystemMetadata(_ object: inout KubeObject, old: KubeObject) {
        let members = ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"]
        for member in members {
            let path = ["metadata", member]
            // The uid of an update is a precondition: validation compares it.
            if member == "uid", object.value[path] != nil { continue }
            object.value[path] = old.value[path]
        }
    }

    private func keepAllButStatus(_ object: inout KubeObject, old: KubeObject) {
        var kept = old.value
        kept["status"] = object.value["status"]
        if custom != nil {
            kept[["metadata", "managedFields"]] = object.value[["metadata", "managedFields"]]
        } else {
            kept["metadata"] = object.value["metadata"]
            kept[["metadata", "ownerReferences"]] = old.value[["metadata", "ownerReferences"]]
        }
        object.value = kept
    }

    private func changesWish(_ object: KubeObject, old: KubeObject) -> Bool {
        if behavior.countsAnnotations, object.annotations != old.annotations { return true }
        var wish = object.value
        var before = old.value
        for member in ["metadata", "status", "apiVersion", "kind"] {
            // Without a sub-resource of its own, the status of a custom resource is a part like any other.
            if member == "status", custom != nil, !hasStatus { continue }
            wish[member] = nil
            before[member] = nil
        }
        return wish != before
    }
}
