/// The words of a command line as the real tools read them: flags anywhere, `--name=value` or `--name value`, `--` ends them.
struct FrontEndWords {
    /// A flag that is known.
    struct Flag {
        var name: String
        var short: Character?
        var takesValue: Bool

        static func value(_ name: String, _ short: Character? = nil) -> Flag {
            Flag(name: name, short: short, takesValue: true)
        }
        static func toggle(_ name: String, _ short: Character? = nil) -> Flag {
            Flag(name: name, short: short, takesValue: false)
        }
    }

    private(set) var operands: [String] = []
    /// What stands after `--`.
    private(set) var rest: [String] = []
    private var values: [String: [String]] = [:]

    /// - Parameter stopsAtOperand: Read flags only as far as the first word that is none, and leave the others in `rest`.
    init(_ words: [String], _ flags: [Flag], usage: String, stopsAtOperand: Bool = false) throws(FrontEndFailure) {
        var queue = words[...]
        func unknown(_ word: String) -> FrontEndFailure {
            FrontEndFailure(lines: ["Error: unknown flag: \(word)", "See '\(usage) --help' for usage."])
        }
        while let word = queue.popFirst() {
            if word == "--" {
                rest = Array(queue)
                return
            }
            guard word.hasPrefix("-"), word != "-" else {
                if stopsAtOperand {
                    rest = [word] + queue
                    return
                }
                operands.append(word)
                continue
            }
            let isLong = word.hasPrefix("--")
            let text = word.drop { $0 == "-" }
            let name = String(text.prefix { $0 != "=" })
            var given = text.contains("=") ? String(text.drop { $0 != "=" }.dropFirst()) : nil
            var flag = flags.first { isLong ? $0.name == name : $0.short.map(String.init) == name }
            if flag == nil, !isLong, let first = text.first {
                // `-nvelocitytech`
                flag = flags.first { $0.short == first && $0.takesValue }
                given = String(text.dropFirst())
            }
            if flag == nil, !isLong {
                // `-aq`: toggles side by side, the last one may take a value.
                let several = text.compactMap { letter in flags.first { $0.short == letter } }
                if several.count == text.count, several.dropLast().allSatisfy({ !$0.takesValue }), text.count > 1 {
                    queue = (text.map { "-\($0)" } + queue)[...]
                    continue
                }
            }
            guard let flag else { throw unknown(word) }
            if flag.takesValue, given == nil {
                guard let next = queue.popFirst() else {
                    throw FrontEndFailure(lines: ["Error: flag needs an argument: \(word)"])
                }
                given = next
            }
            values[flag.name, default: []].append(given ?? "true")
        }
    }

    subscript(name: String) -> String? { values[name]?.last }

    func all(_ name: String) -> [String] { values[name] ?? [] }

    func has(_ name: String) -> Bool { values[name].map { $0.last != "false" } ?? false }

    /// Those of the flags that were given.
    func given(_ names: [String]) -> [String] { names.filter { values[$0] != nil } }

    /// At most so many operands.
    func operand(_ index: Int) -> String? { index < operands.count ? operands[index] : nil }
}
