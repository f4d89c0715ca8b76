import CSandbox
import Glibc

extension RuntimeLevel {
    /// What works less well than in a real cluster on this level, in plain sentences, for `velocity doctor` and the README.
    public var reductions: [String] {
        switch self {
        case .sandbox:
            [
                "Privileged containers have the rights that reach no further than their pod (NET_ADMIN, not SYS_ADMIN);"
                    + " hostPID, hostIPC and mountPropagation are not given.",
                "/proc/meminfo and nproc show this machine's memory and processors, not a container's limits.",
                "Seccomp profiles of one's own (type Localhost) are refused.",
                "Pods reach nothing outside of the cluster unless it is started with --allow-egress"
                    + (EchoSocket.isAllowed
                        ? "." : "; for ping, too: sudo sysctl net.ipv4.ping_group_range='0 2147483647'."),
            ]
                + (vs_has_memory_attributes()
                    ? []
                    : [
                        "In images that were built or loaded, no program can remove a folder of the image, or put one where a"
                            + " file of it was (an input/output error; from Linux 6.6 on all of this works)."
                    ])
                + (geteuid() == 0
                    ? []
                    : [
                        "A container with runAsUser has one user and one group: supplementalGroups and fsGroup are not given"
                            + " (the pod's files belong to its user anyway; as root, all of this works).",
                        UserRanges.isAvailable
                            ? "Users that a container of root has besides are those that /etc/subuid lends."
                            : "Programs that change their user themselves fail, as images of servers like to do. To allow it: "
                                + UserRanges.fix,
                    ])
        case .plain:
            [
                "Containers see this machine's files\(geteuid() == 0 ? ", and those that run as root can change them" : ""): volumes are"
                    + " reached through paths in arguments and environment, not mounted.",
                "Containers see this machine's processes and its host name.",
                "Images that were loaded or built do not run: they need a root of their own. Nor does PostgreSQL, which needs its own"
                    + " files and user.",
                "Pods have addresses in 127.244.0.0/16, and ports below 1024 are really 20000 higher.",
                "Services carry TCP, without session affinity or external addresses; of UDP only DNS, and node ports from this machine.",
                "NetworkPolicy is not enforced. Pods connect to the cluster alone, whatever --allow-egress says, but nothing keeps a"
                    + " program that means to from this machine's own servers or the world outside.",
                "A container's user is not enforced, and of its ephemeral storage only volumes and logs count.",
                "Programs that print the address they listen on show the real one.",
                "Names of Services need programs that ask DNS themselves; a resolver service of this machine does not know them.",
            ]
        case .simulated: ["Pods follow rules; no program runs and nothing answers."]
        }
    }
}
