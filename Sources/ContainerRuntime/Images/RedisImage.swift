/// `redis`: the host's Redis, started as the official image starts it.
extension ImageCatalog {
    static let redisImage = BuiltIn(
        repository: "docker.io/library/redis",
        tags: ["alpine", "latest"] + ["6", "7", "6.2", "7.0", "7.2", "7.4"].flatMap { [$0, "\($0)-alpine"] },
        tagSummary: "6 to 7.4, latest, each also -alpine",
        runs: "the host's Redis, with redis-cli", needs: ("redis-server", "redis-server")
    ) { reference, tag, _ in
        let path = "/opt/velocitylab/bin/docker-entrypoint.sh"
        // Without a protected mode, as in the official image: only the pod's network reaches it.
        let script = """
            #!/bin/sh
            case "${1:-redis-server}" in -*|*.conf) set -- redis-server "$@" ;; esac
            if [ "$1" = redis-server ]; then
                shift
                case "${1:-}" in *.conf) configuration=$1; shift ;; *) configuration= ;; esac
                exec redis-server $configuration --protected-mode no --daemonize no --dir /data "$@"
            fi
            exec "$@"

            """
        return Recipe(
            image: Image(
                reference: reference, digest: "builtin:redis:\(tag)", entrypoint: ["sh", path],
                command: ["redis-server"], workingDirectory: "/data"),
            // Made in the container where no volume is.
            mounts: [ContainerConfiguration.Mount(hostPath: "", containerPath: "/data", isReadOnly: false)],
            files: [SystemFiles.File(path: path, content: script)])
    }
}
