import ArgumentParser
import Cluster
import ContainerRuntime
import Foundation

extension ImageCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List what can be run: where it comes from, what it runs, and what is missing for it.")
        @Flag(help: "As JSON.") var json = false

        private struct Report: Encodable {
            var version = 1
            var images: [ImageCatalog.Entry]
        }

        func run() async throws {
            let entries = ImageCatalog.ofThisProgram(store: try Machine.home().images).entries
            if json { return try Output.json(Report(images: entries)) }
            Output.table(
                ["IMAGE", "TAG", "FROM", "SIZE", "RUNS", "MISSING"],
                entries.map { entry in
                    [
                        entry.repository, Self.shortened(entry.tags), entry.origin,
                        entry.bytes.map(ByteCount.text) ?? "-", entry.runs,
                        entry.missing ?? "-",
                    ]
                })
        }

        /// A long list of tags by its beginning; `--json` has them all.
        private static func shortened(_ tags: String) -> String {
            let all = tags.split(separator: ", ")
            return all.count > 4 ? all.prefix(3).joined(separator: ", ") + " and \(all.count - 3) more" : tags
        }
    }

    struct Tag: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give an image that was built, loaded or pulled one more name.")
        @Argument(help: "Its name, for example task-tracker:v1.") var source: String
        @Argument(help: "The further one.") var name: String

        func run() async throws {
            let reference = try Machine.home().images.tag(source, as: name)
            Output.line("Tagged image: \(reference.familiar)")
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Forget images that were loaded or built; containers that run keep their files until they end.")
        @Argument(help: "Their names, for example task-tracker:v1.") var names: [String]

        func run() async throws {
            let store = try Machine.home().images
            for name in names {
                let reference = try store.remove(name, besides: .ofThisProgram(store: store))
                Output.line("Removed image: \(reference.familiar)")
            }
        }
    }

    struct Prune: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Free what no image and no running container needs, and what builds remember.")

        func run() async throws {
            let freed = try Machine.home().images.prune()
            Output.line("\(ByteCount.text(freed)) became free.")
        }
    }
}

/// Bytes as people read them: `45.5 MB`.
enum ByteCount {
    static func text(_ bytes: Int64) -> String {
        var value = Double(bytes)
        for unit in ["B", "kB", "MB"] {
            if value < 1000 { return unit == "B" ? "\(bytes) B" : "\((value * 10).rounded() / 10) \(unit)" }
            value /= 1000
        }
        return "\((value * 10).rounded() / 10) GB"
    }
}
