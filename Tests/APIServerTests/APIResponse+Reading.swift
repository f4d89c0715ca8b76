import KubeModel
import NIOCore

@testable import APIServer

extension APIResponse {
    /// The whole body of an answer that has an end.
    var bytes: [UInt8] {
        get throws {
            switch body {
            case .bytes(let bytes): return bytes
            case .pieces(let pieces):
                var place = AnswerPieces.Place()
                var all: [UInt8] = []
                while let piece = pieces.piece(&place) { all += piece }
                return all
            case .stream, .watch, .upgrade: throw Unrefused()
            }
        }
    }

    /// The first events of a watch: so many, or all when it ends before.
    func lines(_ countMax: Int) async throws -> [JSONValue] {
        guard case .watch(let watch) = body else { throw Unrefused() }
        var lines: [JSONValue] = []
        do {
            try await watch.run { buffer in
                let text = String(buffer: buffer)
                lines += try text.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
                if lines.count >= countMax { throw Enough() }
            }
        } catch is Enough {}
        return lines
    }
}

private struct Enough: Error {}
