/// What a build has to do: the stages that the wanted one needs, with their bases.
struct BuildPlan: Sendable {
    struct Stage: Sendable {
        /// Counted from 0, as `--from=0` does.
        var number: Int
        /// After `AS`, in lower case.
        var name: String?
        var from: Dockerfile.Instruction
        /// The reference or the earlier stage that it begins from, variables filled in.
        var base: String
        var instructions: [Dockerfile.Instruction]
    }

    /// Those that are needed, in order.
    let stages: [Stage]
    /// What `ARG` before the first `FROM` says, and what was given for it.
    let globals: [String: String]

    /// - Parameters:
    ///   - arguments: What `--build-arg` gives.
    ///   - target: The stage to build, by name or number; nil for the last one.
    init(_ file: Dockerfile, arguments: [String: String], target: String?) throws(ImageError) {
        var globals = [
            "TARGETOS": "linux", "TARGETARCH": ImageConfig.machine, "TARGETPLATFORM": "linux/\(ImageConfig.machine)",
            "BUILDOS": "linux", "BUILDARCH": ImageConfig.machine, "BUILDPLATFORM": "linux/\(ImageConfig.machine)",
        ]
        var all: [Stage] = []
        for instruction in file.instructions {
            if instruction.keyword == .from {
                let words = DockerfileWords(variables: globals, escape: file.escape)
                all.append(try Self.stage(instruction, number: all.count, words, file.name))
            } else if !all.isEmpty {
                all[all.count - 1].instructions.append(instruction)
            } else {
                let words = DockerfileWords(variables: globals, escape: file.escape)
                for word in words.split(instruction.rest) {
                    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                    let name = String(parts[0])
                    globals[name] = arguments[name] ?? (parts.count > 1 ? words.expand(String(parts[1])) : nil)
                }
            }
        }
        self.globals = globals
        let wanted: Int
        if let target {
            guard let found = Self.find(target, in: all) else {
                let known = all.compactMap(\.name)
                throw ImageError(
                    "'\(file.name)' has no stage '\(target)'.",
                    hint: known.isEmpty
                        ? "Name one: FROM alpine AS \(target)" : "It has: \(known.joined(separator: ", ")).")
            }
            wanted = found
        } else {
            wanted = all.count - 1
        }
        var needed: Set<Int> = [wanted]
        for stage in all[...wanted].reversed() where needed.contains(stage.number) {
            let froms = stage.instructions.flatMap { $0.flags.filter { $0.name == "from" }.map(\.value) }
            for name in [stage.base] + froms {
                if let index = Self.find(name, in: Array(all[..<stage.number])) { needed.insert(index) }
            }
        }
        stages = all[...wanted].filter { needed.contains($0.number) }
    }

    static func find(_ name: String, in stages: [Stage]) -> Int? {
        if let number = Int(name) { return stages.contains { $0.number == number } ? number : nil }
        return stages.last { $0.name == name.lowercased() }?.number
    }

    private static func stage(
        _ instruction: Dockerfile.Instruction, number: Int, _ words: DockerfileWords, _ file: String
    ) throws(ImageError) -> Stage {
        let place = "\(file):\(instruction.line)"
        let parts = words.words(instruction.rest)
        guard parts.count == 1 || (parts.count == 3 && parts[1].lowercased() == "as"), !parts[0].isEmpty else {
            throw ImageError(
                "\(place): FROM takes one base and, if wanted, a name, not '\(instruction.rest)'.",
                hint: "Write: FROM alpine AS build")
        }
        for flag in instruction.flags {
            let wanted = words.expand(flag.value)
            guard flag.name == "platform" else {
                throw ImageError("\(place): FROM has no flag '--\(flag.name)'.", hint: "Leave it out.")
            }
            guard ["linux", "linux/\(ImageConfig.machine)"].contains(wanted) else {
                throw ImageError(
                    "\(place): this machine runs linux/\(ImageConfig.machine), not '\(wanted)'.",
                    hint: "Leave --platform out.")
            }
        }
        return Stage(
            number: number, name: parts.count == 3 ? parts[2].lowercased() : nil, from: instruction, base: parts[0],
            instructions: [])
    }
}
