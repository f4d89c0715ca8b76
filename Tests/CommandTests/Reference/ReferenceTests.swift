import Foundation
import Testing

@Suite("Beside a real Kubernetes", .timeLimit(.minutes(4))) struct ReferenceTests {
    @Test(
        "kubectl prints what it prints against a real cluster, except where we differ on purpose",
        .enabled(if: ReferenceCase.folder != nil, "the reference outputs are not beside this checkout"),
        .enabled(if: Program.kubectl != nil, "kubectl is not installed"))
    func outputs() async throws {
        let cases = try ReferenceCase.all()
        let normalization = Normalization()
        var missing = Set(cases.keys.compactMap { Int($0.prefix(3)) })
        try await Program.inNewHome { program in
            #expect(try await program.run("cluster", "up", "--wait", "--pace", "instant", "--port", "0").code == 0)
            for (name, text) in ReferenceManifests.files { try program.write(name, text) }
            for step in ReferenceStep.all {
                switch step {
                case .prepare(let words):
                    let result = try await program.kubectl(words)
                    #expect(result.code == 0, "\(words): \(result.errors)")
                case .compare(let number, let words, let asSet):
                    let found = cases.values.first { $0.name.hasPrefix(String(format: "%03d-", number)) }
                    let reference = try #require(found, "there is no reference output \(number)")
                    missing.remove(number)
                    let result = try await program.kubectl(words ?? Array(reference.words.dropFirst()))
                    let answer = ReferenceCase.Answer(
                        output: result.output, errors: result.errors, code: result.code)
                    let differences = normalization.differences(reference.answer, answer, asSet: asSet)
                    let unexplained = differences.filter { !DeliberateDifference.explains($0, in: number) }
                    #expect(unexplained.isEmpty, "\(reference.name):\n\(unexplained.joined(separator: "\n"))")
                }
            }
        }
        #expect(missing == Set(ReferenceStep.leftOut.keys))
    }
}
