import Glibc
import Synchronization

/// Makes bad input out of good input, the same for the same seed.
///
/// In `swift test` a few hundred rounds for each parser; `make fuzz` asks for many more through `FUZZ_ROUNDS`, and then each
/// input is first written to `FUZZ_INPUT`, so that one that ends the process can be found there and kept in the corpus.
public struct Fuzzer {
    private var random: SeededGenerator
    private let corpus: [[UInt8]]
    /// Pieces of text that mean something to the parser.
    private let tokens: [[UInt8]]
    public let seed: UInt64

    public init(seed: UInt64, corpus: [String], tokens: [String]) {
        random = SeededGenerator(seed: seed)
        self.corpus = corpus.map { Array($0.utf8) }
        self.tokens = tokens.map { Array($0.utf8) }
        self.seed = seed
    }

    /// How many inputs are tried with one seed.
    public static var rounds: Int { environment("FUZZ_ROUNDS").flatMap { Int($0) } ?? 300 }

    /// The seeds: some in every test run, and with `FUZZ_SEED` others.
    public static var seeds: [UInt64] {
        let first = environment("FUZZ_SEED").flatMap { UInt64($0) } ?? 1
        return Array(first..<first + 4)
    }

    private static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// The next input.
    public mutating func next() -> [UInt8] {
        var bytes = corpus.randomElement(using: &random) ?? []
        for _ in 0..<Int.random(in: 0...6, using: &random) { change(&bytes) }
        Self.note(bytes)
        return bytes
    }

    private mutating func change(_ bytes: inout [UInt8]) {
        let place = Int.random(in: 0...bytes.count, using: &random)
        let end = min(bytes.count, place + Int.random(in: 0...8, using: &random))
        switch Int.random(in: 0..<8, using: &random) {
        case 0: if place < bytes.count { bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random) }
        case 1: bytes.insert(UInt8.random(in: .min ... .max, using: &random), at: place)
        case 2: bytes.removeSubrange(place..<end)
        case 3: bytes.insert(contentsOf: bytes[place..<end], at: place)
        case 4: bytes.insert(contentsOf: tokens.randomElement(using: &random) ?? [], at: place)
        case 5: bytes.removeSubrange(place...)
        case 6:
            // The beginning of one, the end of another.
            let other = corpus.randomElement(using: &random) ?? []
            let from = Int.random(in: 0...other.count, using: &random)
            bytes = Array(bytes[..<place]) + other[from...]
        default:
            let piece = Array(bytes[place..<end])
            for _ in 0..<Int.random(in: 1...40, using: &random) { bytes.insert(contentsOf: piece, at: place) }
        }
    }

    /// A number below a bound, for choices that a test makes beside the bytes.
    public mutating func pick(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }

    private static func note(_ bytes: [UInt8]) {
        guard let path = environment("FUZZ_INPUT") else { return }
        guard let file = fopen(path, "w") else { return }
        fwrite(bytes, 1, bytes.count, file)
        fclose(file)
    }

    /// The inputs of a corpus: the files of a folder beside a test whose names begin with `prefix`.
    public static func corpus(_ prefix: String, beside file: String) -> [String] {
        let folder =
            file.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/")
            + "/Corpus"
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasPrefix(prefix) { names.append(name) }
        }
        return names.sorted().compactMap { read("\(folder)/\($0)") }
    }

    private static func read(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65536)
        while case let count = fread(&piece, 1, piece.count, file), count > 0 { bytes += piece[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }
}
