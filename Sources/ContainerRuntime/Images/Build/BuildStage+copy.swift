import Glibc

/// COPY and ADD.
extension BuildStage {
    /// What one of them asks for.
    private struct Wish {
        var sources: [String]
        var target: String
        var from: String?
        var owner: String?
        var mode: (text: String, FileMode)?
        var documents: [Dockerfile.HereDocument]
    }

    mutating func copy(_ instruction: Dockerfile.Instruction) throws(ImageError) {
        let wish = try wish(instruction)
        let source = try self.source(wish, instruction)
        let files = try wish.sources.isEmpty ? [] : find(wish, source, instruction)
        let image = view
        let target = image.resolve(
            wish.target.hasPrefix("/") ? wish.target : ContextView.join(config.workingDirectory, wish.target))
        let isFolder =
            wish.target.hasSuffix("/") || wish.target == "." || wish.target.hasSuffix("/.")
            || image.entry(target)?.kind == .folder
        guard files.count + wish.documents.count == 1 || isFolder else {
            throw failure(
                instruction, "several files go to '\(wish.target)', which is no folder.",
                "End it with a slash: \(wish.target)/")
        }
        var content = TreeDigest()
        for file in files { try content.add(source, file, as: file) }
        let facts =
            [instruction.keyword.rawValue, target, "\(isFolder)", wish.owner ?? "", wish.mode?.text ?? ""]
            + wish.sources + wish.documents.map { $0.name + "\n" + $0.text } + [content.digest.hex]
        let owner = try wish.owner.map { text throws(ImageError) in try self.owner(text, instruction) }
        if try takeFromBefore(facts) { return }
        let workshop = try ImageStore.Workshop(in: store)
        let tree = try Self.makeTree(in: workshop)
        let root = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard root >= 0 else { throw .system("'\(tree)' cannot be opened", errno) }
        defer { close(root) }
        let copy = TreeCopy(view: source, tree: FileTree(root: root), owner: owner, mode: wish.mode?.1)
        try copy.makeFolders(to: target, asIn: image)
        if isFolder, target != "/", image.entry(target) == nil { try copy.makeFolder(target.split(separator: "/")) }
        for file in files { try put(file, source, copy, target, isFolder: isFolder, tree: tree, instruction) }
        for document in wish.documents {
            let text = document.expands ? words.fill(document.text) : document.text
            try copy.write(text, to: isFolder ? ContextView.join(target, document.name) : target)
        }
        try keepLayer(workshop)
    }

    /// Copies one source: a folder's content, a file, or what an archive holds.
    private func put(
        _ file: String, _ source: any TreeView, _ copy: TreeCopy, _ target: String, isFolder: Bool, tree: String,
        _ instruction: Dockerfile.Instruction
    ) throws(ImageError) {
        let place = source.resolve(file)
        guard let entry = source.entry(place) else { return }
        if entry.kind == .folder { return try copy.copy(place, to: target) }
        if instruction.keyword == .add, try unpack(entry, target, copy, tree, instruction) { return }
        let name = file.split(separator: "/").last.map(String.init) ?? ""
        let path = isFolder ? ContextView.join(target, name) : target
        try copy.copy(place, to: path)
    }

    /// Unpacks a local archive, as ADD does; false when the file is none.
    private func unpack(
        _ entry: TreeEntry, _ target: String, _ copy: TreeCopy, _ tree: String, _ instruction: Dockerfile.Instruction
    ) throws(ImageError) -> Bool {
        guard entry.kind == .file else { return false }
        let file = open(entry.location, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw .system("'\(entry.location)' cannot be read", errno) }
        defer { close(file) }
        let name = entry.location.split(separator: "/").last.map(String.init) ?? entry.location
        // Like Docker, by content and not by name.
        guard (try? TarReader(Packing.open(file, name: name), name: name).next()) ?? nil != nil else { return false }
        if target != "/" { try copy.makeFolder(target.split(separator: "/")) }
        try LayerUnpacker.unpack(
            Packing.open(file, name: name), into: tree + (target == "/" ? "" : target), archive: name)
        return true
    }

    // MARK: What is asked for

    private func wish(_ instruction: Dockerfile.Instruction) throws(ImageError) -> Wish {
        let words = words
        var names = instruction.list.map { $0.map(words.expand) } ?? words.words(instruction.rest)
        let marks = Set(
            instruction.documents.flatMap { document in
                ["<<", "<<-"].flatMap { mark in ["", "\"", "'"].map { mark + $0 + document.name + $0 } }
            })
        names.removeAll { marks.contains($0) }
        let isAlone = names.count + instruction.documents.count < 2
        guard let target = names.popLast(), !isAlone else {
            throw failure(
                instruction, "it takes what is copied and where to, not '\(instruction.rest)' alone.",
                "For example: \(instruction.keyword.rawValue) \(instruction.rest) /app/")
        }
        var wish = Wish(sources: names, target: target, documents: instruction.documents)
        for flag in instruction.flags {
            let value = words.expand(flag.value)
            switch flag.name {
            case "from" where instruction.keyword == .copy: wish.from = value
            case "chown": wish.owner = value
            case "chmod":
                guard let mode = FileMode(value) else {
                    throw failure(instruction, "'\(value)' is no mode.", "For example: --chmod=755, or --chmod=+x")
                }
                wish.mode = (value, mode)
            case "link": break
            default:
                throw failure(
                    instruction, "there is no flag '--\(flag.name)' here.",
                    "There are: \(instruction.keyword == .copy ? "--from, " : "")--chown, --chmod.")
            }
        }
        return wish
    }

