import Cluster
import Course
import CourseModel
import Foundation
import Progress

/// The course's files and the learner's record, as commands use them.
enum CourseAccess {
    /// The folder that holds `Content` and `Labs`: `$VELOCITY_COURSE`, else above this program, else above the working directory.
    static func root() throws -> String {
        if let named = Machine.environment["VELOCITY_COURSE"], !named.isEmpty {
            guard isRoot(named) else {
                throw ClusterError(
                    "VELOCITY_COURSE is '\(named)', which holds no course.",
                    hint: "Name a folder that has 'Content' and 'Labs' in it.")
            }
            return named
        }
        for start in [Machine.executable, FileManager.default.currentDirectoryPath + "/."] {
            var folder = URL(fileURLWithPath: start).deletingLastPathComponent()
            while folder.path != "/" {
                if isRoot(folder.path) { return folder.path }
                folder.deleteLastPathComponent()
            }
        }
        throw ClusterError(
            "The course's folders 'Content' and 'Labs' are not found.",
            hint: "Set VELOCITY_COURSE to the folder that holds them.")
    }

    private static func isRoot(_ path: String) -> Bool {
        ["Content", "Labs"].allSatisfy { FileManager.default.fileExists(atPath: "\(path)/\($0)") }
    }

    static func content() throws -> CourseContent { try CourseLoader(root: try root()).load() }

    static func progress() throws -> ProgressStore { try ProgressStore(path: try Machine.home().progressFile) }

    /// The learner who works now; made from the user's name at the first start.
    static func learner(_ store: ProgressStore) throws -> Learner {
        try store.currentLearner(orNew: Machine.environment["USER"].flatMap { $0.isEmpty ? nil : $0 } ?? "learner")
    }

    /// Finds `week06`, `week06/phase2` or `week06/phase2/check`; nil takes the phase where the learner is, else the first lab.
    static func find(_ text: String?, in content: CourseContent) throws -> (lab: Lab, phase: Phase?, check: CheckID?) {
        guard let text else {
            let store = try progress()
            let place = try store.place(of: try learner(store).id)
            let lab = place.flatMap { content.lab($0.lab) } ?? content.labs.first
            guard let lab else { throw ClusterError("The course has no lab.") }
            return (lab, place.flatMap { lab.phase($0.phase) } ?? lab.phases.first, nil)
        }
        guard let path = LabPath(parsing: text) else {
            throw ClusterError(
                "'\(text)' is not LAB, LAB/PHASE or LAB/PHASE/CHECK.", hint: "For example: week06/phase2")
        }
        guard let lab = content.lab(path.lab) else {
            throw unknown("lab", path.lab.rawValue, content.labs.map(\.id.rawValue))
        }
        guard let phaseID = path.phase else { return (lab, nil, nil) }
        guard let phase = lab.phase(phaseID) else {
            throw unknown("phase", phaseID.rawValue, lab.phases.map(\.id.rawValue))
        }
        if let check = path.check, phase.checkpoint.check(check) == nil {
            throw unknown("check", check.rawValue, phase.checkpoint.checks.map(\.id.rawValue))
        }
        return (lab, phase, path.check)
    }

    static func unknown(_ kind: String, _ name: String, _ known: [String]) -> ClusterError {
        ClusterError(
            "There is no \(kind) '\(name)'.",
            hint: known.isEmpty ? "There are none." : "There are: \(known.joined(separator: ", ")).")
    }

    static func url(ofFolder lab: Lab) -> URL {
        URL(fileURLWithPath: Machine.userHome).appendingPathComponent("velocitylab/\(lab.id)")
    }

    /// What is wrong with the files in the learner's folder, for a person to read.
    static func manifestFaults(_ lab: Lab) -> [String] {
        Manifests.faults(in: url(ofFolder: lab).path).map(\.description)
    }

    /// Copies the lab's starter files into the learner's folder; what is there already is theirs and stays.
    ///
    /// - Parameter replaces: Puts the starter files back over the learner's.
    static func prepareFolder(_ lab: Lab, replaces: Bool = false) throws -> String {
        let folder = url(ofFolder: lab)
        do {
            for file in lab.starters {
                let target = folder.appendingPathComponent(file.name)
                try FileManager.default.createDirectory(
                    at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
                if replaces || !FileManager.default.fileExists(atPath: target.path) {
                    try Data(file.text.utf8).write(to: target, options: .atomic)
                }
            }
        } catch {
            throw ClusterError(
                "The lab's folder '\(folder.path)' cannot be written: \(error.localizedDescription)",
                hint: "Make room there, or make it yours (chown).")
        }
        return folder.path
    }
}
