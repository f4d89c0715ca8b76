import Foundation
import KubeModel
import Testing

@testable import ContainerRuntime

@Suite("Loading images", .timeLimit(.minutes(5))) struct ImageLoadTests {
    private let bed: StoreBed
    init() throws { bed = try StoreBed() }

    private static let layer = Archives.tar {
        $0.add("bin/", kind: "5", mode: 0o755)
        $0.add("bin/app", text: "#!", mode: 0o755)
        $0.add("bin/again", kind: "1", target: "bin/app")
        $0.add("sh", kind: "2", target: "bin/app")
    }

    @Test("what docker save writes is taken in: names, configuration, files and links", arguments: [false, true])
    func docker(isPacked: Bool) throws {
        let archive = Archives.docker(
            ["web:1.0", "localhost:5000/web:latest"],
            [
                "Entrypoint": ["/bin/app"], "Cmd": ["serve"], "Env": ["A=b"], "WorkingDir": "/srv", "User": "7",
                "StopSignal": "SIGQUIT",
            ], layers: [Self.layer])
        let loaded = try bed.load(isPacked ? Archives.gzip(archive) : archive)
        #expect(loaded.map(\.references) == [["docker.io/library/web:1.0", "localhost:5000/web:latest"]])
        let recipe = try bed.catalog.resolve("web:1.0")
        #expect(recipe.image.entrypoint == ["/bin/app"] && recipe.image.command == ["serve"])
        #expect(recipe.image.environment == ["A=b"] && recipe.image.workingDirectory == "/srv")
        #expect(recipe.image.user == 7 && recipe.image.stopSignal == 3)
        #expect(recipe.image.digest == "docker.io/library/web@\(loaded[0].digest)")
        #expect(try bed.text("/bin/again", in: "web:1.0") == "#!")
        let view = try bed.view("web:1.0")
        #expect(view.entry("/sh")?.target == "bin/app" && view.entry("/bin/app")?.mode == 0o755)
        #expect(try bed.catalog.resolve("web@\(loaded[0].digest)").image.digest == recipe.image.digest)
        #expect(bed.catalog.isStored("library/web:1.0") && !bed.catalog.isStored("web:2.0"))
    }

    @Test(
        "a user and a group by name are those of the image's own accounts",
        arguments: [
            ("nobody", 99, nil, [98, 50]), ("nobody:staff", 99, 50, [98, 50]), ("99", 99, nil, [98, 50]),
            ("7:3", 7, 3, [0]),
        ] as [(String, Int, Int?, [Int])])
    func users(user: String, number: Int, group: Int?, groups: [Int]) throws {
        let accounts = Archives.tar {
            $0.add("etc/passwd", text: "root:x:0:0::/:/bin/sh\nnobody:x:99:98::/:/bin/sh\n")
            $0.add("etc/group", text: "root:x:0:\nstaff:x:50:root,nobody\nothers:x:51:root\n")
        }
        _ = try bed.load(Archives.docker(["web:1.0"], ["User": .string(user)], layers: [accounts]))
        let recipe = try bed.catalog.resolve("web:1.0")
        #expect(recipe.image.user == number && recipe.image.group == group)
        #expect(recipe.image.userName == (user.hasPrefix("nobody") ? "nobody" : nil))
        #expect(ImageCatalog.groups(of: number, recipe.layers) == groups)
    }

    @Test("a user whom the image does not have is named")
    func unknownUser() throws {
        _ = try bed.load(Archives.docker(["web:1.0"], ["User": "ghost"], layers: [Self.layer]))
        let error = #expect(throws: RuntimeError.self) { try bed.catalog.resolve("web:1.0") }
        #expect(
            error
                == .system(
                    "unable to find user ghost: the image 'docker.io/library/web:1.0' has no such user in /etc/passwd"))
    }

    @Test("of an index, the image for this machine is taken, and its digest is the manifest's own")
    func layout() throws {
        let archive = Archives.layout(
            name: "web:2.0", layers: [Self.layer], machines: ["riscv64", ImageConfig.machine])
        let loaded = try bed.load(archive)
        #expect(loaded.map(\.references) == [["docker.io/library/web:2.0"]])
        #expect(try bed.catalog.resolve("web:2.0").image.command == ["/bin/\(ImageConfig.machine)"])
        #expect(try bed.text("/bin/app", in: "web:2.0") == "#!")
        let error = #expect(throws: ImageError.self) {
            try bed.load(Archives.layout(name: "web:2.0", layers: [Self.layer], machines: ["riscv64", "s390x"]))
        }
        #expect(
            error?.message
                == "'image.tar' has no image for linux/\(ImageConfig.machine); it has: linux/riscv64, linux/s390x.")
    }

    @Test("a name of one's own takes the place of those in the archive, and is needed where it has none")
    func names() throws {
        let archive = Archives.docker([], layers: [Self.layer])
        let error = #expect(throws: ImageError.self) { try bed.load(archive) }
        #expect(
            error?.description
                == "'image.tar' does not say what its image is called.\nhint: Name it: --name web:1.0")
        #expect(try bed.load(archive, as: "mine:1").first?.references == ["docker.io/library/mine:1"])
        #expect(throws: ImageError.self) { try bed.load(archive, as: "Mine") }
    }

    @Test("a layer removes what lower ones have: one name, or all of a folder")
    func whiteouts() throws {
        let lower = Archives.tar { tar in
            for path in ["a/keep", "a/gone", "b/old", "c/x", "d/sub/deep"] { tar.add(path, text: "1") }
        }
        let upper = Archives.tar { tar in
            tar.add("a/.wh.gone", text: "")
            tar.add("b/.wh..wh..opq", text: "")
            tar.add("b/new", text: "2")
            tar.add(".wh.c", text: "")
            tar.add("d/.wh.sub", text: "")
            tar.add("d/sub/", kind: "5", mode: 0o755)
            tar.add("d/sub/other", text: "2")
        }
        try bed.load(Archives.docker(["w:1"], layers: [lower, upper]))
        let view = try bed.view("w:1")
        #expect(view.names(in: "/") == ["a", "b", "d"])
        #expect(view.names(in: "/a") == ["keep"])
        #expect(view.names(in: "/b") == ["new"])
        #expect(view.names(in: "/d/sub") == ["other"])
        #expect(view.entry("/c/x") == nil && view.entry("/d/sub/deep") == nil)
    }

    @Test("long names come through, in the way of pax and in that of GNU")
    func longNames() throws {
        let one = (0..<12).map { "folder-number-\($0)" }.joined(separator: "/") + "/pax"
        let other = String(repeating: "n", count: 200)
        let layer = Archives.tar { tar in
            tar.addExtended(["path": one, "mtime": "1700000000.5"])
            tar.add("short", text: "1")
            tar.add("././@LongLink", Array(other.utf8) + [0], kind: "L")
            tar.add("short", text: "2")
        }
        try bed.load(Archives.docker(["long:1"], layers: [layer]))
        #expect(try bed.text("/" + one, in: "long:1") == "1")
        #expect(try bed.text("/" + other, in: "long:1") == "2")
    }

    @Test(
        "a path that leads out is refused, and nothing is written",
        arguments: ["../out", "a/../../out", "/../out", "a/.."])
    func traversal(path: String) throws {
        let layer = Archives.tar { $0.add(path, text: "x") }
        let error = #expect(throws: ImageError.self) { try bed.load(Archives.docker(["bad:1"], layers: [layer])) }
        #expect(
            error?.message == "'image.tar: l0/layer.tar' holds the path '\(path)', which leads out of the image.")
        #expect(!bed.catalog.isStored("bad:1"))
        #expect(bed.store.names("/layers").isEmpty && bed.store.names("/new").isEmpty)
    }

    @Test("a link that leads out is followed within the image only")
    func links() throws {
        let victim = bed.folder + "/victim"
        try FileManager.default.createDirectory(atPath: victim, withIntermediateDirectories: true)
        let layer = Archives.tar { tar in
            tar.add("evil", kind: "2", target: victim)
            tar.add("evil/file", text: "x")
            tar.add("up", kind: "2", target: "../../../../../../../../../..\(victim)")
            tar.add("up/other", text: "x")
        }
        try bed.load(Archives.docker(["bad:1"], layers: [layer]))
        #expect(try FileManager.default.contentsOfDirectory(atPath: victim).isEmpty)
        #expect(try bed.text(victim + "/file", in: "bad:1") == "x")
    }

    @Test("a hard link leads to nothing outside")
    func hardLinks() throws {
        let secret = bed.folder + "/secret"
        try Data("secret".utf8).write(to: URL(fileURLWithPath: secret))
        let layer = Archives.tar { $0.add("mine", kind: "1", target: secret) }
        let error = #expect(throws: ImageError.self) { try bed.load(Archives.docker(["bad:1"], layers: [layer])) }
        #expect(
            error?.message
                == "'image.tar: l0/layer.tar' links 'mine' to '\(secret)', which is not in the archive.")
    }

    @Test(
        "layers packed with zstd are unpacked, whole ones only",
        .enabled(if: ZstdBytes.Library.host != nil, "this machine has no libzstd"))
    func zstd() throws {
        let big = Archives.tar { $0.add("big", text: String(repeating: "0123456789abcdef", count: 40_000)) }
        let archive = Archives.layout(
            name: "z:1", layers: [Self.layer, big], machines: [ImageConfig.machine], packing: Archives.zstd)
        try bed.load(archive)
        #expect(try bed.text("/big", in: "z:1")?.utf8.count == 640_000)
        try bed.load(Archives.zstd(archive), as: "again:1")
        #expect(bed.store.all().map(\.reference).sorted().first == "docker.io/library/again:1")
        for (cut, word) in [
            (Array(Archives.zstd(archive).dropLast(600)), "cut off"), ([0x28, 0xB5, 0x2F, 0xFD, 8, 7], "damaged"),
        ] {
            let error = #expect(throws: ImageError.self) { try bed.load(cut) }
            #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
        }
    }

    @Test("where libzstd is missing, it is named")
    func noZstd() throws {
        let error = #expect(throws: ImageError.self) {
            _ = try ZstdBytes(FileBytes(-1, name: "x.tar"), name: "x.tar", library: .init("libnosuch.so.1"))
        }
        #expect(error?.message == "'x.tar' is packed with zstd, and this machine has no libzstd to unpack it.")
        #expect(error?.hint == "sudo apt-get install libzstd1")
    }

    @Test("a device is refused, except below /dev, where containers have their own")
    func devices() throws {
        let layer = Archives.tar { $0.add("tmp/sda", kind: "4") }
        let error = #expect(throws: ImageError.self) { try bed.load(Archives.docker(["bad:1"], layers: [layer])) }
        #expect(
            error?.message
                == "'image.tar: l0/layer.tar' holds the device '/tmp/sda', which no container here may have.")
        try bed.load(Archives.docker(["good:1"], layers: [Archives.tar { $0.add("dev/null", kind: "3") }]))
        #expect(try bed.view("good:1").entry("/dev/null") == nil)
    }

    @Test("what is no archive of images, damaged or for another machine, is said in one sentence")
    func refusals() throws {
        func message(_ bytes: [UInt8]) throws -> String {
            #expect(throws: ImageError.self) { try bed.load(bytes, as: "x:1") }?.message ?? ""
        }
        #expect(try message([]) == "'image.tar' is empty.")
        #expect(try message(Array("hello".utf8)) == "'image.tar' cannot be read: it is cut off.")
        #expect(
            try message(Array(String(repeating: "x", count: 600).utf8))
                == "'image.tar' cannot be read: it is no tar archive, or cut off.")
        #expect(
            try message(Archives.tar { $0.add("a", text: "b") })
                == "'image.tar' is no archive of images: it has neither 'manifest.json' (docker save) nor 'index.json' (OCI)."
        )
        #expect(
            try message([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0]) == "'image.tar' is cut off: its xz data has no end.")
        let good = Archives.docker(["x:1"], layers: [Self.layer])
        #expect(try message(Array(Archives.gzip(good).dropLast(600))).contains("is cut off"))
        #expect(
            try message(Archives.docker(["x:1"], layers: [Self.layer], machine: "sparc"))
                == "'image.tar' holds an image for sparc; this machine is \(ImageConfig.machine).")
        var spoiled = good
        let place = try #require(spoiled.indices.first { spoiled[$0...].starts(with: Array("#!".utf8)) })
        spoiled[place] = UInt8(ascii: "$")
        #expect(try message(spoiled).hasPrefix("'image.tar: l0/layer.tar' is damaged: its digest is sha256:"))
        #expect(bed.store.names("/layers").isEmpty)
    }

    @Test("what nothing needs any more goes; what a container holds stays until it lets go")
    func garbage() throws {
        let other = Archives.tar { $0.add("only", text: String(repeating: "z", count: 1000)) }
        try bed.load(Archives.docker(["a:1"], layers: [Self.layer, other]))
        try bed.load(Archives.docker(["b:1"], layers: [Self.layer]))
        let layer = Digest(of: other)
        let holds = LayerHolds()
        #expect(holds.hold([layer], of: bed.store))
        #expect(try bed.store.remove("a:1", besides: bed.catalog).familiar == "a:1")
        #expect(bed.store.has(layer))
        holds.release([layer])
        #expect(try bed.store.prune() == 1000)
        #expect(!bed.store.has(layer) && bed.store.has(Digest(of: Self.layer)))
        #expect(!holds.hold([layer], of: bed.store))
        let error = #expect(throws: ImageError.self) { try bed.store.remove("a:1", besides: bed.catalog) }
        #expect(error?.message == "There is no image 'a:1'.")
        #expect(throws: ImageError.self) { try bed.store.remove("busybox", besides: bed.catalog) }
    }

    @Test("what a killed process has left half made goes with the next one's work, what is in work stays")
    func sweeping() throws {
        try bed.load(Archives.docker(["a:1"], layers: [Self.layer]))
        let left = bed.store.path + "/new/work-left"
        try FileManager.default.createDirectory(atPath: left + "/layer/tree", withIntermediateDirectories: true)
        try Data().write(to: URL(fileURLWithPath: left + "/lock"))
        let workshop = try ImageStore.Workshop(in: bed.store)
        #expect(bed.store.names("/new") == [workshop.path.split(separator: "/").last.map(String.init)])
        let other = try ImageStore.Workshop(in: bed.store)
        #expect(bed.store.names("/new").count == 2 && other.path != workshop.path)
    }

    @Test("the list says of each image where it comes from and what it runs")
    func list() throws {
        try bed.load(Archives.docker(["quay.io/me/a:1"], ["Cmd": ["/bin/app", "x"]], layers: [Self.layer]))
        let entry = try #require(bed.catalog.entries.first { $0.origin == "loaded" })
        #expect(entry.repository == "quay.io/me/a" && entry.tags == "1" && entry.runs == "/bin/app x")
        #expect(entry.bytes == 2 && entry.missing == nil)
        #expect(bed.catalog.entries.contains { $0.origin == "built in" && $0.repository == "busybox" })
    }
}
