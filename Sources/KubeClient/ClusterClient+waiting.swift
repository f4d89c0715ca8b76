public import KubeModel

extension ClusterClient {
    /// Follows the objects of one kind: the present ones first, then every change, across broken and expired watches.
    ///
    /// - Parameter body: Gets the picture after each change; returns nil to go on, or the result that ends the following.
    /// - Throws: What listing throws; what `body` throws; cancellation.
    public func follow<Result: Sendable>(
        _ resource: ResourceType, namespace: String?, labelSelector: String? = nil, fieldSelector: String? = nil,
        _ body: (_ objects: [ObjectKey: KubeObject], _ change: WatchEvent?) async throws -> Result?
    ) async throws -> Result {
        while true {
            try Task.checkCancellation()
            let options = ListOptions(labelSelector: labelSelector, fieldSelector: fieldSelector)
            let list = try await list(resource, namespace: namespace, options: options)
            var objects = Dictionary(list.items.map { (ObjectKey($0), $0) }, uniquingKeysWith: { _, last in last })
            if let result = try await body(objects, nil) { return result }
            let watching = WatchOptions(
                labelSelector: labelSelector, fieldSelector: fieldSelector, resourceVersion: list.resourceVersion)
            do {
                for try await event in try await watch(resource, namespace: namespace, options: watching) {
                    switch event {
                    case .added(let object), .modified(let object): objects[ObjectKey(object)] = object
                    case .deleted(let object): objects[ObjectKey(object)] = nil
                    case .bookmark: continue
                    }
                    do {
                        if let result = try await body(objects, event) { return result }
                    } catch {
                        throw BodyFailure(error: error)
                    }
                }
            } catch let failure as BodyFailure {
                throw failure.error
            } catch let status as Status where status.isExpired || status.code == 0 {
                continue  // The watch was cut, or the history no longer reaches back: a list has to tell.
            }
        }
    }

    /// Waits until the objects of one kind are as wanted; nil when the time is over first.
    public func waitFor(
        _ resource: ResourceType, namespace: String?, labelSelector: String? = nil, fieldSelector: String? = nil,
        timeout: Duration, until isMet: @escaping @Sendable ([KubeObject]) -> Bool
    ) async throws -> [KubeObject]? {
        try await withThrowingTaskGroup(of: [KubeObject]?.self) { group in
            group.addTask {
                // The type is written out: an optional result would end the following at once, with nil.
                let found: [KubeObject] = try await self.follow(
                    resource, namespace: namespace, labelSelector: labelSelector, fieldSelector: fieldSelector
                ) { objects, _ in
                    let sorted = objects.sorted { $0.key < $1.key }.map(\.value)
                    return isMet(sorted) ? sorted : nil
                }
                return found
            }
            group.addTask {
                try await ContinuousClock().sleep(for: timeout)
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }

    /// Waits until one object is as wanted (nil stands for: it is not there); false when the time is over first.
    public func waitFor(
        _ resource: ResourceType, _ name: String, in namespace: String?, timeout: Duration,
        until isMet: @escaping @Sendable (KubeObject?) -> Bool
    ) async throws -> Bool {
        try await waitFor(
            resource, namespace: namespace, fieldSelector: "metadata.name=\(name)", timeout: timeout
        ) { isMet($0.first) } != nil
    }
}

/// What the caller of `follow` threw, told apart from what the watch throws.
private struct BodyFailure: Error {
    let error: any Error
}
