import KubeClient
import KubeModel

/// Telling the API how the pod is.
extension PodWorker {
    /// Writes the status if it differs from what was written last; never two writes at once, never an old one last.
    func write() async {
        mustWrite = true
        guard !isWriting else { return }
        isWriting = true
        defer { isWriting = false }
        while mustWrite, !isForgotten {
            mustWrite = false
            do throws(Status) {
                let picture = PodPicture(
                    pod: pod, initStates: initStates, states: states, ephemeralStates: ephemeralStates, facts: facts,
                    written: written)
                guard let (status, object) = try await picture.write(by: node.client) else { continue }
                written = status
                // Conditions build on what is there; a deletion is the informer's to report.
                pod.object.value["status"] = object.value["status"]
            } catch {
                guard !error.isNotFound, !error.isConflict else { return }
                await pause(.milliseconds(200))
                mustWrite = !Task.isCancelled
            }
        }
    }
}

/// What is known of a pod at one moment, and what was written of it last.
private struct PodPicture: Sendable {
    let pod: Pod
    let initStates: [ContainerState]
    let states: [ContainerState]
    let ephemeralStates: [ContainerState]
    let facts: PodStatus.Facts
    let written: JSONValue?

    /// Writes the status that follows, beside the pod's worker, which goes on; nil if it has been written.
    @concurrent func write(
        by client: any ClusterClient
    ) async throws(Status) -> (status: JSONValue, object: KubeObject)? {
        let status = PodStatus(
            pod: pod, initStates: initStates, states: states, ephemeralStates: ephemeralStates, facts: facts,
            now: .now
        ).value
        guard status != written else { return nil }
        let patch: JSONValue = ["metadata": ["uid": .string(pod.uid)], "status": status]
        let object = try await client.patch(
            .pods, namespace: pod.namespace, name: pod.name, .merge(patch), subresource: "status",
            options: WriteOptions())
        return (status, object)
    }
}