    private func source(_ wish: Wish, _ instruction: Dockerfile.Instruction) throws(ImageError) -> any TreeView {
        guard let from = wish.from else { return context }
        if let number = BuildPlan.find(from, in: earlier.map(\.stage)),
            let stage = earlier.first(where: { $0.stage.number == number })
        {
            return stage.view
        }
        if Int(from) != nil || from.lowercased() == stage.name {
            throw failure(
                instruction, "there is no earlier stage '\(from)'.", "Stages are named so: FROM alpine AS build")
        }
        return LayerView(try image(from, instruction).config, in: store)
    }

    /// The paths in the source's view that are copied.
    private func find(
        _ wish: Wish, _ source: any TreeView, _ instruction: Dockerfile.Instruction
    ) throws(ImageError) -> [String] {
        var found: [String] = []
        for text in wish.sources {
            if text.contains("://") || text.hasPrefix("git@") {
                throw failure(
                    instruction, "there is no network while an image is built here, so '\(text)' cannot be fetched.",
                    "Fetch it into the folder first, then: COPY FILE \(wish.target)")
            }
            let parts = text.split(separator: "/").filter { $0 != "." }
            if parts.contains("..") {
                throw failure(
                    instruction, "'\(text)' leads out of the folder that is built.",
                    "Only files below that folder can be copied; build from the folder above, with -f.")
            }
            let path = "/" + parts.joined(separator: "/")
            if PathPattern.isPattern(text) {
                let matching = Self.matches(PathPattern(path), source, "/", depth: parts.count)
                if matching.isEmpty { throw missing(text, source, instruction) }
                found += matching
            } else {
                guard source.entry(source.resolve(path)) != nil else { throw missing(text, source, instruction) }
                found.append(path)
            }
        }
        return found
    }

    private static func matches(
        _ pattern: PathPattern, _ source: any TreeView, _ folder: String, depth: Int
    ) -> [String] {
        source.names(in: folder).flatMap { name in
            let path = ContextView.join(folder, name)
            if depth == 1 { return pattern.matches(path) ? [path] : [] }
            return source.entry(path)?.kind == .folder ? matches(pattern, source, path, depth: depth - 1) : []
        }
    }

    private func missing(
        _ text: String, _ source: any TreeView, _ instruction: Dockerfile.Instruction
    ) -> ImageError {
        if let context = source as? ContextView {
            let path = "/" + text.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
            if TreeEntry(context.root + path) != nil {
                return failure(
                    instruction, "'\(text)' is in '.dockerignore', so that the build does not see it.",
                    "Take it out there, or write: !\(text)")
            }
            let names = context.names(in: "/").prefix(12).joined(separator: ", ")
            return failure(
                instruction, "there is no '\(text)' in '\(context.root)'.",
                names.isEmpty ? "The folder is empty." : "There are: \(names).")
        }
        return failure(instruction, "there is no '\(text)' in what it is copied from.")
    }

    /// `--chown`: numbers, or names of the image's users.
    private func owner(
        _ text: String, _ instruction: Dockerfile.Instruction
    ) throws(ImageError) -> (user: Int, group: Int) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        func number(_ name: String, _ file: String) throws(ImageError) -> Int {
            if let number = Int(name) { return number }
            let layers = ImageCatalog.Layers(
                store: store, digests: config.layers, hasSystem: config.base != nil, volumes: [])
            for line in (layers.text(file) ?? "").split(separator: "\n") {
                let fields = line.split(separator: ":", omittingEmptySubsequences: false)
                if fields.count > 2, fields[0] == name, let number = Int(fields[2]) { return number }
            }
            if config.base != nil, let number = SystemFiles.user(name) { return number }
            throw failure(
                instruction, "the image has no '\(name)' in \(file).", "Make it before, or give a number: --chown=1000")
        }
        let user = try number(parts[0], "/etc/passwd")
        return (user, parts.count > 1 && !parts[1].isEmpty ? try number(parts[1], "/etc/group") : user)
    }
}

extension DockerfileWords {
    /// A text with its variables filled in and everything else as it is, quotes too.
    func fill(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.contains("$") ? expand("\"" + line.replacing("\"", with: "\\\"") + "\"") : String(line)
        }.joined(separator: "\n")
    }
}
