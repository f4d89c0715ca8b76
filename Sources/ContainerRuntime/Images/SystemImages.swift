import Glibc

/// The base images of distributions: the host's own system, with a shell.
extension ImageCatalog {
    /// `busybox` and `alpine` have BusyBox's programs where the host has BusyBox, and the host's where not.
    static let systemImages: [BuiltIn] =
        ["busybox", "registry.k8s.io/busybox", "alpine"].map { name in
            let runs =
                find("busybox") == nil
                ? "the host's system, with its shell and tools (for BusyBox's own: sudo apt-get install busybox-static)"
                : "the host's BusyBox, on the host's system"
            return system(name, runs) { store in store.flatMap(Applets.folder).map(Applets.mounts) ?? [] }
        } + ["debian", "ubuntu"].map { system($0, "the host's system, with its shell and tools") { _ in [] } }

    private static func system(
        _ name: String, _ runs: String, mounts: @escaping @Sendable (ImageStore?) -> [ContainerConfiguration.Mount]
    ) -> BuiltIn {
        let repository = name.contains("/") ? name : "docker.io/library/\(name)"
        return BuiltIn(repository: repository, tags: nil, runs: runs, needs: ("sh", "dash")) {
            reference, tag, catalog in
            Recipe(
                image: Image(reference: reference, digest: "builtin:\(name):\(tag)", command: ["sh"]),
                mounts: mounts(catalog.store))
        }
    }
}
