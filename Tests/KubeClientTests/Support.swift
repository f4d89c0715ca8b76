import Foundation
import KubeClient
import KubeModel
import Testing

/// The `Status` that an action throws.
func refusal(_ action: () async throws -> Void) async throws -> Status {
    try #require(await #expect(throws: Status.self) { try await action() })
}

/// Why a kubeconfig is of no use.
func failure(_ action: () throws -> Void) throws -> Kubeconfig.Failure {
    try #require(#expect(throws: Kubeconfig.Failure.self) { try action() })
}

func configMap(_ name: String, labels: [String: String] = [:], data: JSONValue = [:]) -> KubeObject {
    var object = KubeObject(.configMaps, namespace: "default", name: name)
    object.labels = labels
    object.value["data"] = data
    return object
}

/// Files of a test.
enum Folder {
    static func make(_ path: String) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    static func write(_ text: String, to path: String) throws {
        try #require(FileManager.default.createFile(atPath: path, contents: Data(text.utf8)))
    }

    static func read(_ path: String) throws -> String {
        String(decoding: try #require(FileManager.default.contents(atPath: path)), as: UTF8.self)
    }

    static func mode(_ path: String) throws -> Int? {
        (try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber)?.intValue
    }

    static var workingDirectory: String { FileManager.default.currentDirectoryPath }
}
