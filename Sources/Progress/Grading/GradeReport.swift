public import CourseModel

/// A table: one row for each learner, one column for each check that anybody has tried.
public struct GradeReport: Hashable, Sendable {
    public struct Row: Hashable, Sendable {
        public let learner: Learner
        public let phases: [PhaseStanding]

        public func standing(_ column: LabPath) -> CheckStanding? {
            phases.flatMap(\.checks).first { $0.path == column }
        }

        /// How many checks the learner has passed.
        public var passed: Int { phases.flatMap(\.checks).filter { $0.best == .passed }.count }

        public var points: Int { phases.reduce(0) { $0 + $1.earned } }
    }

    public let rows: [Row]

    /// By lab and phase, and within a phase in the order in which its checks were judged.
    public var columns: [LabPath] {
        var columns: [LabPath] = []
        for check in rows.flatMap(\.phases).flatMap(\.checks) where !columns.contains(check.path) {
            columns.append(check.path)
        }
        func key(_ path: LabPath) -> (String, String) { (path.lab.rawValue, path.phase?.rawValue ?? "") }
        // A stable sort: checks of one phase keep their order.
        return columns.enumerated().sorted { left, right in
            key(left.element) == key(right.element)
                ? left.offset < right.offset : key(left.element) < key(right.element)
        }.map(\.element)
    }

    /// The long form for spreadsheets: one line for each learner and check (RFC 4180).
    public var csv: String {
        var writer = CSVWriter()
        writer.add([
            "learner", "name", "lab", "phase", "check", "title", "outcome", "attempts", "first_passed", "hints_shown",
            "points", "points_max", "done_for_them", "seed",
        ])
        for row in rows {
            for check in row.phases.flatMap(\.checks) {
                writer.add([
                    row.learner.id.rawValue, row.learner.name, check.lab.rawValue, check.phase.rawValue,
                    check.check.rawValue, check.title, check.best.rawValue, String(check.attempts),
                    check.firstPassed?.text ?? "", String(check.hintsShown), String(check.earned), String(check.points),
                    check.isDoneForThem ? "yes" : "no", String(check.seed),
                ])
            }
        }
        return writer.text
    }
}

extension CheckStanding {
    public var path: LabPath { LabPath(lab: lab, phase: phase, check: check) }
}

/// Writes RFC 4180, and keeps spreadsheets from running what a learner has typed.
struct CSVWriter {
    private(set) var text = ""

    mutating func add(_ cells: [String]) { text += cells.map(Self.cell).joined(separator: ",") + "\r\n" }

    /// A cell that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, "CSV Injection").
    static func cell(_ value: String) -> String {
        var value = value
        if let first = value.unicodeScalars.first, "=+-@\t\r".unicodeScalars.contains(first) { value = "'" + value }
        guard value.unicodeScalars.contains(where: { "\",\r\n".unicodeScalars.contains($0) }) else { return value }
        return "\"" + value.replacing("\"", with: "\"\"") + "\""
    }
}
