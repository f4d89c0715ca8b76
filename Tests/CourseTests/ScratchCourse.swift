import Course
import Foundation

/// A small clean course in a folder of its own, to be spoilt in one place by each test.
struct ScratchCourse: ~Copyable {
    let root: String

    init() throws {
        root = FileManager.default.temporaryDirectory.path + "/velocity-course-" + UUID().uuidString
        for (path, text) in Self.clean { try write(path, text) }
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    func write(_ path: String, _ text: String) throws {
        let file = URL(fileURLWithPath: "\(root)/\(path)")
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    /// Replaces a part of a file that must be there.
    func change(_ path: String, _ old: String, _ new: String) throws { try change(path, [(old, new)]) }

    /// Makes several changes to a file as it was at first.
    func change(_ path: String, _ changes: [(old: String, new: String)]) throws {
        guard var text = Self.clean[path] else { throw CocoaError(.fileReadUnknown) }
        for change in changes {
            guard text.contains(change.old) else { throw CocoaError(.fileReadUnknown) }
            text = text.replacing(change.old, with: change.new)
        }
        try write(path, text)
    }

    func remove(_ path: String) throws { try FileManager.default.removeItem(atPath: "\(root)/\(path)") }

    /// Every diagnostic as the command prints it.
    func lint() -> [String] { CourseLoader(root: root).lint().diagnostics.map(\.description) }

    static let characters = "Content/characters.yaml"
    static let week = "Content/weeks/week01/week.yaml"
    static let scene = "Content/weeks/week01/scenes/one.scene"
    static let lab = "Labs/week01/lab.yaml"
    static let phase = "Labs/week01/phase1/phase.yaml"
    static let solution = "Labs/week01/solution/phase1.yaml"
    static let mutant = "Labs/week01/mutants/fewer.yaml"
    static let start = "Labs/week01/start/web.yaml"

    private static let clean: [String: String] = [
        characters: """
        version: 1
        moods: [calm]
        characters:
          - {id: ana, name: Ana, role: Testing}
          - {id: filip, name: Filip, role: Operations}
        """,
        week: """
        version: 1
        id: week01
        number: 1
        title: One
        subtitle: First
        summary: Text
        crisis: {title: Crisis, text: Text, scene: one}
        goals: [Learn]
        scenes: [one]
        labs: [week01]
        """,
        scene: """
        version: 1
        scene: one
        week: week01
        title: A scene
        cast: ana
        ---
        It begins. #line:a1
        Ana: Hello. #mood:calm #line:a2
        -> Hello to you #line:a3
            Ana: How nice. #line:a4
        ===
        """,
        lab: """
        version: 1
        id: week01
        title: The lab
        week: week01
        mission: Do it
        success: It is done
        namespace: shop
        phases: [phase1]
        """,
        phase: """
        version: 1
        id: phase1
        title: First phase
        minutes: 10
        objective: Learn
        steps:
          - id: apply
            title: Apply
            text: Apply the file.
            files: [web.yaml]
            commands: [kubectl apply -f web.yaml]
        checkpoint:
          title: It runs
          checks:
            - id: ready
              title: it is ready
              steps:
                - ready: {deployment: web, count: 3}
                  within: 30s
              hints:
                - text: Look at the pods.
            - id: heals
              title: it heals
              needs: [ready]
              steps:
                - delete: {kind: Pod, selector: app=web}
                  as: victim
                - replaced: victim
              hints:
                - text: Look at the owner.
        """,
        solution: """
        version: 1
        id: phase1
        phase: phase1
        title: As handed out
        operations:
          - apply: web.yaml
        """,
        mutant: """
        version: 1
        id: fewer
        title: Too few
        solution: phase1
        changes:
          - {file: web.yaml, kind: Deployment, name: web, path: spec.replicas, to: 2}
        fails: {check: ready, cause: replicas, hint: [spec.replicas]}
        """,
        start: """
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: web
        spec:
          replicas: 3
        """,
    ]
}
