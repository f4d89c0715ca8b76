import ArgumentParser
import Cluster
import ContainerRuntime
import Foundation

struct ImageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image", abstract: "The images of this machine.", subcommands: [Load.self, List.self])

    struct Load: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take in the images of an archive: `docker save`, or an OCI layout in a tar file.")

        @Option(name: .shortAndLong, help: "The archive; standard input when not given.")
        var input: String?

        @Option(help: "Call the image so, instead of what the archive says.")
        var name: String?

        func run() async throws {
            let store = try Machine.home().images
            var descriptor = STDIN_FILENO
            if let input {
                descriptor = open(input, O_RDONLY | O_CLOEXEC)
                guard descriptor >= 0 else {
                    throw ImageError("'\(input)' cannot be opened: \(String(cString: strerror(errno))).")
                }
            } else if isatty(STDIN_FILENO) != 0 {
                throw ImageError("There is no archive to load.", hint: "Name one: velocity image load -i image.tar")
            }
            defer { if input != nil { close(descriptor) } }
            for image in try store.load(descriptor, name: input ?? "standard input", as: name) {
                for reference in image.references {
                    Output.line("Loaded image: \(ImageReference(parsing: reference)?.familiar ?? reference)")
                }
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List what can be run, and what is missing for it.")

        func run() async throws {
            Output.table(
                ["IMAGE", "TAGS", "RUNS", "MISSING"],
                ImageCatalog.ofThisProgram().entries.map { [$0.repository, $0.tags, $0.runs, $0.missing ?? "-"] })
        }
    }
}
