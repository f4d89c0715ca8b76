/// What `--chmod` asks for: `755`, or changes of the mode that a file has, as `chmod` takes them: `+x`, `u=rwX,go=rX`.
struct FileMode: Sendable, Hashable {
    private struct Change: Hashable {
        /// The bits of those who are meant, three for each of user, group and others.
        var who: UInt32
        var sign: Character
        var letters: Set<Character>
    }

    private var whole: UInt32?
    private var changes: [Change] = []

    init?(_ text: String) {
        if let number = UInt32(text, radix: 8), number <= 0o7777 {
            whole = number
            return
        }
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let mark = part.firstIndex(where: { "+-=".contains($0) }) else { return nil }
            let letters = Set(part[part.index(after: mark)...])
            var who: UInt32 = mark == part.startIndex ? 0o777 : 0
            for letter in part[..<mark] {
                guard let bits = ["u": 0o700, "g": 0o070, "o": 0o007, "a": 0o777][letter] else { return nil }
                who |= UInt32(bits)
            }
            guard letters.isSubset(of: ["r", "w", "x", "X"]) else { return nil }
            changes.append(Change(who: who, sign: part[mark], letters: letters))
        }
    }

    /// The mode of a copy.
    func applied(to mode: UInt32, isFolder: Bool) -> UInt32 {
        if let whole { return whole }
        return changes.reduce(mode) { mode, change in
            var bits: UInt32 = 0
            if change.letters.contains("r") { bits |= 0o444 }
            if change.letters.contains("w") { bits |= 0o222 }
            // The capital is for folders, and for what somebody may run already.
            let isRunnable = change.letters.contains("X") && (isFolder || mode & 0o111 != 0)
            if change.letters.contains("x") || isRunnable { bits |= 0o111 }
            switch change.sign {
            case "+": return mode | bits & change.who
            case "-": return mode & ~(bits & change.who)
            default: return mode & ~change.who | bits & change.who
            }
        }
    }
}
