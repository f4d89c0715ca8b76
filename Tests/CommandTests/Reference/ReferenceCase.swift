import Foundation

/// One file of the reference outputs: a command, and what kubectl printed against a real Kubernetes.
struct ReferenceCase {
    /// The file's name without its ending, for example `016-apply-pod`.
    let name: String
    /// The words of the command as far as the file tells them: it holds no quotes.
    let words: [String]
    let answer: Answer

    struct Answer {
        var output: String
        var errors: String
        var code: Int32
    }

    init?(name: String, text: String) {
        let sections = text.components(separatedBy: "\n--- ")
        guard sections.count == 4, sections[0].hasPrefix("$ "), sections[3].hasPrefix("exit "),
            let code = Int32(sections[3].dropFirst(5).trimmingCharacters(in: .whitespacesAndNewlines))
        else { return nil }
        self.name = name
        words = sections[0].dropFirst(2).split(separator: " ").map(String.init)
        answer = Answer(
            output: String(sections[1].dropFirst("stdout\n".count)).replacing("[no newline at end]", with: ""),
            errors: String(sections[2].dropFirst("stderr\n".count)), code: code)
    }

    /// The folder of reference outputs beside this checkout, if it is there.
    static let folder: URL? = {
        var url = URL(fileURLWithPath: #filePath)
        for _ in 0..<5 { url.deleteLastPathComponent() }
        url.append(path: "shared/reference/kubectl-outputs")
        return FileManager.default.fileExists(atPath: url.path) ? url : nil
    }()

    static func all() throws -> [String: ReferenceCase] {
        guard let folder else { return [:] }
        var cases: [String: ReferenceCase] = [:]
        for file in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            let name = String(file.prefix { $0 != "." })
            let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
            cases[name] = ReferenceCase(name: name, text: text)
        }
        return cases
    }
}

/// Takes out of an answer what differs from run to run and from cluster to cluster.
struct Normalization {
    private let patterns: [(Regex<AnyRegexOutput>, String)] = {
        let texts: [(String, String)] = [
            (#"[ \t]+"#, " "),
            (#"payment-gateway-[0-9a-z]{8,10}-[0-9a-z]{5}\b"#, "payment-gateway-HASH-POD"),
            (#"payment-gateway-nodeport-[0-9a-z]{5}\b"#, "payment-gateway-nodeport-SLICE"),
            (#"payment-gateway-[0-9bcdf-hj-np-tv-xz]{8,10}\b"#, "payment-gateway-HASH"),
            (#"payment-gateway-[0-9a-z]{5}\b"#, "payment-gateway-SLICE"),
            (#"pod-template-hash=[0-9a-z]+"#, "pod-template-hash=HASH"),
            (#"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"#, "UID"),
            (#"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"#, "TIME"),
            (#"\w{3}, \d+ \w+ 20\d\d \d\d:\d\d:\d\d \+0000"#, "TIME"),
            (#"\b\d+\.\d+\.\d+\.\d+\b"#, "IP"),
            (#"\b(\d+[smhd])+\b"#, "AGE"),
            (#"resourceVersion: "\d+""#, "resourceVersion: RV"),
            (#"v1\.(20|32)\.\d+"#, "VERSION"),
            (#"(containerd|velocity)://[0-9a-f]{64}"#, "CONTAINER"),
            (#"\b(node-1|velocity)\b"#, "NODE"),
            (#"\d+Ki\b"#, "AMOUNT"),
        ]
        return texts.compactMap { text, replacement in
            (try? Regex(text)).map { ($0.wordBoundaryKind(.simple), replacement) }
        }
    }()

    func lines(_ text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: true).map { line in
            var line = String(line)
            for (pattern, replacement) in patterns { line = line.replacing(pattern, with: replacement) }
            return line.trimmingCharacters(in: .whitespaces)
        }.filter { !$0.isEmpty }
    }

    /// What has to be taken away (`-`) and added (`+`) to make the second answer of the first.
    func differences(_ expected: ReferenceCase.Answer, _ found: ReferenceCase.Answer, asSet: Bool) -> [String] {
        func arranged(_ text: String) -> [String] { asSet ? Array(Set(lines(text))).sorted() : lines(text) }
        func changes(_ old: [String], _ new: [String], _ mark: String) -> [String] {
            new.difference(from: old).map { change in
                switch change {
                case .insert(_, let line, _): "+\(mark)\(line)"
                case .remove(_, let line, _): "-\(mark)\(line)"
                }
            }
        }
        var differences = changes(arranged(expected.output), arranged(found.output), "")
        differences += changes(lines(expected.errors), lines(found.errors), "stderr: ")
        if expected.code != found.code { differences.append("exit \(expected.code) became \(found.code)") }
        return differences
    }
}
