import Glibc

/// RUN.
extension BuildStage {
    mutating func run(
        _ instruction: Dockerfile.Instruction, _ sandbox: BuildSandbox
    ) async throws(ImageError) {
        for flag in instruction.flags { try check(flag, instruction) }
        let (command, isScript) = command(instruction)
        var environment = config.environment
        for (name, value) in arguments.sorted(by: { $0.key < $1.key })
        where !environment.contains(where: { $0.hasPrefix(name + "=") }) {
            environment.append("\(name)=\(value)")
        }
        if try takeFromBefore(["run"] + command + environment) { return }
        let workshop = try ImageStore.Workshop(in: store)
        let layers = ImageCatalog.Layers(
            store: store, digests: config.layers, hasSystem: config.base != nil, volumes: [])
        let step = BuildSandbox.Step(
            layers: layers, base: config.base, command: command, environment: environment,
            workingDirectory: config.workingDirectory, user: try user(instruction, layers),
            group: try group(instruction, layers))
        let report = builder.report
        let code: Int
        do throws(RuntimeError) {
            code = try await sandbox.run(step, in: workshop) { report(.output($0)) }
        } catch {
            throw failure(instruction, Self.sentence(error, command), isScript ? nil : "Name a program of the image.")
        }
        guard code == 0 else {
            throw failure(instruction, "'\(instruction.rest)' ended with code \(code).", Self.hint(instruction.rest))
        }
        try keepLayer(workshop)
    }

    private func command(_ instruction: Dockerfile.Instruction) -> (command: [String], isScript: Bool) {
        if let list = instruction.list { return (list, false) }
        guard let document = instruction.documents.first else { return (config.shell + [instruction.rest], true) }
        let first = instruction.rest.split(whereSeparator: \.isWhitespace).first ?? ""
        // Alone it is the script; otherwise it is the input of the command, as a shell reads it.
        if instruction.documents.count == 1, first == instruction.rest {
            let interpreter = document.text.hasPrefix("#!") ? document.text.prefix { $0 != "\n" }.dropFirst(2) : ""
            guard interpreter.isEmpty else {
                let program = interpreter.split(separator: " ").map(String.init)
                return (program + ["-c", document.text], true)
            }
            return (config.shell + [document.text], true)
        }
        let texts = instruction.documents.map { "\n\($0.text)\($0.name)" }.joined()
        return (config.shell + [instruction.rest + texts], true)
    }

    private func user(
        _ instruction: Dockerfile.Instruction, _ layers: ImageCatalog.Layers
    ) throws(ImageError) -> Int? {
        do throws(RuntimeError) {
            return try ImageCatalog.user(config.user, stage.base, layers)
        } catch {
            throw failure(
                instruction, "the image has no user '\(config.user.prefix { $0 != ":" })'.",
                "Make it before USER: RUN adduser -D \(config.user.prefix { $0 != ":" })")
        }
    }

    private func group(
        _ instruction: Dockerfile.Instruction, _ layers: ImageCatalog.Layers
    ) throws(ImageError) -> Int? {
        do throws(RuntimeError) {
            return try ImageCatalog.group(config.user, stage.base, layers)
        } catch {
            let name = config.user.split(separator: ":").last ?? ""
            throw failure(
                instruction, "the image has no group '\(name)'.", "Make it before USER: RUN addgroup \(name)")
        }
    }

    private func check(_ flag: Dockerfile.Flag, _ instruction: Dockerfile.Instruction) throws(ImageError) {
        switch flag.name {
        case "mount" where flag.value.contains("type=cache"):
            warn(instruction, "a cache is not kept between builds here; the step's result is.")
        case "mount" where flag.value.contains("type=tmpfs"): break
        case "network" where ["none", "default"].contains(flag.value): break
        case "mount":
            throw failure(
                instruction, "--mount=\(flag.value) is not there.", "Copy what the step needs with COPY before it.")
        case "network":
            throw failure(
                instruction, "there is no network while an image is built here.", "Leave --\(flag.name) out.")
        default: throw failure(instruction, "there is no flag '--\(flag.name)' here.", "Leave it out.")
        }
    }

    private static func sentence(_ error: RuntimeError, _ command: [String]) -> String {
        switch error {
        case .programNotFound(let name):
            name == command.first && name.hasSuffix("sh")
                ? "the image has no shell '\(name)'; a shell form needs one."
                : "the image has no program '\(name)'."
        case .programRefused(let name, let because): "'\(name)' cannot be run: \(because)."
        case .imageNotFound(_, let because): because
        case .invalidImageName(let name): "'\(name)' is no name for an image."
        case .notFound(let what): "\(what) is not there."
        case .sandboxLost(let sentence), .system(let sentence): sentence.hasSuffix(".") ? sentence : sentence + "."
        }
    }

    /// What to do when a command fails that wants a network, which is what most failures are.
    static func hint(_ command: String) -> String? {
        let words = Set(command.split { $0.isWhitespace || "&|;()\"'".contains($0) }.map(String.init))
        func has(_ names: String...) -> Bool { names.contains(where: words.contains) }
        let start = "There is no network while an image is built here"
        if has("pip", "pip3", "poetry", "uv", "pipenv") {
            return
                "\(start): install the packages on this machine (sudo apt-get install python3-flask), or COPY their wheels and"
                + " use pip install --no-index --find-links."
        }
        if has("npm", "yarn", "pnpm", "npx") {
            return "\(start): run npm install in the folder first, and COPY node_modules."
        }
        if has("apt-get", "apt", "apk", "yum", "dnf", "microdnf") {
            return
                "\(start), and the base is this machine's own system: install the package on this machine instead, and leave"
                + " the line out."
        }
        if has("curl", "wget", "git") { return "\(start): fetch it into the folder first, and COPY it." }
        if has("go", "mvn", "./mvnw", "gradle", "./gradlew", "cargo", "dotnet", "composer", "bundle", "gem") {
            return "\(start): fetch the dependencies into the folder first (for Go: go mod vendor), and COPY them."
        }
        return nil
    }
}
