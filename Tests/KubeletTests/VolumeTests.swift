import ContainerRuntime
import Foundation
import Glibc
import KubeClient
import KubeModel
import Testing

@testable import Kubelet

@Suite("Volumes", .timeLimit(.minutes(5))) struct VolumeTests {
    private func spec(_ source: JSONValue, mount: JSONValue = [:]) -> JSONValue {
        var volume: JSONValue = ["name": "files"]
        for (key, value) in source.object ?? [:] { volume[key] = value }
        var place: JSONValue = ["name": "files", "mountPath": "/files"]
        for (key, value) in mount.object ?? [:] { place[key] = value }
        return [
            "volumes": [volume],
            "containers": [
                ["name": "main", "image": "web:1.0", "volumeMounts": [place]],
                ["name": "other", "image": "web:1.0", "volumeMounts": [place]],
            ],
        ]
    }

    private func make(_ bed: KubeletBed, _ resource: ResourceType, _ data: JSONValue) async throws {
        var object = KubeObject(resource, namespace: "default", name: "source")
        object.value["data"] = data
        _ = try await bed.client.create(resource, object)
    }

    private func mount(_ bed: KubeletBed, _ container: String = "main") throws -> ContainerConfiguration.Mount {
        try #require(bed.runtime.configuration(of: container)?.mounts.first)
    }

    private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    @Test("an emptyDir is one empty folder that the pod's containers share, and stays over restarts")
    func emptyDir() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let ready = try await bed.ready(try await bed.makePod("web", spec(["emptyDir": [:]])))
            let mount = try mount(bed)
            #expect(mount.containerPath == "/files")
            #expect(!mount.isReadOnly)
            #expect(try self.mount(bed, "other").hostPath == mount.hostPath)
            #expect(try FileManager.default.contentsOfDirectory(atPath: mount.hostPath).isEmpty)
            try "kept".write(toFile: mount.hostPath + "/note", atomically: true, encoding: .utf8)
            bed.runtime.exit("main", code: 1)
            _ = try await bed.version(from: ready, "again") { $0.restartCount == 1 && $0.isReady }
            #expect(try text(try self.mount(bed).hostPath + "/note") == "kept")
        }
    }

    @Test(
        "a path of the node is made where the volume says so, or does not say what it is",
        arguments: ["DirectoryOrCreate", "FileOrCreate", ""])
    func madePath(type: String) async throws {
        let bed = try KubeletBed()
        let path = bed.directory + "/made"
        try await bed.run {
            let spec = spec(["hostPath": ["path": .string(path), "type": .string(type)]])
            _ = try await bed.ready(try await bed.makePod("web", spec))
            #expect(try mount(bed).hostPath == path)
            var isFolder: ObjCBool = false
            #expect(FileManager.default.fileExists(atPath: path, isDirectory: &isFolder))
            #expect(isFolder.boolValue == (type != "FileOrCreate"))
        }
    }

    @Test(
        "a path of the node that is not what the volume says keeps the pod from starting",
        arguments: [
            ("/none", "Directory", "hostPath DIR/none doesn't exist"),
            ("", "File", "hostPath type check failed: DIR is not a file, it's a Directory"),
            ("", "Socket", "hostPath type check failed: DIR is not a socket file, it's a Directory"),
        ])
    func wrongPath(path: String, type: String, message: String) async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let spec = spec(["hostPath": ["path": .string(bed.directory + path), "type": .string(type)]])
            let made = try await bed.makePod("web", spec)
            let shown = message.replacing("DIR", with: bed.directory)
            try await bed.event("FailedMount", "MountVolume.SetUp failed for volume \"files\" : \(shown)", about: made)
            #expect(!bed.runtime.calls.contains(.start("main", attempt: 0)))
        }
    }

    @Test("a ConfigMap's keys are files; readOnly and subPath of the mount are passed on")
    func configMap() async throws {
        let bed = try KubeletBed()
        try await make(bed, .configMaps, ["a.conf": "one\n", "b.conf": "two\n"])
        try await bed.run {
            let spec = spec(["configMap": ["name": "source"]], mount: ["readOnly": true, "subPath": "a.conf"])
            _ = try await bed.ready(try await bed.makePod("web", spec))
            let mount = try mount(bed)
            #expect(mount.isReadOnly)
            #expect(mount.subPath == "a.conf")
            let folder = mount.hostPath
            #expect(try text(folder + "/a.conf") == "one\n")
            #expect(try text(folder + "/b.conf") == "two\n")
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder + "/b.conf") == "..data/b.conf")
        }
    }

    @Test("items choose keys, and say where they go")
    func items() async throws {
        let bed = try KubeletBed()
        try await make(bed, .configMaps, ["a": "one", "b": "two"])
        try await bed.run {
            let items: JSONValue = [["key": "a", "path": "deep/er/a.txt"]]
            _ = try await bed.ready(
                try await bed.makePod("web", spec(["configMap": ["name": "source", "items": items]])))
            let path = try mount(bed).hostPath
            #expect(try text(path + "/deep/er/a.txt") == "one")
            #expect(!FileManager.default.fileExists(atPath: path + "/b"))
        }
    }

    @Test("a Secret's values are decoded into files")
    func secret() async throws {
        let bed = try KubeletBed()
        try await make(bed, .secrets, ["password": "czNjcmV0"])
        try await bed.run {
            _ = try await bed.ready(try await bed.makePod("web", spec(["secret": ["secretName": "source"]])))
            #expect(try text(try mount(bed).hostPath + "/password") == "s3cret")
        }
    }

    @Test("a projected volume puts several sources into one folder")
    func projected() async throws {
        let bed = try KubeletBed()
        try await make(bed, .configMaps, ["a": "one"])
        try await make(bed, .secrets, ["password": "czNjcmV0"])
        try await bed.run {
            let sources: JSONValue = [
                ["configMap": ["name": "source"]], ["secret": ["name": "source"]],
                ["downwardAPI": ["items": [["path": "name", "fieldRef": ["fieldPath": "metadata.name"]]]]],
            ]
            _ = try await bed.ready(try await bed.makePod("web", spec(["projected": ["sources": sources]])))
            let path = try mount(bed).hostPath
            #expect(try text(path + "/a") == "one")
            #expect(try text(path + "/password") == "s3cret")
            #expect(try text(path + "/name") == "web")
        }
    }

    @Test("files have the mode of their item, or of their volume; a group of the pod can read them")
    func modes() async throws {
        let bed = try KubeletBed()
        try await make(bed, .configMaps, ["a": "one", "b": "two"])
        try await bed.run {
            let items: JSONValue = [["key": "a", "path": "a", "mode": 0o400], ["key": "b", "path": "deep/b"]]
            let source: JSONValue = ["configMap": ["name": "source", "items": items, "defaultMode": 0o600]]
            var pod = spec(source)
            _ = try await bed.ready(try await bed.makePod("web", pod))
            let path = try mount(bed).hostPath
            func mode(_ file: String) throws -> Int? {
                let real = URL(fileURLWithPath: file).resolvingSymlinksInPath().path
                return try FileManager.default.attributesOfItem(atPath: real)[.posixPermissions] as? Int
            }
            #expect(try mode(path + "/a") == 0o400)
            #expect(try mode(path + "/deep/b") == 0o600)
            pod["securityContext"] = ["fsGroup": 1001]
            _ = try await bed.ready(try await bed.makePod("grouped", pod))
            let grouped = try mount(bed).hostPath
            #expect(grouped != path)
            #expect(try mode(grouped + "/a") == 0o440)
            #expect(try mode(grouped + "/deep/b") == 0o640)
        }
    }

    @Test(
        "a token is for the pod's user and group only, if it has one",
        arguments: [
            (["runAsUser": 1000], 0o600), (["fsGroup": 1001], 0o640), (["runAsUser": 1000, "fsGroup": 1001], 0o640),
            ([:], 0o644),
        ] as [(JSONValue, Int)])
    func tokenMode(context: JSONValue, mode: Int) async throws {
        let bed = try KubeletBed()
        _ = try? await bed.client.create(
            .serviceAccounts, KubeObject(.serviceAccounts, namespace: "default", name: "default"))
        try await bed.run {
            var pod = spec(["projected": ["sources": [["serviceAccountToken": ["path": "token"]]]]])
            pod["securityContext"] = context
            _ = try await bed.ready(try await bed.makePod("web", pod))
            let file = try mount(bed).hostPath + "/..data/token"
            let facts = try FileManager.default.attributesOfItem(atPath: file)
            #expect(facts[.posixPermissions] as? Int == mode)
            // Only root can give files away.
            if getuid() == 0 {
                #expect(facts[.ownerAccountID] as? Int == context["runAsUser"]?.int ?? 0)
                #expect(facts[.groupOwnerAccountID] as? Int == context["fsGroup"]?.int ?? 0)
            }
        }
    }

    @Test("an empty folder is the group's that the pod names, and so is what is made in it")
    func emptyGroup() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            var pod = spec(["emptyDir": [:]])
            pod["securityContext"] = ["fsGroup": 4242]
            _ = try await bed.ready(try await bed.makePod("web", pod))
            let facts = try FileManager.default.attributesOfItem(atPath: try mount(bed).hostPath)
            #expect(facts[.posixPermissions] as? Int == (getuid() == 0 ? 0o2777 : 0o777))
            if getuid() == 0 { #expect(facts[.groupOwnerAccountID] as? Int == 4242) }
        }
    }

    @Test("local storage becomes the group's that the pod names, with all that is in it, but not what links lead to")
    func localGroup() throws {
        let files = FileManager.default
        let place = files.temporaryDirectory.path + "/\(UUID().uuidString)"
        try files.createDirectory(atPath: place + "/volume/deep", withIntermediateDirectories: true)
        defer { try? files.removeItem(atPath: place) }
        for name in ["outside", "volume/deep/file"] {
            #expect(files.createFile(atPath: "\(place)/\(name)", contents: nil))
            chmod("\(place)/\(name)", 0o600)
        }
        chmod(place + "/volume", 0o750)
        try files.createSymbolicLink(atPath: place + "/volume/link", withDestinationPath: place + "/outside")
        // Only root can give files away.
        let group = getuid() == 0 ? 1001 : Int(getgid())
        func facts(_ name: String) throws -> [Int?] {
            let facts = try files.attributesOfItem(atPath: "\(place)/\(name)")
            return [facts[.posixPermissions] as? Int, facts[.groupOwnerAccountID] as? Int]
        }
        let outside = try facts("outside")
        VolumeOwnership.give(place + "/volume", to: group)
        #expect(try facts("volume") == [0o2770, group])
        #expect(try facts("volume/deep") == [0o2775, group])
        #expect(try facts("volume/deep/file") == [0o660, group])
        #expect(try facts("outside") == outside)
        // It is the group's already.
        chmod(place + "/volume/deep/file", 0o600)
        VolumeOwnership.give(place + "/volume", to: group)
        #expect(try facts("volume/deep/file") == [0o600, group])
    }

    @Test("labels that a volume shows are written anew when they change")
    func labels() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let items: JSONValue = [["path": "labels", "fieldRef": ["fieldPath": "metadata.labels"]]]
            _ = try await bed.ready(try await bed.makePod("web", spec(["downwardAPI": ["items": items]])))
            let path = try mount(bed).hostPath
            let changes = try FolderChanges(path)
            let patch: JSONValue = ["metadata": ["labels": ["tier": "gold"]]]
            _ = try await bed.client.patch(
                .pods, namespace: "default", name: "web", .merge(patch), subresource: nil, options: WriteOptions())
            try await changes.wait { _ in (try? text(path + "/labels"))?.contains("tier=\"gold\"") ?? false }
        }
    }

    @Test("a source that is missing is told in FailedMount; the container waits in ContainerCreating until it comes")
    func missing() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let made = try await bed.makePod("web", spec(["configMap": ["name": "source"]]))
            let event = try await bed.event("FailedMount", about: made)
            #expect(
                event.value["message"]
                    == "MountVolume.SetUp failed for volume \"files\" : configmap \"source\" not found")
            #expect(event.value[["involvedObject", "fieldPath"]] == nil)
            #expect(
                Pod(try await bed.client.get(.pods, "web", in: "default")).waitingReason() == "ContainerCreating")
            #expect(!bed.runtime.calls.contains(.start("main", attempt: 0)))
            try await make(bed, .configMaps, ["a": "one"])
            _ = try await bed.ready(made)
        }
    }

    @Test("a source that is optional is an empty folder while it is missing")
    func optional() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let source: JSONValue = ["configMap": ["name": "source", "optional": true]]
            _ = try await bed.ready(try await bed.makePod("web", spec(source)))
            let path = try mount(bed).hostPath
            #expect(!FileManager.default.fileExists(atPath: path + "/a"))
            let changes = try FolderChanges(path)
            try await make(bed, .configMaps, ["a": "one"])
            try await changes.wait { $0.contains("a") }
            try await bed.client.delete(.configMaps, namespace: "default", name: "source", options: DeleteOptions())
            try await changes.wait { !$0.contains("a") }
        }
    }

    @Test(
        "a change of a ConfigMap or Secret comes to the pods that have it, whole and in one step",
        arguments: [ResourceType.configMaps, .secrets])
    func update(_ resource: ResourceType) async throws {
        let bed = try KubeletBed()
        @Sendable func value(_ text: String) -> JSONValue {
            .string(resource == .secrets ? Data(text.utf8).base64EncodedString() : text)
        }
        try await make(bed, resource, ["a": value("one"), "b": value("two")])
        try await bed.run {
            let member = resource == .secrets ? "secret" : "configMap"
            let reference: JSONValue = resource == .secrets ? ["secretName": "source"] : ["name": "source"]
            _ = try await bed.ready(try await bed.makePod("web", spec([member: reference])))
            let path = try mount(bed).hostPath
            #expect(try text(path + "/a") == "one")
            let before = try FileManager.default.destinationOfSymbolicLink(atPath: path + "/..data")
            let changes = try FolderChanges(path)
            let patch: JSONValue = ["data": ["a": value("new"), "b": nil, "c": value("three")]]
            _ = try await bed.client.patch(
                resource, namespace: "default", name: "source", .merge(patch), subresource: nil, options: WriteOptions()
            )
            try await changes.wait { FileManager.default.fileExists(atPath: path + "/c") && !$0.contains("b") }
            #expect(try text(path + "/a") == "new" && text(path + "/c") == "three")
            let after = try FileManager.default.destinationOfSymbolicLink(atPath: path + "/..data")
            #expect(after != before)
            try await changes.wait { !$0.contains(before) }
        }
    }
}

/// Waits for changes in a folder.
private final class FolderChanges {
    private let path: String
    private let handle: FileHandle
    private let events: AsyncStream<Void>

    init(_ path: String) throws {
        self.path = path
        let descriptor = inotify_init1(Int32(IN_CLOEXEC))
        let watch = inotify_add_watch(descriptor, path, UInt32(IN_CREATE | IN_DELETE | IN_MOVED_TO))
        try #require(watch >= 0)
        handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        let continuation: AsyncStream<Void>.Continuation
        (events, continuation) = AsyncStream.makeStream()
        handle.readabilityHandler = { handle in
            _ = handle.availableData
            continuation.yield()
        }
    }

    deinit { handle.readabilityHandler = nil }

    /// Returns when the names in the folder are as wanted.
    func wait(_ isMet: ([String]) -> Bool) async throws {
        if isMet(try FileManager.default.contentsOfDirectory(atPath: path)) { return }
        for await _ in events where isMet(try FileManager.default.contentsOfDirectory(atPath: path)) { return }
    }
}
