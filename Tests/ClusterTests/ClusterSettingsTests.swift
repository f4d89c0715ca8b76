import ContainerRuntime
import KubeModel
import LabTesting
import Testing

@testable import Cluster

@Suite("Settings of a cluster", .timeLimit(.minutes(5))) struct ClusterSettingsTests {
    @Test(
        "what is saved is loaded again",
        arguments: [
            ClusterSettings(), ClusterSettings(level: .plain, pace: .instant, timeFactor: 2.5, port: 0),
            ClusterSettings(level: .sandbox, timeFactor: 1000, port: 65_535, nodes: 3),
        ])
    func persistence(settings: ClusterSettings) async throws {
        var settings = settings
        settings.pullsImages = settings.level != nil
        settings.egress = settings.level == .plain ? .host : settings.level == nil ? .none : .outside
        try await withTemporaryFolder { folder in
            let directory = VelocityHome(path: folder).cluster("c")
            try directory.prepare()
            #expect(ClusterSettings.load(directory) == ClusterSettings())
            try settings.save(directory)
            #expect(ClusterSettings.load(directory) == settings)
        }
    }

    @Test(
        "what makes no sense in the file counts as not said",
        arguments: [
            "", "no JSON", "[]", #"{"runtime":"docker","pace":"fast","timeFactor":"2","port":"x"}"#,
            #"{"timeFactor":0,"port":-1}"#, #"{"timeFactor":1e9,"port":70000,"nodes":0}"#, #"{"nodes":1000}"#,
        ])
    func damaged(text: String) async throws {
        try await withTemporaryFolder { folder in
            let directory = VelocityHome(path: folder).cluster("c")
            try directory.prepare()
            try Directory.write(Array(text.utf8), to: directory.settingsFile)
            #expect(ClusterSettings.load(directory) == ClusterSettings())
        }
    }

    @Test("settings are options of the program")
    func arguments() {
        let settings = ClusterSettings(level: .plain, pace: .instant, timeFactor: 10, port: 7000)
        #expect(
            settings.arguments
                == [
                    "--pace", "instant", "--time-factor", "10.0", "--port", "7000", "--nodes", "1", "--no-pull",
                    "--allow-egress", "none", "--runtime", "plain",
                ])
        #expect(!ClusterSettings().arguments.contains("--runtime"))
    }
}
