import Glibc
import KubeModel

/// Instructions that say how the image is run.
extension BuildStage {
    mutating func describe(_ instruction: Dockerfile.Instruction) throws(ImageError) {
        let words = words
        let rest = instruction.rest
        switch instruction.keyword {
        case .env:
            guard let pairs = words.pairs(rest) else {
                throw failure(instruction, "'\(rest)' is no NAME=value.", "For example: ENV PORT=8080")
            }
            for pair in pairs { setEnvironment(pair.name, pair.value) }
        case .arg: try takeArguments(instruction, words)
        case .label:
            guard let pairs = words.pairs(rest) else {
                throw failure(instruction, "'\(rest)' is no NAME=value.", "For example: LABEL version=1.0")
            }
            for pair in pairs { config.value[["config", "Labels", pair.name]] = .string(pair.value) }
        case .user:
            let user = words.expand(rest)
            guard !user.contains(where: \.isWhitespace) else {
                throw failure(instruction, "'\(user)' is not one user.", "For example: USER 1000")
            }
            config.user = user
        case .expose: try expose(instruction, words)
        case .cmd:
            config.command = instruction.list ?? config.shell + [rest]
            hasOwnCommand = true
        case .entrypoint:
            config.entrypoint = instruction.list ?? config.shell + [rest]
            // That of the base was meant for the entry point of the base.
            if !hasOwnCommand { config["Cmd"] = nil }
        case .volume:
            for volume in instruction.list ?? words.words(rest) { config.insert(words.expand(volume), into: "Volumes") }
        case .shell:
            guard let list = instruction.list, !list.isEmpty else {
                throw failure(instruction, "'\(rest)' is no list.", "For example: SHELL [\"/bin/bash\", \"-c\"]")
            }
            config.shell = list
        case .stopsignal:
            let signal = words.expand(rest)
            guard ImageConfig.signal(signal) != nil else {
                throw failure(instruction, "there is no signal '\(signal)'.", "For example: STOPSIGNAL SIGQUIT")
            }
            config["StopSignal"] = .string(signal)
        case .healthcheck:
            guard rest.uppercased() != "NONE" else { return }
            warn(instruction, "Kubernetes does not look at it; write a livenessProbe into the pod instead.")
        case .maintainer:
            config.value["author"] = .string(rest)
            warn(instruction, "it is out of use; write a LABEL instead.")
        case .onbuild:
            _ = try trigger(rest, instruction)
            config["OnBuild"] = .array((config["OnBuild"]?.array ?? []) + [.string(rest)])
        case .from, .run, .copy, .add, .workdir: break
        }
    }

    func warn(_ instruction: Dockerfile.Instruction, _ what: String) {
        builder.report(.warning("\(file.name):\(instruction.line): \(instruction.keyword.rawValue): \(what)"))
    }

    private mutating func setEnvironment(_ name: String, _ value: String) {
        var environment = config.environment
        let entry = "\(name)=\(value)"
        if let index = environment.firstIndex(where: { $0.hasPrefix(name + "=") }) {
            environment[index] = entry
        } else {
            environment.append(entry)
        }
        config.environment = environment
    }

    private mutating func takeArguments(
        _ instruction: Dockerfile.Instruction, _ words: DockerfileWords
    ) throws(ImageError) {
        var words = words
        for word in words.split(instruction.rest) {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = words.expand(String(parts[0]))
            guard let first = name.first, first.isLetter || first == "_" else {
                throw failure(instruction, "'\(name)' is no name.", "For example: ARG VERSION=1.0")
            }
            let own = parts.count > 1 ? words.expand(String(parts[1])) : nil
            let value = order.arguments[name] ?? own ?? plan.globals[name]
            arguments[name] = value
            if let value, words.variables[name] == nil { words.variables[name] = value }
            advance(["arg", name, value ?? ""])
        }
    }

    private mutating func expose(_ instruction: Dockerfile.Instruction, _ words: DockerfileWords) throws(ImageError) {
        for word in words.words(instruction.rest) {
            let parts = word.split(separator: "/")
            let range = parts.first?.split(separator: "-").map { UInt16($0) } ?? []
            let transport = parts.count > 1 ? parts[1].lowercased() : "tcp"
            guard parts.count <= 2, (1...2).contains(range.count), !range.contains(where: { $0 == nil || $0 == 0 }),
                ["tcp", "udp", "sctp"].contains(transport), let first = parts.first
            else {
                throw failure(instruction, "'\(word)' is no port.", "For example: EXPOSE 8080, or EXPOSE 53/udp")
            }
            config.insert("\(first)/\(transport)", into: "ExposedPorts")
        }
    }

    mutating func setWorkingDirectory(_ instruction: Dockerfile.Instruction) throws(ImageError) {
        let path = words.expand(instruction.rest)
        let whole = path.hasPrefix("/") ? path : ContextView.join(config.workingDirectory, path)
        var parts: [Substring] = []
        for part in whole.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        config.workingDirectory = "/" + parts.joined(separator: "/")
        let image = view
        let folder = image.resolve(config.workingDirectory)
        guard image.entry(folder) == nil else { return advance(["workdir", folder]) }
        // Made now, so that it belongs to the user of this moment.
        if try takeFromBefore(["make workdir", folder]) { return }
        let layers = ImageCatalog.Layers(
            store: store, digests: config.layers, hasSystem: config.base != nil, volumes: [])
        let user = (try? ImageCatalog.user(config.user, stage.base, layers)) ?? 0
        let workshop = try ImageStore.Workshop(in: store)
        let tree = open(try Self.makeTree(in: workshop), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard tree >= 0 else { throw .system("'\(workshop.path)' cannot be opened", errno) }
        defer { close(tree) }
        let copy = TreeCopy(view: context, tree: FileTree(root: tree), owner: (user, user))
        try copy.makeFolders(to: folder, asIn: image)
        try copy.makeFolder(folder.split(separator: "/"))
        try keepLayer(workshop)
    }
}
