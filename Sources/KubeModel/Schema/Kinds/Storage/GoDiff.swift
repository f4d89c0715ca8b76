/// The difference of two values, as messages of Kubernetes show it.
enum GoDiff {
    /// Lines with `-` for what was and `+` for what is wished, of the members that differ.
    static func text(_ old: JSONValue, _ new: JSONValue, type: String) -> String {
        var lines = ["  \(type){"]
        var names = (old.object ?? [:]).keys
        names += (new.object ?? [:]).keys.filter { !names.contains($0) }
        for name in names.sorted() {
            let (before, after) = (old[name], new[name])
            let label = name.prefix(1).uppercased() + name.dropFirst()
            if before == after {
                lines.append("  \t\(label): \(before?.text ?? "nil"),")
            } else {
                lines.append("- \t\(label): \(before?.text ?? "nil"),")
                lines.append("+ \t\(label): \(after?.text ?? "nil"),")
            }
        }
        return (lines + ["  }", ""]).joined(separator: "\n")
    }
}
