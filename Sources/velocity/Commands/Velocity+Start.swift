import ArgumentParser
import Cluster
import CourseModel
import LabScreens
import Progress

struct Start: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Open the screens: a week, a lab, or where you left off.")
    @Argument(help: "WEEK, LAB or LAB/PHASE.") var path: String?
    @OptionGroup var cluster: ClusterOptions

    func run() async throws {
        guard Machine.canShowScreens else {
            Output.remark(
                "There is no terminal for screens here, so this is the list. `velocity play`, `velocity read` and `velocity check` do the rest."
            )
            return try await ListLabs.parse([]).run()
        }
        let content = try CourseAccess.content()
        let store = try CourseAccess.progress()
        let learner = try CourseAccess.learner(store)
        try await ScreenSession.run(
            content: content, store: store, learner: learner, start: try start(content, store, learner),
            cluster: try cluster.choice)
    }

    /// The first time the opening scene of the week plays, and leads into the lab; after that the lab opens where the learner was.
    private func start(_ content: CourseContent, _ store: ProgressStore, _ learner: Learner) throws -> App.Start {
        let place = try store.place(of: learner.id)
        var target = place.map { LabPath(lab: $0.lab, phase: $0.phase) }
        if let path {
            if let week = content.week(WeekID(rawValue: path)) {
                let isThere = place.map { week.labs.contains($0.lab) } ?? false
                if !isThere { target = week.labs.first.map { firstPhase(of: $0, content) } }
            } else {
                let (lab, phase, _) = try CourseAccess.find(path, in: content)
                target = LabPath(lab: lab.id, phase: phase?.id ?? firstPhase(of: lab.id, content).phase)
            }
        }
        let lab = target ?? content.labs.first.map { firstPhase(of: $0.id, content) }
        guard let lab else { return .home }
        let week = content.weeks.first { $0.labs.contains(lab.lab) }
        if let scene = week?.crisis.scene,
            try store.plays(of: learner.id, scene: scene).allSatisfy({ $0.finished == nil })
        {
            return .scene(scene, then: lab)
        }
        return .phase(lab)
    }

    private func firstPhase(of lab: LabID, _ content: CourseContent) -> LabPath {
        LabPath(lab: lab, phase: content.lab(lab)?.phases.first?.id)
    }
}
