import Foundation
import Testing

@testable import ContainerRuntime

@Suite("The catalogue of images", .timeLimit(.minutes(5))) struct ImageCatalogTests {
    /// Any program that is there stands for the course's own.
    private let catalog = ImageCatalog(workloads: "/bin/sh")

    @Test(
        "a name resolves alike with and without its registry and its tag",
        arguments: [
            ("busybox", "docker.io/library/busybox:latest"), ("busybox:latest", "docker.io/library/busybox:latest"),
            ("library/busybox", "docker.io/library/busybox:latest"),
            ("docker.io/busybox", "docker.io/library/busybox:latest"),
            ("docker.io/library/busybox:latest", "docker.io/library/busybox:latest"),
            ("busybox:1.36", "docker.io/library/busybox:1.36"), ("web:1.0", "docker.io/library/web:1.0"),
            ("velocitytech/payment-gateway", "docker.io/velocitytech/payment-gateway:latest"),
            ("docker.io/velocitytech/payment-gateway:2.0", "docker.io/velocitytech/payment-gateway:2.0"),
        ])
    func names(text: String, full: String) throws {
        let image = try catalog.resolve(text).image
        #expect(image.reference == full)
        #expect(image == (try catalog.resolve(full).image))
    }

    @Test(
        "an image that is not here is refused as a registry would, with a way on",
        arguments: [
            ("nosuch", "docker.io/library/nosuch:latest"), ("web:9", "docker.io/library/web:9"),
            ("velocitytech/payment-gateway:optimised", "docker.io/velocitytech/payment-gateway:optimised"),
            ("quay.io/busybox", "quay.io/busybox:latest"), ("localhost:5000/web:1.0", "localhost:5000/web:1.0"),
            ("someone/busybox", "docker.io/someone/busybox:latest"),
        ])
    func unknown(text: String, full: String) {
        let error = #expect(throws: RuntimeError.self) { _ = try catalog.resolve(text) }
        let sentence =
            "rpc error: code = NotFound desc = failed to pull and unpack image \"\(full)\": failed to resolve reference"
            + " \"\(full)\": \(full): not found (this machine's catalogue has no such image; `velocity image list`"
            + " shows it)"
        #expect(error == .imageNotFound(reference: text, because: sentence))
    }

    @Test(
        "what is no reference is refused as such",
        arguments: [
            "", ":", "Web", "web:", "web::1", "web: 1", "/web", "web/", "a//b", "web@sha256:12", "web@", "-web", "wéb",
            "web:1.0 ", "https://web", "docker.io/", "web:one/x", "host:99999/web",
        ])
    func invalid(text: String) {
        #expect(throws: RuntimeError.invalidImageName(reference: text)) { _ = try catalog.resolve(text) }
    }

    @Test(
        "capital letters are named, as Kubernetes does",
        arguments: [
            ("Web:1", ": repository name (library/Web) must be lowercase"), ("a b", ""),
            ("team/Web", ": repository name (team/Web) must be lowercase"), ("Host.test/web:", ""),
        ])
    func fault(text: String, remark: String) {
        #expect(ImageReference.fault(in: text) == "invalid reference format" + remark)
    }

    @Test(
        "every image of the course is there, where this machine has its program",
        arguments: [
            "nginx", "nginx:alpine", "nginx:1.25-alpine", "nginx:1.14.2", "velocitytech/payment-gateway:latest",
            "velocitytech/payment-gateway:optimized", "velocitytech/payment-gateway:2.0", "curlimages/curl",
            "postgres:14-alpine", "postgres:15-alpine", "postgres:14", "redis:7-alpine", "redis",
            "mycompany/myapp:1.0", "myapp:latest", "mycompany/orders-service:1.0", "mycompany/orders-service:2.0",
            "myregistry.azurecr.io/myapi:1.2.3",
            "myregistry.azurecr.io/myapi:1.3.0", "myapi:1.3.0", "busybox", "registry.k8s.io/busybox:1.27.2",
            "hello-world", "registry.k8s.io/pause:3.9",
            "k8s.gcr.io/pause:3.1", "velocitytech/broken-app", "velocitytech/leaking-app", "velocitytech/crashing-app",
            "velocitytech/slow-app:1.0",
        ])
    func course(text: String) {
        do throws(RuntimeError) { _ = try catalog.resolve(text) } catch {
            // What is missing is named with the package that brings it.
            guard case .imageNotFound(_, let because) = error else { return #expect(Bool(false), "\(error)") }
            #expect(because.contains("is not installed on this machine; sudo apt-get install"), "\(because)")
        }
        #expect(ImageReference(parsing: text).map(catalog.hasBuiltIn) == true)
    }

    @Test(
        "busybox and alpine have BusyBox's own programs, where this machine has it",
        arguments: ["busybox", "alpine:3.20"])
    func applets(name: String) throws {
        let bed = try StoreBed()
        let mounts = try bed.catalog.resolve(name).mounts
        #expect(mounts == (try bed.catalog.resolve(name).mounts))
        let runs = bed.catalog.entries.first { $0.repository == "busybox" }?.runs ?? ""
        guard let program = ImageCatalog.find("busybox") else {
            #expect(mounts.isEmpty && runs.hasSuffix("sudo apt-get install busybox-static)"))
            return
        }
        #expect(runs == "the host's BusyBox, on the host's system")
        let folder = try #require(mounts.first?.hostPath)
        for applet in ["ls", "nslookup", "[["] {
            #expect(TreeEntry("\(folder)/\(applet)")?.target == program, "\(applet)")
        }
        #expect(bed.store.names("/new").isEmpty)
    }

    @Test(
        "wget takes a time limit in both ways, whatever the host's BusyBox can",
        .enabled(if: ImageCatalog.find("busybox") != nil, "there is no BusyBox on this machine"),
        arguments: ["-T 5", "--timeout=5", "-T5 -q", ""])
    func wget(limit: String) throws {
        let bed = try StoreBed()
        let mounts = try bed.catalog.resolve("busybox").mounts
        let folder = try #require(mounts.first?.hostPath)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", "PATH='\(folder)':$PATH; sh -c 'wget \(limit) -O - http://127.0.0.1:1/ 2>&1'"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 1 && text.contains("Connection refused"), "\(text)")
    }

    @Test(
        "nc tells whether somebody listens, in the ways that people type it",
        .enabled(if: ImageCatalog.find("busybox") != nil, "there is no BusyBox on this machine"),
        arguments: ["-zv", "-z -v -w 3", "-vzw3", "-z"])
    func netcat(options: String) throws {
        let bed = try StoreBed()
        let folder = try #require(try bed.catalog.resolve("busybox").mounts.first?.hostPath)
        let listener = try PlainSocket.listen()
        let port = listener.port
        let says = options.contains("v")
        let open = try said("nc \(options) 127.0.0.1 \(port); echo $?", in: folder)
        #expect(open == (says ? "127.0.0.1 (127.0.0.1:\(port)) open\n" : "") + "0\n")
        let refused = try said("nc \(options) 127.0.0.1 1; echo $?", in: folder)
        #expect(refused == (says ? "nc: 127.0.0.1 (127.0.0.1:1): Connection refused\n" : "") + "1\n")
    }

    @Test(
        "the shell is BusyBox's own, and lets others go before it where ours are in PATH",
        .enabled(if: ImageCatalog.find("busybox") != nil, "there is no BusyBox on this machine"))
    func shell() throws {
        let bed = try StoreBed()
        let folder = try #require(try bed.catalog.resolve("alpine").mounts.first?.hostPath)
        let text = try said("echo -en 'a\\tb\\n'; type ls chown | cut -c1-20", in: folder)
        // There are builds of BusyBox whose shell has its own programs, and builds whose shell finds them in PATH.
        #expect(text.hasPrefix("a\tb\nls is ") && text.contains("\nchown is /"))
    }

    @Test("a copy of BusyBox with other names keeps the order that it looks them up in, or is not made")
    func renamed() {
        let list = ["cat", "nc", "netstat", "wget"]
        func program(_ names: [String]) -> [UInt8] { [7, 99, 0] + names.flatMap { Array($0.utf8) + [0] } + [99] }
        #expect(Applets.shell(program(list), list) == program(["cat", "nd", "netstat", "wgeu"]))
        #expect(Applets.shell(program(["cat", "nc", "nd"]), ["cat", "nc", "nd"]) == nil)
        #expect(Applets.shell(program(["cat"]), list) == nil)
    }

    /// What a script of a container prints that has the folder first in its PATH.
    private func said(_ script: String, in folder: String) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: folder + "/sh")
        process.arguments = ["-c", script]
        process.environment = ["PATH": folder + ":/usr/bin:/bin"]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        defer { process.waitUntilExit() }
        return String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    }

    @Test("the tag that the course breaks a rollout with is not there")
    func brokenTag() { #expect(throws: RuntimeError.self) { _ = try catalog.resolve("nginx:broken-tag") } }

    @Test("an image whose program is missing says what to do")
    func missing() throws {
        let empty = ImageCatalog(workloads: "/nosuch/Workloads")
        let error = #expect(throws: RuntimeError.self) { _ = try empty.resolve("web:1.0") }
        #expect(
            error
                == .imageNotFound(
                    reference: "web:1.0",
                    because: "rpc error: code = Unavailable desc = failed to pull and unpack image"
                        + " \"docker.io/library/web:1.0\": the program '/nosuch/Workloads' is missing; build it: make build"
                ))
        let entries = empty.entries.filter { $0.repository == "web" }
        #expect(entries.map(\.missing) == ["the program '/nosuch/Workloads' is missing; build it: make build"])
        #expect(catalog.entries.contains { $0.repository == "web" && $0.missing == nil })
    }

    @Test("the parts of a reference are told apart")
    func parts() throws {
        let digest = "sha256:" + String(repeating: "a", count: 64)
        let reference = try #require(ImageReference(parsing: "registry.example:5000/team/web:1.0@\(digest)"))
        #expect(reference.registry == "registry.example:5000")
        #expect(reference.repository == "team/web")
        #expect(reference.tag == "1.0")
        #expect(reference.digest == digest)
        #expect(ImageReference(parsing: "web@\(digest)")?.tag == nil)
    }
}
