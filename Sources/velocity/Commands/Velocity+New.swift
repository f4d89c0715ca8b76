import ArgumentParser
import Cluster
import Course
import CourseModel
import Foundation

extension CourseCommand {
    struct New: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a small lab that works, to be changed into yours.")
        @Argument(help: "The lab's id, and its folder below 'Labs'.") var lab: String
        @Option(help: "The week it belongs to; the first one when not given.") var week: String?

        func run() async throws {
            guard LabID(rawValue: lab).isWellFormed else {
                throw ClusterError(
                    "'\(lab)' is not an id.",
                    hint: "Use lower-case letters, digits and hyphens, starting with a letter.")
            }
            let root = try CourseAccess.root()
            let folder = "\(root)/Labs/\(lab)"
            guard !FileManager.default.fileExists(atPath: folder) else {
                throw ClusterError("There is a lab '\(lab)' already.", hint: "Choose another name.")
            }
            let weeks = CourseLoader(root: root).lint().content.weeks
            if let week, !weeks.contains(where: { $0.id.rawValue == week }) {
                throw CourseAccess.unknown("week", week, weeks.map(\.id.rawValue))
            }
            guard let week = week ?? weeks.first?.id.rawValue else { throw ClusterError("The course has no week.") }
            for (name, text) in NewLab.files(lab: lab, week: week) {
                let url = URL(fileURLWithPath: "\(folder)/\(name)")
                try FileManager.default.createDirectory(
                    at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data(text.utf8).write(to: url)
            }
            Output.line("Labs/\(lab) is there. Labs/README.md says what its files are.")
            Output.remark(
                "hint: Name it under 'labs' in Content/weeks/\(week)/week.yaml, then: velocity course verify \(lab)")
        }
    }
}

/// A lab with one phase, one check, one solution and one mistake.
enum NewLab {
    static func files(lab: String, week: String) -> [(name: String, text: String)] {
        [
            (
                "lab.yaml",
                """
                version: 1
                id: \(lab)
                title: A new lab
                week: \(week)
                mission: Say what is at stake.
                success: Say when it is done.
                namespace: \(lab)
                phases: [first]

                """
            ),
            (
                "first/phase.yaml",
                """
                version: 1
                id: first
                title: The first phase
                minutes: 10
                objective: Say what is learned.
                steps:
                  - id: apply
                    title: Bring the settings into the cluster
                    text: Say what happens, and why.
                    files: [settings.yaml]
                    commands:
                      - run: kubectl create namespace \(lab)
                      - run: kubectl apply -f settings.yaml
                        prints: [configmap/settings created]
                checkpoint:
                  title: The settings are there
                  checks:
                    - id: settings
                      title: the ConfigMap 'settings' has the right level
                      steps:
                        - object: {kind: ConfigMap, name: settings}
                          matches: {data: {LEVEL: info}}
                      hints:
                        - cause: missing
                          text: See what is there with 'kubectl get configmaps --all-namespaces'.
                        - text: Compare your file with 'kubectl get configmaps -o yaml'.

                """
            ),
            (
                "start/settings.yaml",
                """
                apiVersion: v1
                kind: ConfigMap
                metadata:
                  name: settings
                  namespace: \(lab)
                data:
                  LEVEL: info

                """
            ),
            (
                "solution/first.yaml",
                """
                version: 1
                id: first
                phase: first
                title: The file as it is handed out
                operations:
                  - create: {apiVersion: v1, kind: Namespace, metadata: {name: \(lab)}}
                  - apply: settings.yaml

                """
            ),
            (
                "mutants/wrong-level.yaml",
                """
                version: 1
                id: wrong-level
                title: The level is another one
                solution: first
                changes:
                  - file: settings.yaml
                    kind: ConfigMap
                    name: settings
                    path: data.LEVEL
                    to: debug
                fails:
                  check: settings
                  cause: wrong-value
                  hint: [data.LEVEL, debug, info]

                """
            ),
        ]
    }
}
