import Testing

@Suite("Layers") struct LayerTests {
    /// Which of our targets each target may import.
    ///
    /// Arrows point downwards only; the README's picture shows the same.
    static let mayImport: [String: Set<String>] = [
        "CEL": [],
        "KubeModel": ["CEL"],
        "CourseModel": [],
        "ScreenKit": [],
        "ObjectStore": ["KubeModel"],
        "KubeClient": ["KubeModel"],
        "APIServer": ["CEL", "KubeModel", "ObjectStore", "KubeClient", "CZlib"],
        "ControllerKit": ["KubeModel", "KubeClient"],
        "Controllers": ["KubeModel", "KubeClient", "ControllerKit"],
        "Scheduler": ["KubeModel", "KubeClient", "ControllerKit"],
        "ContainerRuntime": ["KubeModel", "KubeClient", "CSandbox", "CZlib"],
        "Kubelet": ["KubeModel", "KubeClient", "ControllerKit", "ContainerRuntime"],
        "ClusterNetwork": ["KubeModel", "KubeClient", "ControllerKit", "ContainerRuntime"],
        "Cluster": [
            "KubeModel", "ObjectStore", "KubeClient", "APIServer", "ControllerKit", "Controllers", "Scheduler",
            "ContainerRuntime", "Kubelet", "ClusterNetwork", "CSandbox",
        ],
        "Course": ["CourseModel", "KubeModel", "KubeClient"],
        "Checkers": ["CourseModel", "KubeModel", "KubeClient"],
        "Progress": ["CourseModel", "KubeModel", "KubeClient"],
        // The screen that looks into the cluster reads objects as the API has them.
        "LabScreens": ["CourseModel", "KubeModel", "ScreenKit", "Checkers", "Progress"],
        "TerminalScreen": ["ScreenKit", "CNCurses", "CTerminal"],
        "Workloads": ["KubeModel"],
    ]

    @Test("every target imports only what its layer allows")
    func imports() throws {
        // The program itself may import everything; it holds no logic.
        let files = try SourceTree().swiftFiles(in: "Sources").filter { $0.target != "velocity" }
        #expect(Set(files.map(\.target)) == Set(Self.mayImport.keys))
        let ours = Set(Self.mayImport.keys).union(["CSandbox", "CZlib", "CNCurses", "CTerminal", "velocity"])
        for file in files {
            let allowed = try #require(Self.mayImport[file.target], "\(file.path) is in a target without a layer")
            for line in file.lines {
                guard let name = Self.importedModule(line), ours.contains(name), name != file.target else { continue }
                #expect(allowed.contains(name), "\(file.path) imports \(name)")
            }
        }
    }

    /// The module that a line of source imports, if it is an import.
    static func importedModule(_ line: String) -> String? {
        let words = line.split(separator: " ")
        guard let index = words.firstIndex(of: "import"), index <= 2, index + 1 < words.count,
            words[..<index].allSatisfy({
                ["public", "package", "internal", "private"].contains($0) || $0.hasPrefix("@")
            })
        else { return nil }
        return String(words[index + 1])
    }
}
