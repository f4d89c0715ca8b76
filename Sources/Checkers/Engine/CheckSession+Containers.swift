import CourseModel
import KubeClient
import KubeModel

/// What is read of containers, and run in them.
extension CheckSession {
    /// The object that names the pods is not there.
    private struct Absence: Error {
        let finding: Finding

        func assessment(_ expected: String) -> Assessment {
            Assessment(.hopeless, expected: expected, found: "there is no such object", finding: finding)
        }
    }

    private func pods(of container: ContainerRef) throws(Absence) -> [KubeObject] {
        let ref = container.object
        guard let object = judge.find(ref) else {
            let home = ref.namespace ?? namespace
            throw Absence(
                finding: Finding(.missing, "There is no \(ref) in the namespace '\(home)'.", isFinal: true))
        }
        return ref.kind == "Pod" ? [object] : judge.pods(of: object)
    }

    mutating func readLog(_ source: ContainerRef, _ text: String) async -> Assessment {
        let expected = judge.assess(.logged(source, text: text)).expected
        let pods: [KubeObject]
        do throws(Absence) { pods = try self.pods(of: source) } catch { return error.assessment(expected) }
        var lines = 0
        for pod in pods {
            var bytes: [UInt8] = []
            let options = LogOptions(container: source.container, limitBytes: 1 << 20)
            guard let chunks = try? await client.logs(namespace: pod.namespace ?? "", pod: pod.name, options: options)
            else { continue }
            do { for try await chunk in chunks { bytes += chunk } } catch {}
            let log = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
            if let line = log.first(where: { $0.contains(text) }) {
                record("The log of \(pod.name): \(line.prefix(160))", pod, .pods)
                return Assessment(.holds, expected: expected, found: String(line))
            }
            lines += log.count
        }
        let finding =
            PodTrouble.find(pods, in: view)
            ?? Finding(
                .log, "No line of the log says '\(text)'. Read it with 'kubectl logs \(source)'.")
        return Assessment(.notYet, expected: expected, found: "\(lines) lines without it", finding: finding)
    }

    /// How long one run of a command may take.
    private static let commandTimeout = Duration.seconds(10)

    /// Runs a command in the first pod that is ready.
    mutating func run(_ wanted: CommandExpectation, in container: ContainerRef) async -> Assessment {
        let expected = ConditionJudge.expected(container, wanted)
        let pods: [KubeObject]
        do throws(Absence) { pods = try self.pods(of: container) } catch { return error.assessment(expected) }
        guard let pod = pods.filter(\.isReadyPod).min(by: { $0.name < $1.name }) else {
            return Assessment(
                .notYet, expected: expected, found: "no pod of it is ready", finding: PodTrouble.find(pods, in: view))
        }
        let request = ExecRequest(container: container.container ?? "", command: wanted.command)
        let result: ExecResult
        do throws(Status) {
            result = try await client.exec(
                namespace: pod.namespace ?? "", pod: pod.name, request, timeout: Self.commandTimeout)
        } catch {
            return Assessment(
                .notYet, expected: expected, found: error.message,
                finding: Finding(.other, "'\(wanted)' cannot be run in \(pod.name): \(error.message)."))
        }
        let output = String(decoding: result.output, as: UTF8.self)
        let said = String(decoding: result.output.isEmpty ? result.errorOutput : result.output, as: UTF8.self)
        let line = said.split(separator: "\n").first.map { ", and says: \($0.prefix(160))" } ?? ""
        record("'\(wanted)' in \(pod.name) ends with \(result.exitCode)\(line)", pod, .pods)
        if wanted.isMet(by: output, result.exitCode) {
            return Assessment(.holds, expected: expected, found: "it does")
        }
        return Assessment(
            .notYet, expected: expected, found: "it ends with \(result.exitCode)\(line)",
            finding: Finding(
                .wrongAnswer, "In \(pod.name), '\(wanted)' ends with \(result.exitCode)\(line)."))
    }
}

extension CommandExpectation {
    fileprivate func isMet(by output: String, _ code: Int) -> Bool {
        let trimmed = output.drop(while: \.isWhitespace)
        let end = trimmed.lastIndex { !$0.isWhitespace }.map(trimmed.index(after:)) ?? trimmed.startIndex
        return code == exitCode && contains.map(output.contains) ?? true && equals.map { $0 == trimmed[..<end] } ?? true
    }
}
