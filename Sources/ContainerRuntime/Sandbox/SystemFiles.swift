/// The few files of /etc that every container has of its own.
enum SystemFiles {
    struct File: Sendable, Hashable {
        var path: String
        var content: String
    }

    static let path = "/opt/velocitylab/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// Those that say who and where the pod is.
    static let ofPod: Set<String> = ["/etc/hostname", "/etc/hosts", "/etc/resolv.conf"]

    static func files(for pod: PodSandboxConfiguration) -> [File] {
        [
            File(path: "/etc/hostname", content: pod.hostName + "\n"),
            File(path: "/etc/hosts", content: pod.hosts),
            File(path: "/etc/resolv.conf", content: pod.resolverConfiguration),
        ] + accounts.map { File(path: $0.path, content: $0.text) }
    }

    /// Who is who: the same in every pod on the host's system, until an image has its own.
    static let accounts: [(path: String, text: String)] = [
        ("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"),
        ("/etc/passwd", users.map { "\($0.0):x:\($0.1):\($0.1)::\($0.2):/bin/sh\n" }.joined()),
        // Whoever asks whether an account has expired finds that it has not, and nobody has a password.
        ("/etc/shadow", users.map { "\($0.0):*:1:0:99999:7:::\n" }.joined()),
        ("/etc/group", (users.map { ($0.0, $0.1) } + groups).map { "\($0.0):x:\($0.1):\n" }.joined()),
    ]

    /// The accounts with one more for a user who has none; nothing where there is no name to give, or nobody to give it to.
    static func account(_ name: String?, of user: Int?) -> [File] {
        guard let name, let user, !hasUser(user) else { return [] }
        return accounts.filter { $0.path == "/etc/passwd" }.map { file in
            File(path: file.path, content: file.text + "\(name):x:\(user):0::/:/bin/sh\n")
        }
    }

    /// The number of a user whom every system of ours has.
    static func user(_ name: String) -> Int? { users.first { $0.0 == name }?.1 }

    /// Whether a number is that of a user whom every system of ours has; its group has the same one.
    static func hasUser(_ number: Int) -> Bool { users.contains { $0.1 == number } }

    /// Debian's, as far as programs and Dockerfiles ask for them.
    private static let groups = [
        ("adm", 4), ("tty", 5), ("disk", 6), ("sudo", 27), ("audio", 29), ("video", 44), ("staff", 50), ("users", 100),
        ("nogroup", 65534),
    ]

    private static let users = [
        ("root", 0, "/root"), ("daemon", 1, "/"), ("www-data", 33, "/var/www"), ("nginx", 101, "/tmp"),
        ("postgres", 999, "/var/lib/postgresql"),
        ("app", 1000, "/home"), ("nobody", 65534, "/"),
    ]
}
