import KubeClient
import KubeModel

/// What reaches the session: the cluster's changes, and its own timers.
enum Signal: Sendable {
    case listed(ResourceType, [KubeObject])
    case changed(ResourceType, WatchChange)
    case broken(ResourceType, Status)
    case timer(Int)
}

/// Follows one kind of object: lists, watches from there, and lists again when the history is gone.
struct Watcher: Sendable {
    let client: any ClusterClient
    let resource: ResourceType
    /// Nil: all namespaces.
    let namespace: String?
    let clock: any Clock<Duration>
    let signals: AsyncStream<Signal>.Continuation

    /// Runs until the task is cancelled.
    func run() async {
        var pause = Duration.milliseconds(100)
        while !Task.isCancelled {
            do {
                let list = try await client.list(resource, in: resource.isNamespaced ? namespace : nil)
                signals.yield(.listed(resource, list.items))
                pause = .milliseconds(100)
                try await follow(from: list.resourceVersion)
            } catch let status as Status where status.isExpired {
                continue
            } catch let status as Status {
                signals.yield(.broken(resource, status))
            } catch {
                return
            }
            // Only after a failure: the server is away or says no. Everything else comes by watch.
            do { try await clock.sleep(for: pause, tolerance: nil) } catch { return }
            pause = min(pause * 2, .seconds(5))
        }
    }

    private func follow(from revision: String) async throws {
        var revision = revision
        while !Task.isCancelled {
            let stream = try await client.watch(
                resource, namespace: resource.isNamespaced ? namespace : nil,
                options: WatchOptions(resourceVersion: revision))
            for try await event in stream {
                switch event {
                case .added(let object), .modified(let object):
                    signals.yield(.changed(resource, WatchChange(object: object, isDeletion: false)))
                    revision = object.resourceVersion
                case .deleted(let object):
                    signals.yield(.changed(resource, WatchChange(object: object, isDeletion: true)))
                    revision = object.resourceVersion
                case .bookmark(let version): revision = version
                }
            }
        }
    }
}
