/// A name that is written once by an author and never changed: progress is keyed by it.
public protocol TextID: RawRepresentable<String>, Hashable, Comparable, Codable, Sendable, CustomStringConvertible,
    ExpressibleByStringLiteral
{
    init(rawValue: String)
}

extension TextID {
    public init(stringLiteral value: String) { self.init(rawValue: value) }
    public var description: String { rawValue }
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// Lower-case letters, digits and hyphens, starting with a letter.
    public var isWellFormed: Bool {
        guard let first = rawValue.first, first.isASCII, first.isLowercase else { return false }
        return rawValue.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") }
    }
}

/// A week of the course, for example `week06`.
public struct WeekID: TextID {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
}

/// A lab, for example `week06`.
public struct LabID: TextID {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
}

/// A phase of a lab, for example `phase2`.
public struct PhaseID: TextID {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
}

/// A check within a phase, for example `three-ready`.
public struct CheckID: TextID {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
}

/// A scene, for example `w06-stampede`; unique in the whole course.
public struct SceneID: TextID {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
}

/// A line of a scene: its `#line:` tag, unique in the whole course.
public struct LineID: TextID {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
}

/// A page to read, for example `w06-goals`; unique in the whole course.
public struct PageID: TextID {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
}

/// A question of a retrospective: kept answers are found by it.
public struct QuestionID: TextID {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
}

/// A person of the story, as a scene names them: `filip`.
public struct CharacterID: TextID {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
}

/// A deliberate mistake that a lab must catch.
public struct MutantID: TextID {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
}

/// A way of solving a phase.
public struct SolutionID: TextID {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
}

/// Somebody who learns.
public struct LearnerID: TextID {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
}

/// What to judge, as a command line names it: `week06`, `week06/phase2` or `week06/phase2/three-ready`.
public struct LabPath: Hashable, Sendable, CustomStringConvertible {
    public var lab: LabID
    public var phase: PhaseID?
    public var check: CheckID?

    public init(lab: LabID, phase: PhaseID? = nil, check: CheckID? = nil) {
        self.lab = lab
        self.phase = phase
        self.check = check
    }

    /// Nil when there are empty parts or more than three.
    public init?(parsing text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard 1...3 ~= parts.count, !parts.contains("") else { return nil }
        self.init(
            lab: LabID(rawValue: parts[0]), phase: parts.count > 1 ? PhaseID(rawValue: parts[1]) : nil,
            check: parts.count > 2 ? CheckID(rawValue: parts[2]) : nil)
    }

    public var description: String {
        [lab.rawValue, phase?.rawValue, check?.rawValue].compactMap { $0 }.joined(separator: "/")
    }
}
