import Cluster
import KubeClient
import KubeModel
import LabScreens

/// Keeps the part of the cluster that the browser shows up to date.
struct ClusterBrowser: Sendable {
    let client: any ClusterClient
    let inbox: Inbox

    /// How many lines of a log are shown from before now.
    private static let tailLines = 500

    /// Follows the target until the task is cancelled.
    func run(_ target: BrowserTarget) async {
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await follow(target) }
                group.addTask {
                    // Ages grow although nothing happens.
                    while true {
                        try await ContinuousClock().sleep(for: .seconds(1))
                        inbox.post(.time(.now))
                    }
                }
                try await group.next()
                group.cancelAll()
            }
        } catch {
            guard !Task.isCancelled else { return }
            let sentence = (error as? Status)?.message ?? "\(error)"
            post(.failed(sentence), target)
        }
    }

    private func post(_ answer: BrowserAnswer, _ target: BrowserTarget) {
        inbox.post(.browsed(target, answer, at: .now))
    }

    private func follow(_ target: BrowserTarget) async throws {
        switch target {
        case .list(let query): try await follow(query)
        case .object(let object): try await follow(object)
        case .log(let pod, let container): try await follow(logOf: pod, container, target)
        }
    }

    private func follow(_ query: BrowserQuery) async throws {
        let newest = Newest<[KubeObject]>()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                let _: Never = try await client.follow(
                    query.resource, namespace: query.namespace, labelSelector: query.labelSelector,
                    fieldSelector: query.fieldSelector
                ) { objects, _ in
                    newest.put(Array(objects.values))
                    return nil
                }
            }
            group.addTask {
                // Many changes at once are one change of the screen.
                for await objects in newest.values { post(.objects(objects), .list(query)) }
            }
            try await group.next()
            group.cancelAll()
        }
    }

    private func follow(_ object: BrowserObject) async throws {
        enum Part: Sendable { case object(KubeObject?), events([KubeObject]) }
        let (parts, news) = AsyncStream<Part>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                let _: Never = try await client.follow(
                    object.resource, namespace: object.namespace, fieldSelector: "metadata.name=\(object.name)"
                ) { objects, _ in
                    news.yield(.object(objects.values.first))
                    return nil
                }
            }
            group.addTask {
                let selector = "involvedObject.kind=\(object.resource.kind),involvedObject.name=\(object.name)"
                let _: Never = try await client.follow(
                    .events, namespace: object.namespace, fieldSelector: selector
                ) { events, _ in
                    news.yield(.events(Array(events.values)))
                    return nil
                }
            }
            group.addTask {
                // Nil as long as nobody has looked.
                var present: KubeObject??
                var events: [KubeObject] = []
                for await part in parts {
                    switch part {
                    case .object(let new): present = .some(new)
                    case .events(let all): events = all
                    }
                    if let present { post(.object(present, events: events), .object(object)) }
                }
            }
            try await group.next()
            group.cancelAll()
        }
    }

    private func follow(logOf pod: BrowserObject, _ container: String?, _ target: BrowserTarget) async throws {
        let options = LogOptions(container: container, isFollowing: true, tailLines: Self.tailLines)
        var rest: [UInt8] = []
        for try await bytes in try await client.logs(namespace: pod.namespace ?? "", pod: pod.name, options: options) {
            rest += bytes
            guard let end = rest.lastIndex(of: UInt8(ascii: "\n")) else { continue }
            let lines = rest[..<end].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            rest.removeFirst(end + 1)
            post(.lines(lines.map { String(decoding: $0, as: UTF8.self) }), target)
        }
        post(.lines(rest.isEmpty ? [] : [String(decoding: rest, as: UTF8.self)]), target)
        post(.failed("The container has ended."), target)
    }
}

/// The newest of many values: who reads slowly misses those between.
private struct Newest<Value: Sendable>: Sendable {
    let values: AsyncStream<Value>
    private let continuation: AsyncStream<Value>.Continuation

    init() { (values, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    func put(_ value: Value) { continuation.yield(value) }
}
