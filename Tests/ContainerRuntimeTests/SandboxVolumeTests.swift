import ContainerRuntime
import Foundation
import Glibc
import Testing

@Suite(
    "Volumes in sandboxes", .serialized, .timeLimit(.minutes(5)),
    .enabled(if: SandboxBed.isPossible, "this machine denies namespaces, so there is no sandbox to test"))
struct SandboxVolumeTests {
    private func mount(
        _ path: String, subPath: String = "", memory: ContainerConfiguration.Mount.Memory? = nil
    ) -> ContainerConfiguration.Mount {
        var mount = ContainerConfiguration.Mount(hostPath: path, containerPath: "/data", isReadOnly: false)
        mount.subPath = subPath
        mount.memory = memory
        return mount
    }

    @Test(
        "a volume in memory is the pod's: shared by its containers, no larger than its limit, whose its folder is, gone with the pod"
    )
    func memory() async throws {
        try await SandboxBed.run { bed in
            let path = bed.folder + "/scratch"
            mkdir(path, 0o755)
            // Groups are given by root only; others have one of their own, which is 0 in their sandboxes.
            let group = SandboxBed.isRoot ? 4711 : 0
            if SandboxBed.isRoot { chown(path, .max, gid_t(group)) }
            chmod(path, 0o2777)
            let volume = mount(path, memory: .init(bytesMax: 1 << 20))
            let first = try await bed.output(
                "stat -f -c %T /data; stat -c %a:%g /data; echo shared > /data/file; head -c 2000000 /dev/zero > /data/big; stat -c %s /data/big; rm /data/big"
            ) { $0.mounts = [volume] }
            #expect(first.hasPrefix("tmpfs\n2777:\(group)\n") && first.contains("No space left on device"), "\(first)")
            #expect(first.contains("\n1044480\n"))
            let second = try await bed.output("cat /data/file; echo x > /data/mine", name: "second") {
                $0.mounts = [volume]
                $0.runAsUser = 1000
            }
            #expect(second == "shared\n")
            // The host's folder has stayed empty, and so has that of the same pod after its end.
            #expect(access(path + "/file", F_OK) != 0)
            await bed.runtime.removePodSandbox("a")
            try await bed.makePod("a")
            let third = try await bed.output("ls -A /data", name: "third") { $0.mounts = [volume] }
            #expect(third.isEmpty, "\(third)")
        }
    }

    @Test("a part of a volume that is missing is made, with the volume's mode", arguments: [false, true])
    func subPath(isMemory: Bool) async throws {
        try await SandboxBed.run { bed in
            let path = bed.folder + "/volume"
            mkdir(path, 0o755)
            chmod(path, 0o777)
            let volume = mount(path, subPath: "logs/web-0", memory: isMemory ? .init() : nil)
            let text = try await bed.output("stat -c %a /data; echo x > /data/file; cat /all/logs/web-0/file") {
                var all = volume
                all.subPath = ""
                all.containerPath = "/all"
                $0.mounts = [volume, all]
                $0.runAsUser = 1000
            }
            #expect(text == "777\nx\n")
        }
    }

    @Test(
        "a volume is put where the host's system has no folder, and what a program writes into the system is its own",
        arguments: [nil, 1000])
    func inSystemFolders(user: Int?) async throws {
        try await SandboxBed.run { bed in
            let path = bed.folder + "/volume"
            mkdir(path, 0o755)
            let places = [
                "/usr/share/velocity-pod", "/usr/lib/velocity-pod/deep", "/etc/velocity-pod",
                "/etc/ssl/certs/velocity-pod",
                "/opt/velocity-pod", "/bin/velocity-pod",
            ]
            let script = places.map { "echo \($0) > \($0)/x; cat \($0)/x" }.joined(separator: "; ")
            let text = try await bed.output(script) {
                $0.mounts = places.map { .init(hostPath: path, containerPath: $0, isReadOnly: false) }
            }
            #expect(text == places.joined(separator: "\n") + "\n", "\(text)")
            let tool = "/usr/local/bin/velocity-tool"
            let written = try await bed.output(
                "printf '#!/bin/sh\necho ran' > \(tool) && chmod 755 \(tool) && velocity-tool", name: "tool"
            ) { $0.runAsUser = SandboxBed.isRoot ? nil : user }
            #expect(written == "ran\n", "\(written)")
            #expect(access(tool, F_OK) != 0 && places.allSatisfy { access($0, F_OK) != 0 })
        }
    }

    @Test("what a container writes into the host's system counts as its own storage, and a read-only root refuses it")
    func writtenBytes() async throws {
        try await SandboxBed.run { bed in
            let id = try await bed.start("head -c 3000000 /dev/zero > /usr/local/share/big; echo ready; exec sleep 100")
            try await bed.wait(for: "ready")
            #expect((3_000_000..<4_000_000).contains(bed.runtime.writtenBytes(of: id) ?? 0))
            let text = try await bed.output("echo x 2>&1 > /usr/local/share/x || true", name: "second") {
                $0.security.hasReadOnlyRoot = true
            }
            #expect(text.contains("Read-only file system"), "\(text)")
        }
    }

    @Test(
        "the pages of nginx belong to the user it runs as", .enabled(if: access("/usr/share/nginx/html", F_OK) == 0))
    func ownedFolders() async throws {
        try await SandboxBed.run { bed in
            let text = try await bed.output(
                "cd /usr/share/nginx/html; for f in *; do echo mine > $f; done; echo two > two.html; cat *",
                image: "nginx")
            #expect(text == "mine\ntwo\n", "\(text)")
        }
    }

    @Test("what is written into the folder in memory is seen in pods, now and later, and never lies on the disk")
    func memoryFolder() async throws {
        try await SandboxBed.run { bed in
            let place = bed.folder + "/memory"
            let folder = try #require(await bed.runtime.memoryFolder(over: place))
            #expect(await bed.runtime.memoryFolder(over: place) === folder)
            mkdir(folder.path + "/token", 0o755)
            try "one\n".write(toFile: folder.path + "/token/text", atomically: false, encoding: .utf8)
            let id = try await bed.start("cat /token/text; while ! grep -q two /token/text; do :; done; echo seen") {
                $0.mounts = [.init(hostPath: place + "/token", containerPath: "/token", isReadOnly: true)]
            }
            try await bed.wait(for: "one")
            try "two\n".write(toFile: folder.path + "/token/text", atomically: false, encoding: .utf8)
            #expect(await bed.runtime.waitForExit(id).code == 0)
            #expect(access(place + "/token", F_OK) != 0)
        }
    }

    @Test("no link in a volume leads out of it, and one inside it is followed")
    func links() async throws {
        try await SandboxBed.run { bed in
            let path = bed.folder + "/volume"
            mkdir(path, 0o755)
            mkdir(bed.folder + "/outside", 0o755)
            mkdir(path + "/real", 0o755)
            symlink("../outside", path + "/up")
            symlink("real", path + "/link")
            _ = try await bed.output("echo x > /data/file") { $0.mounts = [mount(path, subPath: "up")] }
            #expect(access(bed.folder + "/outside/file", F_OK) != 0)
            _ = try await bed.output("echo x > /data/file", name: "b") { $0.mounts = [mount(path, subPath: "link")] }
            #expect(access(path + "/real/file", F_OK) == 0)
        }
    }
}
