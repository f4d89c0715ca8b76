import ContainerRuntime
import Foundation
import KubeModel
import Testing

@testable import Kubelet

@Suite("Parts of volumes", .timeLimit(.minutes(5))) struct SubPathTests {
    private func path(_ mount: JSONValue) throws -> String {
        var environment = ContainerEnvironment()
        environment.set("POD_NAME", "web-0")
        environment.set("UP", "..")
        environment.set("ROOT", "/tmp")
        return try SubPath.path(of: mount, environment)
    }

    @Test("an expression is expanded with the container's variables")
    func expansion() throws {
        #expect(try path([:]).isEmpty)
        #expect(try path(["subPath": "a/b"]) == "a/b")
        #expect(try path(["subPath": "$(POD_NAME)"]) == "$(POD_NAME)")
        #expect(try path(["subPathExpr": "logs/$(POD_NAME)"]) == "logs/web-0")
        #expect(try path(["subPathExpr": "$$(NONE)"]) == "$(NONE)")
    }

    @Test(
        "what leads elsewhere is refused",
        arguments: [
            ("$(NONE)", "missing value for \"NONE\""), ("$(ROOT)", "error SubPath `/tmp` must not be an absolute path"),
            ("a/$(UP)/b", "unable to provision SubPath `a/../b`: must not contain '..'"),
            ("a`b", "unable to provision SubPath \"a`b\": must not contain '`'"),
        ])
    func refusals(expression: String, message: String) {
        let error = #expect(throws: ConfigurationError.self) { try path(["subPathExpr": .string(expression)]) }
        #expect(error == ConfigurationError(message: message))
    }

    @Test(
        "a link that leads out of the volume is refused, one within it is followed",
        arguments: [
            ("/usr", "x", "prepare subPath"), ("..", "x", "prepare subPath"), ("/usr", "x/lib", "prepare subPath"),
            ("/none", "x", "create subPath directory"), ("/usr", "x/none", "create subPath directory"),
            ("inside", "x", nil), ("inside", "x/new", nil), ("inside", "new/er", nil),
        ] as [(String, String, String?)])
    func links(target: String, path: String, refusal: String?) throws {
        let volume = FileManager.default.temporaryDirectory.path + "/\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: volume + "/inside", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: volume) }
        try FileManager.default.createSymbolicLink(atPath: volume + "/x", withDestinationPath: target)
        let error: ConfigurationError?
        do throws(ConfigurationError) {
            try SubPath.check(path, in: volume, place: "volumeMount \"v\" of container \"c\"")
            error = nil
        } catch let refused {
            error = refused
        }
        #expect(
            error
                == refusal.map {
                    ConfigurationError(message: "failed to \($0) for volumeMount \"v\" of container \"c\"")
                })
    }

    @Test("the runtime is told the part, and that a volume is in memory")
    func mounts() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let pod = try await bed.makePod(
                "web",
                [
                    "containers": [
                        [
                            "name": "main", "image": "web:1.0", "env": [["name": "PART", "value": "p"]],
                            "volumeMounts": [["name": "v", "mountPath": "/v", "subPathExpr": "$(PART)"]],
                        ]
                    ], "volumes": [["name": "v", "emptyDir": ["medium": "Memory", "sizeLimit": "1Mi"]]],
                ])
            _ = try await bed.ready(pod)
            let mount = bed.runtime.configuration(of: "main")?.mounts.first { $0.containerPath == "/v" }
            #expect(mount?.subPath == "p" && mount?.memory == .init(bytesMax: 1 << 20))
        }
    }
}
