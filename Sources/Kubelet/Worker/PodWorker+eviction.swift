import ContainerRuntime
import Glibc
import KubeModel

/// The limits of what a pod may keep on the node's disk; one that keeps more is evicted.
///
/// Looked at only while the pod has such a limit. Source: Kubernetes docs, "Local ephemeral storage".
extension PodWorker {
    /// How long the kubelet waits between two looks.
    private static let period = 10

    func obeyStorageLimits() async {
        let limits = StorageLimits(pod)
        guard limits.isAny else { return }
        while !isEnding, !isDone, !Task.isCancelled {
            await pause(node.configuration.prescribed(seconds: Self.period))
            if let message = limits.excess(storageUsage()) { return await evict(message) }
        }
    }

    private func storageUsage() -> StorageLimits.Usage {
        var usage = StorageLimits.Usage()
        let volumes = PodVolumes(node.configuration, podUID: pod.uid, memory: nil)
        for volume in StorageLimits.volumes(of: pod) {
            usage.volumes[volume] = DiskUsage.bytes(in: "\(volumes.directory)/\(volume)")
        }
        for container in pod.containers {
            let written = containerIDs[container.name].flatMap(node.runtime.writtenBytes)
            let log = node.logPath(pod, container.name, attempt: 0)
            let logs = DiskUsage.bytes(in: String(log[..<(log.lastIndex(of: "/") ?? log.endIndex)]))
            usage.containers[container.name] = (written ?? 0) + logs
        }
        return usage
    }
}

/// What a pod may keep: in its `emptyDir`s, and in what its containers write and log.
struct StorageLimits: Sendable {
    struct Usage: Sendable {
        var volumes: [String: Int] = [:]
        var containers: [String: Int] = [:]
    }

    private var volumes: [(name: String, limit: Quantity)] = []
    private var containers: [(name: String, limit: Quantity)] = []

    init(_ pod: Pod) {
        for volume in pod.spec["volumes"]?.array ?? [] where volume[["emptyDir", "medium"]]?.string != "Memory" {
            guard let name = volume["name"]?.string,
                let limit = volume[["emptyDir", "sizeLimit"]]?.string.flatMap(Quantity.init(parsing:)), !limit.isZero
            else { continue }
            volumes.append((name, limit))
        }
        for container in pod.containers {
            guard let limit = container.limits["ephemeral-storage"], !limit.isZero else { continue }
            containers.append((container.name, limit))
        }
    }

    var isAny: Bool { !volumes.isEmpty || !containers.isEmpty }

    /// The `emptyDir`s that are on disk.
    static func volumes(of pod: Pod) -> [String] {
        (pod.spec["volumes"]?.array ?? []).filter {
            $0["emptyDir"] != nil && $0[["emptyDir", "medium"]]?.string != "Memory"
        }.compactMap { $0["name"]?.string }
    }

    /// What is too much, in the kubelet's words; nil while everything is within its limit.
    func excess(_ usage: Usage) -> String? {
        func isOver(_ bytes: Int?, _ limit: Quantity) -> Bool { Quantity(Int64(bytes ?? 0)) > limit }
        for (name, limit) in volumes where isOver(usage.volumes[name], limit) {
            return "Usage of EmptyDir volume \"\(name)\" exceeds the limit \"\(limit)\". "
        }
        let total = containers.reduce(Quantity(0)) { $0 + $1.limit }
        let all = usage.volumes.values.reduce(0, +) + usage.containers.values.reduce(0, +)
        if !containers.isEmpty, isOver(all, total) {
            return "Pod ephemeral local storage usage exceeds the total limit of containers \(total). "
        }
        for (name, limit) in containers where isOver(usage.containers[name], limit) {
            return "Container \(name) exceeded its local ephemeral storage limit \"\(limit)\". "
        }
        return nil
    }
}

/// What folders take of a disk.
enum DiskUsage {
    /// Bytes, of everything in a folder; no link is followed.
    static func bytes(in path: String) -> Int {
        guard let folder = opendir(path) else { return 0 }
        defer { closedir(folder) }
        var sum = 0
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name != ".", name != ".." else { continue }
            var information = stat()
            guard lstat("\(path)/\(name)", &information) == 0 else { continue }
            sum += Int(information.st_blocks) * 512
            if information.st_mode & S_IFMT == S_IFDIR { sum += bytes(in: "\(path)/\(name)") }
        }
        return sum
    }
}
