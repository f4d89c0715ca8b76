/// A question of a lab that has right answers.
public struct LabQuestion: Hashable, Sendable {
    /// Unique in the whole course, and never renamed: kept answers are found by it.
    public let id: QuestionID
    public let text: String
    /// Every right answer; the first one is the author's own.
    public let answers: [String]

    public init(id: QuestionID, text: String, answers: [String]) {
        self.id = id
        self.text = text
        self.answers = answers
    }

    /// Whether somebody who wrote this knows it: capitals, white space and a full stop at the end do not matter.
    public func isRight(_ answer: String) -> Bool { answers.map(Self.plain).contains(Self.plain(answer)) }

    private static func plain(_ text: String) -> String {
        var words = text.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ")
        while let last = words.last, ".!".contains(last) { words.removeLast() }
        return words
    }
}
