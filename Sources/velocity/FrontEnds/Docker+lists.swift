import Cluster
import ContainerRuntime
import Foundation
import KubeClient
import KubeModel

/// What docker lists and shows.
extension Docker {
    func images(_ words: [String]) throws {
        let read = try FrontEndWords(
            words,
            [
                .toggle("quiet", "q"), .toggle("all", "a"), .value("format"), .toggle("no-trunc"), .toggle("digests"),
                .value("filter", "f"),
            ],
            usage: "docker images")
        var lines = try LocalImages.open().all
        for (name, value) in try Self.filters(read, ["reference", "dangling"]) {
            // Each image here has a name.
            lines = lines.filter { name == "reference" ? $0.has(name: value) : value != "true" }
        }
        if let name = read.operand(0) { lines = lines.filter { $0.has(name: name) } }
        func id(_ line: LocalImages.Line) -> String {
            read.has("no-trunc") ? line.entry.digest ?? line.id : line.id
        }
        if read.has("quiet") { return lines.forEach { Output.line(id($0)) } }
        let rows = lines.map { line -> JSONValue in
            [
                "Repository": .string(line.repository), "Tag": .string(line.tag), "ID": .string(id(line)),
                "Digest": .string(line.entry.digest ?? "<none>"),
                "CreatedSince": .string(line.entry.created.flatMap(Age.text) ?? "N/A"),
                "CreatedAt": .string(line.entry.created ?? "N/A"),
                "Size": .string(ByteCount.text(line.entry.bytes ?? 0)),
            ]
        }
        var columns = [
            ("REPOSITORY", "Repository"), ("TAG", "Tag"), ("IMAGE ID", "ID"), ("CREATED", "CreatedSince"),
            ("SIZE", "Size"),
        ]
        if read.has("digests") { columns.insert(("DIGEST", "Digest"), at: 2) }
        try FormattedRows(columns: columns, rows: rows).show(read["format"])
    }

    func inspect(_ words: [String]) throws {
        let read = try FrontEndWords(
            words, [.value("format", "f"), .value("type"), .toggle("size", "s")], usage: "docker inspect")
        guard !read.operands.isEmpty else {
            throw FrontEndFailure(lines: ["docker: 'docker inspect' requires at least 1 argument"])
        }
        let local = try LocalImages.open()
        var found: [JSONValue] = []
        for name in read.operands {
            guard let value = local.store.describe(local.name(of: name)) else {
                let isBuiltIn = ImageReference(parsing: name).map(local.catalog.hasBuiltIn) ?? false
                throw FrontEndFailure(
                    lines: [
                        "Error: No such object: \(name)",
                        isBuiltIn
                            ? "hint: '\(name)' is built in: `velocity image list` says what it runs."
                            : "hint: `docker images` lists images; of pods: kubectl describe pod POD",
                    ])
            }
            found.append(value)
        }
        if let format = read["format"] { return try FormattedRows(columns: [], rows: found).show(format) }
        let objects = try JSONSerialization.jsonObject(with: Data(JSONValue.array(found).encoded))
        let text = try JSONSerialization.data(
            withJSONObject: objects, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        Output.line(String(decoding: text, as: UTF8.self))
    }

    func containers(_ words: [String]) async throws {
        let read = try FrontEndWords(
            words,
            [.toggle("all", "a"), .toggle("quiet", "q"), .value("format"), .toggle("no-trunc"), .value("filter", "f")],
            usage: "docker ps")
        let filters = try Self.filters(read, ["name", "id", "ancestor", "status"])
        let directory = try Machine.home().cluster(EmbeddedCluster.defaultName)
        var rows: [PodContainer] = []
        if ClusterProcess(directory).isRunning {
            let pods = try await EmbeddedCluster.client(of: directory).list(.pods).items
            let hasStatus = filters.contains { $0.name == "status" }
            rows = pods.flatMap { PodContainer.all(of: $0) }.filter { read.has("all") || hasStatus || $0.isRunning }
        } else {
            Output.remark("The cluster does not run, so there is no container. `velocity cluster up` starts it.")
        }
        for (name, value) in filters {
            rows = rows.filter { row in
                switch name {
                case "name": row.name.contains(value)
                case "id": row.id.hasPrefix(value)
                case "ancestor": row.image == value || ImageReference(parsing: row.image)?.repositoryName == value
                default: value == (row.isRunning ? "running" : "exited")
                }
            }
        }
        if read.has("quiet") { return rows.forEach { Output.line($0.id) } }
        let columns = [
            ("CONTAINER ID", "ID"), ("IMAGE", "Image"), ("COMMAND", "Command"), ("CREATED", "RunningFor"),
            ("STATUS", "Status"), ("PORTS", "Ports"), ("NAMES", "Names"),
        ]
        let values = rows.map { row -> JSONValue in
            [
                "ID": .string(row.id), "Image": .string(row.image), "Command": .string(row.command),
                "RunningFor": .string(row.created), "Status": .string(row.status), "Ports": "",
                "Names": .string(row.name), "State": row.isRunning ? "running" : "exited",
            ]
        }
        try FormattedRows(columns: columns, rows: values).show(read["format"])
    }

    /// `--filter NAME=VALUE`, each of a name that is known.
    private static func filters(_ read: FrontEndWords, _ known: [String]) throws -> [(name: String, value: String)] {
        try read.all("filter").map { text in
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, known.contains(parts[0]) else {
                throw FrontEndFailure(
                    "VelocityLab has no filter '\(text)' here.",
                    hint: "There are: \(known.map { "\($0)=…" }.joined(separator: ", ")).")
            }
            return (parts[0], parts[1])
        }
    }
}
