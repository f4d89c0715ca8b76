import Glibc

/// The base images of distributions: the host's own system, with a shell.
extension ImageCatalog {
    /// `busybox` and `alpine` have BusyBox's programs where the host has BusyBox, and the host's where not.
    static let systemImages: [BuiltIn] =
        ["busybox", "alpine"].map { name in
            let runs =
                find("busybox") == nil
                ? "the host's system, with its shell and tools (for BusyBox's own: sudo apt-get install busybox-static)"
                : "the host's BusyBox, on the host's system"
            return system(name, runs) { store in
                store.flatMap(Applets.folder).map { folder in
                    [.init(hostPath: folder, containerPath: "/opt/velocitylab/bin", isReadOnly: true)]
                } ?? []
            }
        } + ["debian", "ubuntu"].map { system($0, "the host's system, with its shell and tools") { _ in [] } }

    private static func system(
        _ name: String, _ runs: String, mounts: @escaping @Sendable (ImageStore?) -> [ContainerConfiguration.Mount]
    ) -> BuiltIn {
        BuiltIn(repository: "docker.io/library/\(name)", tags: nil, runs: runs, needs: ("sh", "dash")) {
            reference, tag, catalog in
            Recipe(
                image: Image(reference: reference, digest: "builtin:\(name):\(tag)", command: ["sh"]),
                mounts: mounts(catalog.store))
        }
    }
}

/// The names that BusyBox answers to, as a folder of links: it comes first where containers look for programs.
enum Applets {
    /// The folder, which is made once for each version of BusyBox; nil where the host has none.
    static func folder(in store: ImageStore) -> String? {
        var status = stat()
        guard let program = ImageCatalog.find("busybox"), stat(program, &status) == 0 else { return nil }
        let path = "\(store.path)/tools/busybox-2-\(status.st_size)-\(status.st_mtim.tv_sec)"
        if access(path, F_OK) == 0 { return ImageStore.withoutLinks(path) }
        guard let workshop = try? ImageStore.Workshop(in: store) else { return nil }
        let folder = workshop.path + "/applets"
        guard (try? ImageStore.makeFolders([folder, store.path + "/tools"])) != nil else { return nil }
        let names = output(of: program, "--list").split(separator: "\n")
        for name in names where !name.contains("/") { symlink(program, "\(folder)/\(name)") }
        if names.contains("wget"), !output(of: program, "wget --help").contains("-T ") {
            // BusyBox's shell takes its own programs before those in PATH: then the host's has to do.
            for name in ["wget", "sh", "ash"] { unlink("\(folder)/\(name)") }
            guard ImageStore.makeProgram(patientWget(program), at: folder + "/wget") else { return nil }
        }
        // Somebody else may have been faster, with the same.
        guard rename(folder, path) == 0 || access(path, F_OK) == 0 else { return nil }
        return ImageStore.withoutLinks(path)
    }

    /// What BusyBox prints.
    private static func output(of program: String, _ arguments: String) -> String {
        guard let pipe = popen("'\(program)' \(arguments) 2>&1", "re") else { return "" }
        defer { pclose(pipe) }
        let output = PipeBytes(fileno(pipe), name: program)
        var bytes: [UInt8] = []
        while let piece = try? output.read(4096), !piece.isEmpty { bytes += piece }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Debian's BusyBox has a wget without time limits, which crashes when it is given one; that of the image `busybox` has them.
    private static func patientWget(_ program: String) -> String {
        #"""
        #!\#(program) sh
        limit= left=$#
        while [ $left -gt 0 ]; do
            word=$1
            shift
            left=$((left - 1))
            case "$word" in
                -T|--timeout) limit=$1; shift; left=$((left - 1)) ;;
                -T*) limit=${word#-T} ;;
                --timeout=*) limit=${word#--timeout=} ;;
                *) set -- "$@" "$word" ;;
            esac
        done
        [ -n "$limit" ] || exec \#(program) wget "$@"
        # The shell's own remark about its child's end is left out.
        exec 3>&2 2>/dev/null
        \#(program) timeout "$limit" \#(program) wget "$@" 2>&3
        code=$?
        [ $code != 143 ] || { echo "wget: download timed out" >&3; code=1; }
        exit $code

        """#
    }
}
