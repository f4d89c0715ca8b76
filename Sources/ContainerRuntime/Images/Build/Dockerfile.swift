/// A Dockerfile, taken apart: its instructions in order, with the lines they stand on.
///
/// Source: Docker's "Dockerfile reference". What is not understood is an error that names the line; nothing is passed over.
struct Dockerfile: Sendable, Hashable {
    /// One instruction.
    struct Instruction: Sendable, Hashable {
        /// Where it begins, counted from 1.
        var line: Int
        var keyword: Keyword
        /// `--from=build`, in order, without the dashes.
        var flags: [Flag]
        /// What follows, lines joined; variables are not filled in.
        var rest: String
        /// The array, where the rest is one in JSON (exec form).
        var list: [String]?
        var documents: [HereDocument] = []
        /// As the file has it, on one line.
        var text: String
    }

    struct Flag: Sendable, Hashable {
        var name: String
        var value: String
    }

    /// Lines in the Dockerfile itself: `<<EOF` to `EOF`.
    struct HereDocument: Sendable, Hashable {
        var name: String
        var text: String
        /// The name was not quoted, so that variables in the text are filled in.
        var expands: Bool
    }

    enum Keyword: String, Sendable, CaseIterable {
        case from = "FROM"
        case run = "RUN"
        case copy = "COPY"
        case add = "ADD"
        case env = "ENV"
        case arg = "ARG"
        case workdir = "WORKDIR"
        case user = "USER"
        case expose = "EXPOSE"
        case cmd = "CMD"
        case entrypoint = "ENTRYPOINT"
        case label = "LABEL"
        case volume = "VOLUME"
        case shell = "SHELL"
        case stopsignal = "STOPSIGNAL"
        case healthcheck = "HEALTHCHECK"
        case maintainer = "MAINTAINER"
        case onbuild = "ONBUILD"
    }

    /// How messages call the file.
    let name: String
    let instructions: [Instruction]
    /// What escapes the end of a line, and characters in words: `\`, or what `# escape=` says.
    let escape: Character

    /// - Parameters:
    ///   - text: The whole file.
    ///   - name: How messages call it.
    init(parsing text: String, name: String) throws(ImageError) {
        self.name = name
        var parser = DockerfileParser(text, name: name)
        instructions = try parser.parse()
        escape = parser.escape
        guard !instructions.isEmpty else {
            throw ImageError("'\(name)' holds no instruction.", hint: "Begin it with a base: FROM alpine")
        }
        guard let first = instructions.first(where: { $0.keyword != .arg }), first.keyword == .from else {
            let line = instructions.first { $0.keyword != .arg }
            throw ImageError(
                "\(name):\(line?.line ?? 1): \(line?.keyword.rawValue ?? "ARG") comes before FROM, so that it belongs to no image.",
                hint: "Begin with a base: FROM alpine")
        }
    }
}
