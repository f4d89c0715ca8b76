import Foundation

/// The sources of this package, read from disk.
struct SourceTree {
    struct File {
        /// The path from the package's root, for example `Sources/KubeModel/JSON/JSONValue.swift`.
        let path: String
        let lines: [String]

        /// The target a file of `Sources` belongs to.
        var target: String { String(path.split(separator: "/")[1]) }
    }

    let root: URL

    init(file: String = #filePath) {
        root = URL(fileURLWithPath: file).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
    }

    /// All Swift files below one folder of the root.
    func swiftFiles(in folder: String) throws -> [File] {
        let base = root.appendingPathComponent(folder)
        let paths = try FileManager.default.subpathsOfDirectory(atPath: base.path)
        return try paths.filter { $0.hasSuffix(".swift") }.sorted().map { path in
            let text = try String(contentsOf: base.appendingPathComponent(path), encoding: .utf8)
            return File(path: "\(folder)/\(path)", lines: text.components(separatedBy: "\n"))
        }
    }
}
