#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Reads the author's files; paths are relative to the course's root, with `/`.
struct CourseFiles {
    let root: String

    /// Nil when there is no such file or it is not UTF-8.
    func text(_ path: String) -> String? {
        guard let bytes = FileManager.default.contents(atPath: absolute(path)) else { return nil }
        return String(data: bytes, encoding: .utf8)
    }

    func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: absolute(path)) }

    /// The names in a folder, sorted, hidden ones left out; empty when there is no such folder.
    func names(in folder: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: absolute(folder))) ?? []
        return names.filter { !$0.hasPrefix(".") }.sorted()
    }

    /// The paths of all files below a folder, relative to it, sorted.
    func filesBelow(_ folder: String) -> [String] {
        names(in: folder).flatMap { name -> [String] in
            let path = "\(folder)/\(name)"
            return isFolder(path) ? filesBelow(path).map { "\(name)/\($0)" } : [name]
        }
    }

    func isFolder(_ path: String) -> Bool {
        var isDirectory = false
        return FileManager.default.fileExists(atPath: absolute(path), isDirectory: &isDirectory) && isDirectory
    }

    private func absolute(_ path: String) -> String { path.isEmpty ? root : "\(root)/\(path)" }
}
