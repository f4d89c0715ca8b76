/// What the reference's author did, in order: the commands whose outputs are kept, and those in between.
enum ReferenceStep {
    /// A command of our own, so that the next one finds what the author's found.
    case prepare([String])
    /// The command of a reference output.
    ///
    /// `words` where the file cannot tell them, because quotes are missing or a name is of that cluster; `asSet` where how often a
    /// line comes depends on timing, or its place on a map of kubectl's.
    case compare(Int, words: [String]? = nil, asSet: Bool = false)
}

extension ReferenceStep {
    private static let gateway = "deployment/payment-gateway"

    static let all: [ReferenceStep] = [
        .compare(1), .compare(4), .compare(5), .compare(7), .compare(8),
        .prepare(["config", "set-context", "--current", "--namespace=velocitytech"]),
        .compare(10), .compare(11), .compare(13), .compare(14), .compare(16),
        .prepare(["apply", "-f", "secret.yaml"]),
        .compare(17),
        .prepare(["apply", "-f", "services.yaml"]),
        .compare(19, asSet: true), .compare(20), .compare(22), .compare(23), .compare(25), .compare(26), .compare(28),
        .compare(29), .compare(31), .compare(32), .compare(34), .compare(35), .compare(37), .compare(38),
        .compare(40), .compare(41), .compare(43), .compare(44), .compare(46), .compare(47),
        .compare(49, words: ["describe", "node", "velocity"]),
        .compare(50, asSet: true), .compare(52), .compare(56), .compare(58), .compare(59), .compare(61), .compare(62),
        .compare(64),
        .compare(65), .compare(67),
        .compare(
            68, words: ["get", "deploy", "payment-gateway", "-o", #"go-template={{.spec.replicas}}{{"\n"}}"#]),
        .compare(70), .compare(71),
        .prepare(["rollout", "status", gateway, "--timeout=90s"]),
        .compare(73), .compare(74), .compare(76), .compare(77, asSet: true), .compare(79), .compare(80),
        .prepare(["rollout", "resume", gateway]),
        .compare(82), .compare(83, asSet: true), .compare(85), .compare(86), .compare(88), .compare(89), .compare(91),
        .compare(92), .compare(94),
        .compare(95, words: ["label", "pod", "payment-pod", "env=not valid!"]),
        .compare(97), .compare(98), .compare(100),
        .prepare(["apply", "-f", "config.yaml"]),
        .compare(101), .compare(103), .compare(104), .compare(106), .compare(107), .compare(109),
        .prepare(["wait", "--for=condition=Ready", "pod/runner", "--timeout=60s"]),
        .prepare(["rollout", "status", gateway, "--timeout=90s"]),
        .prepare(["delete", "service", "exposed"]),
        .compare(116), .compare(119), .compare(121), .compare(125), .compare(127), .compare(128), .compare(130),
        .compare(131), .compare(133), .compare(134), .compare(136), .compare(137), .compare(139), .compare(140),
        .compare(142), .compare(143), .compare(145), .compare(146), .compare(148), .compare(149), .compare(151),
        .compare(152),
        .prepare(["cordon", "velocity"]),
        .compare(154),
        .compare(155, words: ["uncordon", "velocity"]),
        .prepare(["taint", "nodes", "velocity", "k=v:NoSchedule"]),
        .compare(157, words: ["taint", "nodes", "velocity", "k-"]),
        .compare(158), .compare(160), .compare(161), .compare(163), .compare(164), .compare(166), .compare(167),
    ]

    /// Outputs that are not compared, and why.
    static let leftOut: [Int: String] = [
        2: "the versions of the client are not ours to compare",
        53: "their program logs nothing, ours says that it listens",
        55: "their image holds a file that ours does not have",
        110: "names a pod of that cluster",
        112: "which pods there are depends on what was deleted before",
        113: "the events of a whole run, in the order of that run",
        115: "that cluster had no metrics, this one has",
        118: "as 112",
    ]
}
