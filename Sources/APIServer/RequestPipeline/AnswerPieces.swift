/// A long answer that is put together while it is sent, so that nobody holds all of it at once.
struct AnswerPieces: Sendable {
    typealias Item = @Sendable (_ index: Int, _ bytes: inout [UInt8]) -> Void

    private let head: [UInt8]
    private let tail: [UInt8]
    private let count: Int
    private let item: Item
    private var isCompressed = false

    /// A piece is sent when it has become this long.
    private static let pieceBytes = 256 * 1024

    /// - Parameters:
    ///   - head: What comes before the first item.
    ///   - tail: What comes after the last.
    ///   - item: Appends an item; commas are put between them.
    init(head: [UInt8], tail: [UInt8], count: Int, item: @escaping Item) {
        self.head = head
        self.tail = tail
        self.count = count
        self.item = item
    }

    /// How far an answer has been put together.
    struct Place {
        fileprivate var next = 0
        /// There is nothing after the last piece.
        fileprivate(set) var isOver = false
        fileprivate var gzip: Gzip?
    }

    /// The same, in the gzip format.
    func compressed() -> AnswerPieces {
        var copy = self
        copy.isCompressed = true
        return copy
    }

    /// The next piece, which may be empty; nil after the last.
    func piece(_ place: inout Place) -> [UInt8]? {
        guard !place.isOver else { return nil }
        let bytes = plainPiece(&place)
        guard isCompressed else { return bytes }
        if place.gzip == nil { place.gzip = Gzip() }
        return place.gzip?.compress(bytes, isLast: place.isOver)
    }

    private func plainPiece(_ place: inout Place) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.pieceBytes + 16 * 1024)
        if place.next == 0 { bytes.append(contentsOf: head) }
        while place.next < count, bytes.count < Self.pieceBytes {
            if place.next > 0 { bytes.append(UInt8(ascii: ",")) }
            item(place.next, &bytes)
            place.next += 1
        }
        if place.next == count {
            bytes.append(contentsOf: tail)
            bytes.append(UInt8(ascii: "\n"))
            place.isOver = true
        }
        return bytes
    }
}

/// Makes the pieces of one answer, one after the other.
actor PieceMaker {
    private let pieces: AnswerPieces
    private var place = AnswerPieces.Place()

    init(_ pieces: AnswerPieces) { self.pieces = pieces }

    /// Nil after the last.
    func next() -> [UInt8]? { pieces.piece(&place) }
}
