import ContainerRuntime
import Glibc
import LabTesting
import Testing

@testable import Cluster

@Suite("Where things are kept", .timeLimit(.minutes(5))) struct VelocityHomeTests {
    @Test(
        "VELOCITY_HOME goes first, then XDG_STATE_HOME, then HOME; empty ones do not count",
        arguments: [
            (["VELOCITY_HOME": "/v", "XDG_STATE_HOME": "/x", "HOME": "/h"], "/v"),
            (["VELOCITY_HOME": "", "XDG_STATE_HOME": "/x", "HOME": "/h"], "/x/velocitylab"),
            (["XDG_STATE_HOME": "", "HOME": "/h"], "/h/.local/state/velocitylab"),
        ])
    func places(environment: [String: String], path: String) throws {
        #expect(try VelocityHome(environment: environment).path == path)
    }

    @Test("a relative VELOCITY_HOME starts in the working folder")
    func relative() throws {
        let path = try VelocityHome(environment: ["VELOCITY_HOME": "state"]).path
        #expect(path.hasPrefix("/"))
        #expect(path.hasSuffix("/state"))
    }

    @Test("without any of them there is no place, and the hint says which to set")
    func nowhere() {
        let error = #expect(throws: ClusterError.self) { try VelocityHome(environment: [:]) }
        #expect(
            error?.description
                == "There is no place to keep progress: neither VELOCITY_HOME nor HOME is set.\n"
                + "hint: Set VELOCITY_HOME to a folder of yours.")
    }

    @Test("the folder is made with those above it, for its owner only, and once is enough")
    func prepare() async throws {
        try await withTemporaryFolder { folder in
            let home = VelocityHome(path: "\(folder)/a/b")
            try home.prepare()
            try home.prepare()
            var information = stat()
            #expect(stat(home.path, &information) == 0)
            #expect(information.st_mode & 0o777 == 0o700)
        }
    }

    @Test("a file in the way is named", arguments: ["", "/below"])
    func fileInTheWay(rest: String) async throws {
        try await withTemporaryFolder { folder in
            try Directory.write([], to: "\(folder)/file")
            let error = #expect(throws: ClusterError.self) { try VelocityHome(path: "\(folder)/file\(rest)").prepare() }
            #expect(error?.message == "The folder '\(folder)/file' cannot be made: Not a directory.")
            #expect(error?.hint == "Set VELOCITY_HOME to a folder that you can write to.")
        }
    }

    @Test(
        "a folder of somebody else's is named, and how to make it one's own",
        .enabled(if: geteuid() != 0, "root may write everywhere"))
    func notWritable() async throws {
        try await withTemporaryFolder { folder in
            chmod(folder, 0o500)
            defer { chmod(folder, 0o700) }
            let error = #expect(throws: ClusterError.self) { try VelocityHome(path: folder).prepare() }
            #expect(error?.message == "The folder '\(folder)' cannot be written: Permission denied.")
            #expect(error?.hint == "Make it yours (chown), or set VELOCITY_HOME to another folder.")
        }
    }

    @Test("a cluster is what has a store, and is gone after its deletion, links and all")
    func clusters() async throws {
        try await withTemporaryFolder { folder in
            let home = VelocityHome(path: folder)
            #expect(home.clusterNames == [])
            for name in ["b", "a", "empty"] { try home.cluster(name).prepare() }
            for name in ["b", "a"] { try Directory.write([], to: home.cluster(name).storeFile) }
            #expect(home.clusterNames == ["a", "b"])
            try Directory.write([1], to: "\(folder)/kept")
            symlink("\(folder)/kept", home.cluster("a").path + "/link")
            symlink(folder, home.cluster("a").runDirectory + "/link")
            try home.cluster("a").delete()
            try home.cluster("a").delete()
            #expect(home.clusterNames == ["b"])
            #expect(Directory.read("\(folder)/kept") == [1])
        }
    }

    @Test("a file is written whole, for its owner only; one that cannot be leaves nothing behind")
    func files() async throws {
        try await withTemporaryFolder { folder in
            let bytes = [UInt8](repeating: 7, count: 100_000)
            try Directory.write([1, 2], to: "\(folder)/f")
            try Directory.write(bytes, to: "\(folder)/f")
            #expect(Directory.read("\(folder)/f") == bytes)
            var information = stat()
            #expect(stat("\(folder)/f", &information) == 0)
            #expect(information.st_mode & 0o777 == 0o600)
            try Directory.make("\(folder)/taken")
            let error = #expect(throws: ClusterError.self) { try Directory.write([1], to: "\(folder)/taken") }
            #expect(error?.message == "The file '\(folder)/taken' cannot be written: Is a directory.")
            #expect(Folder.names(in: folder).sorted() == ["f", "taken"])
            #expect(Directory.read("\(folder)/nosuch") == nil)
        }
    }
}
