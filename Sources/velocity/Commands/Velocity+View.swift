import ArgumentParser
import Cluster
import LabScreens

extension ClusterCommand {
    struct View: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Look into the cluster: every kind of object, live, with events, YAML and logs.")
        @OptionGroup var name: Name

        func run() async throws { try await Self.show(try name.directory()) }

        /// The screens with nothing but the cluster; leaving it ends them.
        static func show(_ cluster: ClusterDirectory) async throws {
            guard Machine.canShowScreens else {
                throw ClusterError(
                    "There is no terminal for screens here.",
                    hint: "Look with kubectl: kubectl get all --all-namespaces")
            }
            let store = try CourseAccess.progress()
            try await ScreenSession.run(
                content: try CourseAccess.content(), store: store, learner: try CourseAccess.learner(store),
                start: .cluster, cluster: .embedded(cluster))
        }
    }
}
