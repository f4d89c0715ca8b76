import Glibc

/// The names that BusyBox answers to, as a folder of links: it comes first where containers look for programs.
enum Applets {
    /// What a container has of the folder: its programs, and its shell as `/bin/sh`.
    static func mounts(_ folder: String) -> [ContainerConfiguration.Mount] {
        let programs = ContainerConfiguration.Mount(
            hostPath: folder, containerPath: "/opt/velocitylab/bin", isReadOnly: true)
        // It comes to lie over the program that the link leads to, which nobody but dash can spare.
        guard access(folder + "/sh", X_OK) == 0, TreeEntry("/bin/sh")?.target == "dash" else { return [programs] }
        return [programs, .init(hostPath: folder + "/sh", containerPath: "/bin/sh", isReadOnly: true)]
    }

    /// The folder, which is made once for each version of BusyBox; nil where the host has none.
    static func folder(in store: ImageStore) -> String? {
        var status = stat()
        guard let program = ImageCatalog.find("busybox"), stat(program, &status) == 0 else { return nil }
        let path = "\(store.path)/tools/busybox-3-\(status.st_size)-\(status.st_mtim.tv_sec)"
        if access(path, F_OK) == 0 { return ImageStore.withoutLinks(path) }
        guard let workshop = try? ImageStore.Workshop(in: store) else { return nil }
        let folder = workshop.path + "/applets"
        guard (try? ImageStore.makeFolders([folder, store.path + "/tools"])) != nil else { return nil }
        let names = output(of: program, "--list").split(separator: "\n").map(String.init)
        for name in names where !name.contains("/") { symlink(program, "\(folder)/\(name)") }
        // Debian's BusyBox lacks what those of the real images have.
        for (name, option, script) in [("wget", "-T ", patientWget), ("nc", "-z", inquiringNetcat)]
        where names.contains(name) && !output(of: program, name + " --help").contains(option) {
            unlink("\(folder)/\(name)")
            guard ImageStore.makeProgram(script(program), at: "\(folder)/\(name)") else { return nil }
        }
        for name in ["sh", "ash"] { unlink("\(folder)/\(name)") }
        let isMade = ImageStore.contents(program).flatMap { shell($0, names) }.map { shell in
            ImageStore.makeProgram(shell, at: folder + "/sh") && link(folder + "/sh", folder + "/ash") == 0
        }
        guard isMade != false else { return nil }
        // Somebody else may have been faster, with the same.
        guard rename(folder, path) == 0 || access(path, F_OK) == 0 else { return nil }
        return ImageStore.withoutLinks(path)
    }

    /// Those in whose place there may be others in PATH: here, or while an image is built.
    private static let replaced = ["addgroup", "adduser", "chgrp", "chown", "nc", "wget"]

    /// BusyBox with a shell that looks for those in PATH; nil where that cannot be had, and the host's shell has to do.
    ///
    /// Its shell takes its own programs before those in PATH. In this copy they have other names, of the same length and in the same
    /// place of the sorted table that it looks names up in.
    static func shell(_ program: [UInt8], _ names: [String]) -> [UInt8]? {
        let others = names.map { name in
            guard replaced.contains(name), let last = name.utf8.last else { return name }
            return name.dropLast() + String(UnicodeScalar(last + 1))
        }
        let isSorted = zip(others, others.dropFirst()).allSatisfy { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        func table(_ names: [String]) -> [UInt8] { names.flatMap { Array($0.utf8) + [0] } }
        guard isSorted, let place = place(of: table(names), in: program) else { return nil }
        var program = program
        program.replaceSubrange(place..<(place + table(names).count), with: table(others))
        return program
    }

    private static func place(of table: [UInt8], in program: [UInt8]) -> Int? {
        program.withUnsafeBytes { program in
            var rest = program[...]
            // What the table begins with is seldom.
            while let first = table.first, let place = rest.firstIndex(of: first) {
                rest = rest[place...]
                if rest.starts(with: table) { return place }
                rest = rest.dropFirst()
            }
            return nil
        }
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

    /// Debian's BusyBox has a wget without time limits, which crashes when it is given one.
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

    /// Debian's BusyBox has an nc that cannot look whether somebody listens (`nc -zv db 5432`); bash, which every Debian has, can.
    private static func inquiringNetcat(_ program: String) -> String {
        #"""
        #!\#(program) sh
        looks= says= limit= left=$#
        while [ $left -gt 0 ]; do
            word=$1
            shift
            left=$((left - 1))
            case "$word" in
                -?*) letters=${word#-} kept= ;;
                *) set -- "$@" "$word"; continue ;;
            esac
            while [ -n "$letters" ]; do
                others=${letters#?}
                case "$letters" in
                    z*) looks=1 ;;
                    v*) says=1 ;;
                    n*) ;;
                    w*)
                        limit=$others
                        [ -n "$limit" ] || { limit=$1; shift; left=$((left - 1)); }
                        others= ;;
                    *) kept=$kept${letters%"$others"} ;;
                esac
                letters=$others
            done
            [ -z "$kept" ] || set -- "$@" "-$kept"
            case "$kept" in
                # What follows is a command, with options of its own.
                *e) while [ $left -gt 0 ]; do set -- "$@" "$1"; shift; left=$((left - 1)); done ;;
            esac
        done
        case "$looks$1" in
            1[!-]*) ;;
            *) exec \#(program) nc ${limit:+-w "$limit"} "$@" ;;
        esac
        address=$(getent ahostsv4 "$1") || { echo "nc: bad address '$1'" >&2; exit 1; }
        address=${address%% *}
        connect='exec 3<>"/dev/tcp/$0/$1"'
        remark=$(\#(program) timeout ${limit:-86400} bash -c "$connect" "$address" "$2" 2>&1)
        case $? in
            0) [ -z "$says" ] || echo "$1 ($address:$2) open" >&2; exit 0 ;;
            143) remark="Connection timed out" ;;
        esac
        [ -z "$says" ] || echo "nc: $1 ($address:$2): ${remark##*: }" >&2
        exit 1

        """#
    }
}
