import ArgumentParser
import Cluster
import ContainerRuntime
import Foundation

struct ImageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image", abstract: "The images of this machine.",
        subcommands: [Build.self, Load.self, Pull.self, List.self, Tag.self, Remove.self, Prune.self])

    struct Build: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Build an image from a Dockerfile, without a network; what was built before is not built again.")

        @Option(name: .shortAndLong, help: "What to call it, for example task-tracker:v1; may be repeated.")
        var tag: [String] = []

        @Option(name: .shortAndLong, help: "The Dockerfile; that of the folder when not given.")
        var file: String?

        @Option(help: "NAME=VALUE for an ARG; NAME alone takes the value of your environment.")
        var buildArg: [String] = []

        @Option(help: "Build up to this stage.")
        var target: String?

        @Flag(help: "Do every step again.")
        var noCache = false

        @Flag(name: .shortAndLong, help: "Say nothing but what is wrong, and the digest.")
        var quiet = false

        @Argument(help: "The folder whose files are copied.")
        var folder: String

        func run() async throws {
            var order = ImageBuilder.Order(context: folder)
            order.file = file
            order.names = tag
            order.target = target
            order.isFresh = noCache
            for argument in buildArg {
                let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                let name = String(parts[0])
                order.arguments[name] = parts.count > 1 ? String(parts[1]) : Machine.environment[name]
            }
            let store = try Machine.home().images
            let builder = ImageBuilder(store: store, catalog: .ofThisProgram(store: store)) { [quiet] report in
                switch report {
                case .step, .cached, .output: if quiet { return }
                case .warning: break
                }
                switch report {
                case .step(let text): Output.remark(text)
                case .cached: Output.remark("  CACHED")
                case .output(let bytes): FileHandle.standardError.write(Data(bytes))
                case .warning(let text): Output.remark("warning: \(text)")
                }
            }
            let digest = try await builder.build(order)
            if !quiet {
                Output.remark(
                    tag.isEmpty ? "Built, without a name; -t gives it one." : "Built \(tag.joined(separator: ", ")).")
            }
            Output.line(digest)
        }
    }

    struct Pull: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Fetch an image from its registry, with your login if `docker login` has kept one.",
            discussion: "It goes before what is built in.")

        @Argument(help: "Its name: nginx:1.27, ghcr.io/owner/name@sha256:….")
        var name: String

        func run() async throws {
            let keyring = try DockerLogins().keyring(for: name)
            let image = try await Machine.home().images.pull(named: name, with: keyring)
            Output.remark("Pulled \(image.name).")
            Output.line(image.digest)
        }
    }

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
}
