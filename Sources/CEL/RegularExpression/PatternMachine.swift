/// Turns a tree into instructions.
struct PatternCompiler {
    typealias SyntaxError = RegularExpression.SyntaxError
    typealias Instruction = RegularExpression.Instruction

    private static let lengthMax = 20_000
    private var program: [Instruction] = []
    private let text: String

    static func compile(_ pattern: Pattern, _ text: String) throws(SyntaxError) -> [Instruction] {
        var compiler = PatternCompiler(text: text)
        try compiler.add(pattern)
        try compiler.emit(.match)
        return compiler.program
    }

    private init(text: String) { self.text = text }

    private mutating func emit(_ instruction: Instruction) throws(SyntaxError) {
        guard program.count < Self.lengthMax else { throw SyntaxError("expression too large", text) }
        program.append(instruction)
    }

    private mutating func add(_ pattern: Pattern) throws(SyntaxError) {
        switch pattern {
        case .nothing: break
        case .sign(let set): try emit(.sign(set))
        case .assert(let assertion): try emit(.assert(assertion))
        case .sequence(let parts): for part in parts { try add(part) }
        case .choice(let ways):
            var ends: [Int] = []
            for (index, way) in ways.enumerated() {
                guard index < ways.count - 1 else {
                    try add(way)
                    break
                }
                let split = program.count
                try emit(.jump(0))
                try add(way)
                ends.append(program.count)
                try emit(.jump(0))
                program[split] = .split(split + 1, program.count)
            }
            for end in ends { program[end] = .jump(program.count) }
        case .repeated(let inner, let min, let max, let isGreedy):
            for _ in 0..<min {
                let start = program.count
                try add(inner)
                // What is nothing once is nothing a thousand times.
                if program.count == start { return }
            }
            guard let max else { return try addLoop(inner, isGreedy) }
            var splits: [Int] = []
            for _ in min..<Swift.max(min, max) {
                splits.append(program.count)
                try emit(.jump(0))
                try add(inner)
            }
            for split in splits { program[split] = way(split + 1, program.count, isGreedy) }
        }
    }

    private func way(_ inside: Int, _ after: Int, _ isGreedy: Bool) -> Instruction {
        isGreedy ? .split(inside, after) : .split(after, inside)
    }

    private mutating func addLoop(_ inner: Pattern, _ isGreedy: Bool) throws(SyntaxError) {
        let split = program.count
        try emit(.jump(0))
        try add(inner)
        try emit(.jump(split))
        program[split] = way(split + 1, program.count, isGreedy)
    }
}

/// Follows all ways through the instructions at once, the preferred ones first.
struct PatternMachine {
    private let program: [RegularExpression.Instruction]
    private let signs: [Unicode.Scalar]
    /// When each instruction was last reached; a way that comes second to it is never the better one.
    private var reached: [Int]
    private var generation = 0

    init(_ program: [RegularExpression.Instruction], _ signs: [Unicode.Scalar]) {
        self.program = program
        self.signs = signs
        reached = Array(repeating: 0, count: program.count)
    }

    private struct Way {
        let place: Int
        let start: Int
    }

    /// The first match that begins at or after a place; with `anyWillDo`, whichever ends first.
    mutating func firstMatch(from first: Int, anyWillDo: Bool = false) -> Range<Int>? {
        var ways: [Way] = []
        var next: [Way] = []
        var found: Range<Int>?
        var index = first
        while true {
            generation += 1
            var current: [Way] = []
            for way in ways { follow(way.place, way.start, index, into: &current) }
            if found == nil { follow(0, index, index, into: &current) }
            next.removeAll(keepingCapacity: true)
            scan: for way in current {
                switch program[way.place] {
                case .match:
                    found = way.start..<index
                    if anyWillDo { return found }
                    // Ways after a match are worse than it.
                    break scan
                case .sign(let set):
                    if index < signs.count, set.contains(signs[index]) {
                        next.append(Way(place: way.place + 1, start: way.start))
                    }
                default: continue
                }
            }
            swap(&ways, &next)
            if index >= signs.count || (found != nil && ways.isEmpty) { return found }
            index += 1
        }
    }

    /// Adds where a way stands once it has taken every step that needs no sign.
    private mutating func follow(_ place: Int, _ start: Int, _ index: Int, into ways: inout [Way]) {
        var open = [place]
        while let place = open.popLast() {
            guard reached[place] != generation else { continue }
            reached[place] = generation
            switch program[place] {
            case .jump(let target): open.append(target)
            case .split(let first, let second):
                open.append(second)
                open.append(first)
            case .assert(let assertion): if holds(assertion, at: index) { open.append(place + 1) }
            case .sign, .match: ways.append(Way(place: place, start: start))
            }
        }
    }

    private func holds(_ assertion: RegularExpression.Assertion, at index: Int) -> Bool {
        func isWord(_ index: Int) -> Bool {
            signs.indices.contains(index) && (signs[index].isWordStart || signs[index].isDigit)
        }
        return switch assertion {
        case .textStart: index == 0
        case .textEnd: index == signs.count
        case .lineStart: index == 0 || signs[index - 1] == "\n"
        case .lineEnd: index == signs.count || signs[index] == "\n"
        case .wordBoundary: isWord(index - 1) != isWord(index)
        case .noWordBoundary: isWord(index - 1) == isWord(index)
        }
    }
}
