import Cluster
import ContainerRuntime
import Foundation

/// The images of this machine as the front ends show them: those that were loaded or built.
struct LocalImages {
    let store: ImageStore
    let catalog: ImageCatalog

    struct Line {
        var repository: String
        var tag: String
        var entry: ImageCatalog.Entry
        /// `docker.io/library/web:1.0`.
        var whole: String
        /// Twelve digits.
        var id: String { String((entry.digest ?? "").drop { $0 != ":" }.dropFirst().prefix(12)) }

        /// Whether a name, with a tag or without one, is that of the image.
        func has(name: String) -> Bool {
            guard let wanted = ImageReference(parsing: name), wanted.repositoryName == repository else { return false }
            return name == repository || wanted.description == whole || !name.contains(":")
        }
    }

    static func open() throws -> LocalImages {
        let store = try Machine.home().images
        return LocalImages(store: store, catalog: .ofThisProgram(store: store))
    }

    var all: [Line] {
        catalog.entries.compactMap { entry in
            entry.reference.map { Line(repository: entry.repository, tag: entry.tags, entry: entry, whole: $0) }
        }
    }

    /// A name of the image that a name or the beginning of an id stands for.
    func name(of text: String) -> String {
        let digits = text.hasPrefix("sha256:") ? String(text.dropFirst(7)) : text
        guard digits.count >= 4, digits.allSatisfy(\.isHexDigit), !store.has(text) else { return text }
        return all.first { $0.entry.digest?.hasPrefix("sha256:\(digits)") ?? false }?.whole ?? text
    }

    /// Whether pods can have an image without anything being brought.
    func isHere(_ name: String) -> Bool {
        store.has(name)
            || ImageReference(parsing: name).map { catalog.hasBuiltIn($0) && catalog.missing(for: $0) == nil } ?? false
    }

    func tag(_ source: String, as name: String) throws {
        do throws(ImageError) { _ = try store.tag(self.name(of: source), as: name) } catch {
            throw FrontEndFailure(error.message, hint: error.hint)
        }
    }

    /// Fetches an image from its registry, unless it is built in or was built here: then there is none of that name to fetch.
    func pull(_ name: String) async throws {
        let reference = ImageReference(parsing: name)
        if let reference, catalog.hasBuiltIn(reference), !store.has(name) {
            if let missing = catalog.missing(for: reference) {
                throw FrontEndFailure("'\(name)' is built in, and cannot run: \(missing).")
            }
            Output.remark("'\(reference.familiar)' is built in: `velocity image list` says what it runs.")
            return Output.line("Status: Image is up to date for \(reference.familiar)")
        }
        do {
            let image = try await store.pull(named: name, with: DockerLogins().keyring(for: name))
            Output.line("Digest: \(image.digest)\nStatus: Downloaded newer image for \(image.name)")
        } catch let error as ImageError { throw FrontEndFailure(error.message, hint: error.hint) }
    }

    /// Takes in an archive; an image that is here already is at its place.
    func bring(_ name: String) throws {
        if FileManager.default.fileExists(atPath: name) { return try load(name) }
        if isHere(name) { return }
        throw FrontEndFailure(
            "There is neither an image nor an archive '\(name)'.",
            hint: "Build it: docker build -t \(name) . — or name a file that `docker save` wrote.")
    }

    func load(_ file: String) throws {
        let descriptor = Glibc.open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw FrontEndFailure("'\(file)' cannot be opened: \(String(cString: strerror(errno))).")
        }
        defer { close(descriptor) }
        try take(descriptor, file)
    }

    func take(_ descriptor: Int32, _ name: String) throws {
        do throws(ImageError) {
            for image in try store.load(descriptor, name: name) {
                for reference in image.references {
                    Output.line("Loaded image: \(ImageReference(parsing: reference)?.familiar ?? reference)")
                }
            }
        } catch { throw FrontEndFailure(error.message, hint: error.hint) }
    }

    /// - Parameter byForce: An id stands for all names of its image, not only where there is one.
    func remove(_ text: String, byForce: Bool = false) throws {
        var names = [name(of: text)]
        if names[0] != text {
            let image = all.first { $0.whole == names[0] }
            names = all.filter { $0.id == image?.id }.map(\.whole)
            guard names.count == 1 || byForce else {
                let familiar = names.map { ImageReference(parsing: $0)?.familiar ?? $0 }
                throw FrontEndFailure(
                    "Image '\(text)' has several names: \(familiar.joined(separator: ", ")).",
                    hint: "Remove them by their names, or all with: docker rmi -f \(text)")
            }
        }
        for name in names {
            do throws(ImageError) {
                let reference = try store.remove(name, besides: catalog)
                Output.line("Untagged: \(reference.familiar)")
            } catch { throw FrontEndFailure("No such image: \(name)", hint: error.message) }
        }
    }

    /// Builds as `velocity image build` does.
    func build(_ words: [String], usage: String) async throws {
        let read = try FrontEndWords(
            words,
            [
                .value("tag", "t"), .value("file", "f"), .value("build-arg"), .value("target"), .toggle("no-cache"),
                .toggle("quiet", "q"), .toggle("pull"), .toggle("rm"), .toggle("force-rm"), .value("progress"),
                .toggle("load"), .value("platform"), .value("label"), .value("network"),
            ], usage: usage)
        guard let folder = read.operand(0), read.operands.count == 1 else {
            throw FrontEndFailure(
                lines: ["ERROR: \"\(usage)\" requires exactly 1 argument.", "Usage:  \(usage) [OPTIONS] PATH"])
        }
        if let platform = read["platform"], platform != FrontEnd.platform {
            throw FrontEndFailure(
                lines: ["ERROR: this machine builds for \(FrontEnd.platform), not for '\(platform)'."])
        }
        let idle = read.given(["label", "network", "progress"]).map { "--\($0)" }
        if !idle.isEmpty { Output.remark("Without effect here: \(idle.joined(separator: ", ")).") }
        var command = ImageCommand.Build()
        command.tag = read.all("tag")
        command.file = read["file"]
        command.buildArg = read.all("build-arg")
        command.target = read["target"]
        command.noCache = read.has("no-cache")
        command.quiet = read.has("quiet")
        command.folder = folder
        do { try await command.run() } catch let error as ImageError {
            throw FrontEndFailure(
                lines: ["ERROR: \(error.message)"] + (error.hint.map { ["hint: \($0)"] } ?? []))
        }
    }
}
