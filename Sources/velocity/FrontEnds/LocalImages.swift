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
    }

    static func open() throws -> LocalImages {
        let store = try Machine.home().images
        return LocalImages(store: store, catalog: .ofThisProgram(store: store))
    }

    var all: [Line] {
        catalog.entries.filter { $0.digest != nil }.map { entry in
            let name = "\(entry.repository):\(entry.tags)"
            return Line(
                repository: entry.repository, tag: entry.tags, entry: entry,
                whole: ImageReference(parsing: name)?.description ?? name)
        }
    }

    /// Takes in an archive; an image that is here already is at its place.
    func bring(_ name: String) throws {
        if FileManager.default.fileExists(atPath: name) { return try load(name) }
        if store.has(name) { return }
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

    func remove(_ name: String) throws {
        do throws(ImageError) {
            let reference = try store.remove(name, besides: catalog)
            Output.line("Untagged: \(reference.familiar)")
        } catch { throw FrontEndFailure("No such image: \(name)", hint: error.message) }
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
        var command = ImageCommand.Build()
        command.tag = read.all("tag")
        command.file = read["file"]
        command.buildArg = read.all("build-arg")
        command.target = read["target"]
        command.noCache = read.has("no-cache")
        command.folder = folder
        do { try await command.run() } catch let error as ImageError {
            throw FrontEndFailure(
                lines: ["ERROR: \(error.message)"] + (error.hint.map { ["hint: \($0)"] } ?? []))
        }
    }
}
