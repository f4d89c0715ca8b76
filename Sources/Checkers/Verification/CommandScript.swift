import CourseModel

/// Commands as the course prints them, as one script for `bash`, and what its output proves.
///
/// They run in one shell, so that variables and background jobs stay; each writes into a file of its own, and the
/// script prints the files with a mark before each.
struct CommandScript {
    private let commands: [Command]
    private static let mark = "@@velocitylab"
    /// How long a command runs that ends only with Ctrl-C.
    private static let interruptSeconds = "1.5"

    init(_ commands: [Command]) { self.commands = commands }

    var text: String {
        var lines = ["exec </dev/null", "outputs=$(mktemp -d)", "trap 'rm -rf \"$outputs\"' EXIT"]
        for (index, command) in commands.enumerated() { lines += script(command, index) }
        lines.append("kill $(jobs -p) 2>/dev/null")
        lines += commands.indices.map { "echo \"\(Self.mark) \($0) ${ended_\($0)}\"; cat \"$outputs/\($0)\"; echo" }
        return lines.joined(separator: "\n") + "\nexit 0\n"
    }

    private func script(_ command: Command, _ index: Int) -> [String] {
        var lines: [String] = []
        if let file = command.edited {
            lines += ["cat > '\(file.name)' <<'VELOCITYLAB-EDITED'", file.text, "VELOCITYLAB-EDITED"]
        }
        let run =
            command.ending == .interrupt
            ? "timeout --foreground -s INT -k 5 \(Self.interruptSeconds) \(command.run)" : command.run
        let output = "\"$outputs/\(index)\""
        let body = ["{", run, "} >\(output) 2>&1", "ended_\(index)=$?"]
        if let program = command.needs {
            lines += ["if command -v \(program) >/dev/null; then"] + body
            lines += ["else ended_\(index)=missing; : >\(output); fi"]
        } else {
            lines += body
        }
        // Who goes on by hand sees first that a job in the background has begun its work.
        if command.run.hasSuffix("&"), let first = command.prints.first {
            lines.append(
                "for try in $(seq 200); do grep -qF \(Self.quoted(first)) \(output) && break; sleep 0.05; done")
        }
        return lines
    }

    private static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
    }

    /// What the output of the script does not prove.
    func problems(_ result: SolutionRunner.ShellResult) -> [String] {
        let parts = Self.parts(of: result.output)
        return commands.enumerated().flatMap { index, command -> [String] in
            guard let part = parts[index] else {
                return ["'\(command.run)' did not run: \(Self.short(result.output))"]
            }
            return problem(command, part.ended, part.output)
        }
    }

    private func problem(_ command: Command, _ ended: String, _ output: String) -> [String] {
        if ended == "missing" { return [] }
        var problems: [String] = []
        let isRight =
            switch command.ending {
            case .success: ended == "0"
            case .failure: ended != "0" && ended != "127"
            case .interrupt: ended == "124"
            }
        if !isRight { problems.append("'\(command.run)' ended with \(ended): \(Self.short(output))") }
        for text in command.prints where !output.contains(text) {
            problems.append("'\(command.run)' should print '\(text)': \(Self.short(output))")
        }
        return problems
    }

    private static func parts(of output: String) -> [Int: (ended: String, output: String)] {
        var parts: [Int: (ended: String, output: String)] = [:]
        var current: Int?
        for line in output.split(separator: "\n", omittingEmptySubsequences: false) {
            let words = line.split(separator: " ")
            if words.first == mark[...], words.count == 3, let index = Int(words[1]) {
                current = index
                parts[index] = (String(words[2]), "")
            } else if let current {
                parts[current]?.output += line + "\n"
            }
        }
        return parts
    }

    private static func short(_ text: String) -> String {
        let line = text.split(separator: "\n").joined(separator: " | ")
        return line.count > 300 ? "\(line.prefix(150)) … \(line.suffix(150))" : line
    }
}

/// The commands that hints name, between single quotes.
enum HintCommands {
    /// Each once.
    ///
    /// What would change something becomes a dry run; what only the broken cluster can answer may fail.
    static func find(in hints: [String], namespace: String) -> [Command] {
        var found: [Command] = []
        var known: Set<String> = []
        for text in hints.flatMap(quotes) where known.insert(text).inserted {
            guard let program = text.split(separator: " ").first, ["kubectl", "curl"].contains(program) else {
                continue
            }
            found.append(command(text))
        }
        guard !found.isEmpty else { return [] }
        return [Command(run: "kubectl config set-context --current --namespace=\(namespace)")] + found
    }

    private static let changing: Set = [
        "apply", "create", "delete", "scale", "set", "label", "annotate", "run", "expose", "patch",
    ]

    private static func command(_ text: String) -> Command {
        let words = text.split(separator: " ")
        // What answers there is the lesson's matter; that it is asked rightly is ours: curl ends with 2 otherwise.
        if words[0] == "curl" { return Command(run: "\(text) --max-time 3; [ $? != 2 ]") }
        if words.contains("-w") || words.contains("--watch") { return Command(run: text, ending: .interrupt) }
        guard words.count > 1, changing.contains(String(words[1])) else {
            return Command(run: "timeout 5 \(text) || [ $? = 124 ]")
        }
        if words[1] == "run" { return Command(run: text) }
        return Command(
            run:
                "said=$(\(text) --dry-run=server 2>&1) || [[ $said =~ (already exists|not found) ]] || ! echo \"$said\""
        )
    }

    private static func quotes(_ text: String) -> [String] {
        let parts = text.split(separator: "'", omittingEmptySubsequences: false).map(String.init)
        return parts.indices.filter { $0 % 2 == 1 }.map { parts[$0] }
    }
}
