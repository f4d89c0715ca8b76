/// What is wrong with the text of a set of indexes.
public struct IndexSetError: Error, Hashable, Sendable {
    public let message: String
}

/// A set of completion indexes of a Job, written as `1,3-5,7`.
public struct IndexRanges: Hashable, Sendable, CustomStringConvertible {
    /// In order, without overlap.
    public private(set) var ranges: [ClosedRange<Int>] = []

    public init() {}

    public init(_ indexes: some Sequence<Int>) {
        for index in indexes.sorted() {
            if let last = ranges.last, index <= last.upperBound { continue }
            if let last = ranges.last, index == last.upperBound + 1 {
                ranges[ranges.count - 1] = last.lowerBound...index
            } else {
                ranges.append(index...index)
            }
        }
    }

    /// - Parameter completions: Indexes must be lower than this.
    public init(parsing text: String, completions: Int) throws(IndexSetError) {
        guard !text.isEmpty else { return }
        var previous: Int?
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let range = try Self.range(part, completions)
            if let previous, previous >= range.lowerBound {
                throw IndexSetError(
                    message: "non-increasing order, previous: \(previous), current: \(range.lowerBound)")
            }
            previous = range.upperBound
            ranges.append(range)
        }
    }

    private static func range(_ part: Substring, _ completions: Int) throws(IndexSetError) -> ClosedRange<Int> {
        let limits = part.split(separator: "-", omittingEmptySubsequences: false)
        guard limits.count <= 2 else {
            throw IndexSetError(
                message: "the fragment \(GoText.quote(String(part))) violates the requirement that an index interval "
                    + "can have at most two parts separated by '-'")
        }
        let first = try index(limits[0], completions)
        guard limits.count == 2 else { return first...first }
        let last = try index(limits[1], completions)
        guard first < last else {
            throw IndexSetError(message: "non-increasing order, previous: \(first), current: \(last)")
        }
        return first...last
    }

    private static func index(_ text: Substring, _ completions: Int) throws(IndexSetError) -> Int {
        let quoted = GoText.quote(String(text))
        guard let index = Int(text) else {
            throw IndexSetError(message: "cannot convert string to integer for index: \(quoted)")
        }
        guard index < completions else { throw IndexSetError(message: "too large index: \(quoted)") }
        return index
    }

    public var count: Int { ranges.reduce(0) { $0 + $1.count } }

    public func contains(_ index: Int) -> Bool { ranges.contains { $0.contains(index) } }

    public var indexes: [Int] { ranges.flatMap(Array.init) }

    /// The lowest index that is in both sets; nil if there is none.
    public func overlap(with other: IndexRanges) -> Int? {
        ranges.lazy.flatMap { range in
            other.ranges.lazy.filter { $0.overlaps(range) }.map { max($0.lowerBound, range.lowerBound) }
        }.min()
    }

    /// Two neighbours are written as `1,2`, more as `1-3`.
    public var description: String {
        ranges.map { range in
            switch range.count {
            case 1: "\(range.lowerBound)"
            case 2: "\(range.lowerBound),\(range.upperBound)"
            default: "\(range.lowerBound)-\(range.upperBound)"
            }
        }.joined(separator: ",")
    }
}
