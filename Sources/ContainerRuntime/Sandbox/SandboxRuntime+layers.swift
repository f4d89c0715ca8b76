import CSandbox
import Glibc
import Synchronization

extension SandboxRuntime {
    /// Gives a container the root of its own image: its layers, and of our files those that it cannot bring itself.
    func addLayers(of recipe: ImageCatalog.Recipe, to launch: inout Launch) throws(RuntimeError) {
        guard let layers = recipe.layers else { return }
        launch.layers = layers
        launch.files.removeAll { file in
            // Its name, its neighbours and its name server are the pod's; the rest is the image's, where it has it.
            guard !SystemFiles.ofPod.contains(file.path) else { return false }
            return !layers.hasSystem || layers.find(file.path) != nil
        }
        // Kubernetes gives a volume that an image declares, and no pod fills, an empty folder.
        let taken = Set(launch.mounts.map(\.containerPath))
        for volume in layers.volumes where volume.hasPrefix("/") && !taken.contains(volume) {
            launch.mounts.append(.init(hostPath: "", containerPath: volume, isReadOnly: false))
        }
    }
}

extension SandboxRuntime {
    public func writtenBytes(of container: ContainerID) -> Int? {
        // What is kept in a folder of the host is on a disk with everything else.
        guard let process = process(of: container),
            running.withLock({ $0[container.rawValue]?.launch.changes.isEmpty }) ?? false
        else { return nil }
        var information = statvfs()
        guard statvfs("/proc/\(process)/root/", &information) == 0 else { return nil }
        return Int(information.f_blocks - information.f_bfree) * Int(information.f_frsize)
    }
}

extension ImageCatalog.Layers {
    /// The path on this machine of what the layers have at `path`; nil where they have nothing, or have removed it.
    func find(_ path: String) -> String? {
        for digest in digests.reversed() {
            let tree = store.tree(of: digest)
            var status = stat()
            if lstat(tree + path, &status) == 0 { return status.st_mode & S_IFMT == S_IFCHR ? nil : tree + path }
        }
        return nil
    }

    /// The text of a small file of the image; nil where there is none.
    func text(_ path: String) -> String? {
        guard let place = find(path) else { return nil }
        var tree = place
        tree.removeLast(path.count)
        let root = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard root >= 0 else { return nil }
        defer { close(root) }
        // No link in a layer leads out of it.
        let file = vs_open_inside(root, path, O_RDONLY, 0)
        guard file >= 0 else { return nil }
        defer { close(file) }
        return (try? FileBytes(file, name: path).read(1 << 20)).map { String(decoding: $0, as: UTF8.self) }
    }
}
