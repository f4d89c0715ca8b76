public import CourseModel
import Yams

/// Loads and lints what authors wrote: the folders `Content` and `Labs` below `root`.
///
/// The program calls ``load()``; `velocity course lint` calls ``lint()`` and prints every diagnostic.
public struct CourseLoader: Sendable {
    public let root: String

    /// - Parameter root: The folder that holds `Content` and `Labs`.
    public init(root: String) { self.root = root }

    /// What was loaded, and everything that is wrong with it.
    public struct Report: Sendable {
        public let content: CourseContent
        /// By file, line and column; empty when the course is clean.
        public let diagnostics: [Diagnostic]
    }

    /// The whole course.
    ///
    /// - Throws: `CourseError` when anything is wrong: half a course is worse than none.
    public func load() throws(CourseError) -> CourseContent {
        let report = lint()
        guard report.diagnostics.isEmpty else { throw CourseError(diagnostics: report.diagnostics) }
        return report.content
    }

    /// Reads everything and collects every fault.
    public func lint() -> Report {
        let diagnostics = Diagnostics()
        let files = CourseFiles(root: root)
        for folder in ["Content", "Labs"] where !files.isFolder(folder) {
            diagnostics.error(SourcePlace(file: folder), "there is no folder '\(folder)' in '\(root)'")
        }
        let folders = files.names(in: "Labs").filter { files.isFolder("Labs/\($0)") }
        let labs = folders.compactMap {
            LabReader(files: files, id: LabID(rawValue: $0), diagnostics: diagnostics).read()
        }
        let reader = ContentReader(files: files, diagnostics: diagnostics)
        let content = reader.read(labs: labs, hasAllLabs: labs.count == folders.count)
        return Report(
            content: content,
            diagnostics: diagnostics.items.sorted { ($0.place, $0.message) < ($1.place, $1.message) })
    }
}
