/// Where this cluster answers otherwise than the one of the reference, and why.
struct DeliberateDifference {
    /// The outputs in which it occurs; nil for all.
    var outputs: Set<Int>?
    var reason: String
    /// Beginnings of the differing lines, with `-` (theirs) or `+` (ours).
    var lines: [String]

    static func explains(_ line: String, in output: Int) -> Bool {
        all.contains { difference in
            difference.outputs?.contains(output) ?? true && difference.lines.contains { line.hasPrefix($0) }
        }
    }

    static let all: [DeliberateDifference] = []
}
