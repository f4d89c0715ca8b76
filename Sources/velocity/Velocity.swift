import ArgumentParser

/// The command line; each verb lives in a file of its own under `Commands`.
@main
struct Velocity: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "velocity",
        abstract: "A story, a lab and a running Kubernetes cluster, on this machine alone.",
        discussion: """
            Without a subcommand it opens the screens where you left off, or prints the list of labs when there is no \
            terminal. Machine output goes to standard output, everything for people to standard error when it is piped.
            """,
        version: "0.1.0",
        subcommands: [
            Start.self, ListLabs.self, Play.self, Read.self, CheckLab.self, Answer.self, HintLab.self,
            ShowSolution.self,
            CatchUp.self, ResetLab.self, Shell.self,
            ClusterCommand.self,
            ImageCommand.self, LearnerCommand.self, Submit.self, Grade.self, CourseCommand.self, Doctor.self,
            MinikubeCommand.self, KindCommand.self, DockerCommand.self,
        ],
        defaultSubcommand: Start.self)
}
