import LabTesting
import NIOCore
import Testing

@testable import APIServer

@Suite("Hostile streams", .timeLimit(.minutes(10))) struct SPDYFuzzTests {
    @Test("header blocks are read or refused", arguments: Fuzzer.seeds)
    func headers(seed: UInt64) throws {
        var writer = SPDYHeaderWriter()
        let good = writer.write([("streamtype", "data"), ("port", "8080"), ("requestid", "0")])
        var fuzzer = Fuzzer(seed: seed, corpus: [""], tokens: ["\u{78}", "\u{BB}", "streamtype", "\0\0\0\u{1}"])
        for _ in 0..<Fuzzer.rounds {
            var block = good
            for _ in 0..<1 + fuzzer.pick(4) { block[fuzzer.pick(block.count)] ^= 1 << UInt8(fuzzer.pick(8)) }
            block += fuzzer.next()
            let reader = SPDYHeaderReader()
            guard let headers = try? reader.read(block) else { continue }
            #expect(headers.count <= 64, "seed \(seed)")
        }
    }

    @Test("frames are read or refused, however they arrive", arguments: Fuzzer.seeds)
    func frames(seed: UInt64) throws {
        let frames = [
            SPDYFrame.encodeData(1, Array("hello".utf8), isLast: true), SPDYFrame.encodePing(2),
            SPDYFrame.encodeGoAway(lastStream: 1, reason: 0), SPDYFrame.encodeReply(1, block: [1, 2, 3]),
        ].map { Array($0.readableBytesView) }
        var fuzzer = Fuzzer(seed: seed, corpus: [""], tokens: ["\u{80}\u{3}\0\u{1}", "\0\0\0"])
        for _ in 0..<Fuzzer.rounds {
            var bytes = (0..<3).flatMap { _ in frames[fuzzer.pick(frames.count)] }
            for _ in 0..<fuzzer.pick(5) { bytes[fuzzer.pick(bytes.count)] ^= 1 << UInt8(fuzzer.pick(8)) }
            bytes += fuzzer.next()
            var parser = SPDYParser()
            let cut = fuzzer.pick(bytes.count)
            do {
                for part in [bytes[..<cut], bytes[cut...]] {
                    parser.feed(ByteBuffer(bytes: part))
                    while try parser.next() != nil {}
                }
            } catch {
                // A refusal is as good as a frame.
                continue
            }
        }
    }
}
