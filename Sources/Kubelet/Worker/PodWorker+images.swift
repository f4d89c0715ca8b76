import ContainerRuntime
import ControllerKit
import KubeModel

/// What a container does when its pod gets another image for it: the one field of a running container that may change.
///
/// One that runs is stopped and started anew, whatever its restart policy; one that waits out a back-off waits no longer.
extension PodWorker {
    /// Somebody who waits for a container's image to change.
    struct ImageWatcher {
        let container: String
        let announcement: AsyncStream<Void>.Continuation
    }

    /// Tells who waits for it that a container has another image.
    func announceImages(otherThan before: Pod) {
        let old = Dictionary((before.initContainers + before.containers).map { ($0.name, $0.image) }) { $1 }
        for container in pod.initContainers + pod.containers where old[container.name] != container.image {
            for watcher in imageWatchers.values where watcher.container == container.name {
                watcher.announcement.yield()
            }
        }
    }

    /// Returns when the container's image is another one, or the task is cancelled.
    private func waitForImage(of slot: Slot, otherThan image: String) async {
        guard container(slot).image == image else { return }
        let (announcements, announcement) = AsyncStream<Void>.makeStream()
        watcherCount += 1
        let number = watcherCount
        imageWatchers[number] = ImageWatcher(container: container(slot).name, announcement: announcement)
        defer { imageWatchers[number] = nil }
        for await _ in announcements where container(slot).image != image { return }
    }

    /// Sleeps; a pod that ends, or gives the container another image than `image`, wakes it.
    func pause(_ duration: Duration, _ slot: Slot, with image: String) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.pause(duration) }
            group.addTask { await self.waitForImage(of: slot, otherThan: image) }
            await group.next()
            group.cancelAll()
        }
    }

    /// Stops a container that runs `image` when it is to run another.
    ///
    /// Kubelets look after their containers once a second. Who has changed the image may count on it that the status stays for a
    /// moment: Kubernetes' conformance tests read it and write it back.
    func replace(_ slot: Slot, _ id: ContainerID, running image: String) async {
        repeat {
            await waitForImage(of: slot, otherThan: image)
            await pause(node.configuration.prescribed(seconds: 1))
            guard !Task.isCancelled, !isOver(slot) else { return }
        } while container(slot).image == image
        let container = container(slot)
        redefined.insert(container.name)
        await stop(
            id, container, grace: stopGrace,
            because: "Container \(container.name) definition changed, will be restarted")
    }
}
