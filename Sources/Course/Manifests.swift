import Foundation

/// The learner's own manifests, as far as they can be judged before `kubectl` sees them.
public enum Manifests {
    /// What makes the YAML files of a folder unreadable, such as tabs; `kubectl` says it in words that help few people.
    public static func faults(in folder: String) -> [Diagnostic] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let diagnostics = Diagnostics()
        for name in names.sorted() where name.hasSuffix(".yaml") || name.hasSuffix(".yml") {
            guard let text = try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8) else { continue }
            _ = YAMLText(text, file: name, diagnostics: diagnostics)
        }
        return diagnostics.items
    }
}
